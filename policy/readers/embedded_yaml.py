"""YAML that stands as text inside an object, such as the configuration in a ConfigMap. Untrusted, like the object."""

from collections.abc import Iterator

import yaml

from policy.reading import Node, Reader

_MAX_TEXT = 1024 * 1024  # the API server takes no larger ConfigMap
_MAX_DEPTH = 64
_TEXT_TAG = "tag:yaml.org,2002:str"


def parsed(reader: Reader, node: Node) -> Node | None:
    """The document in the text at `node`; None where there is none, or where two readers could read two things.

    `reader` gets a finding for text that is not YAML, for a key that stands twice, for anchors, aliases and tags, and
    for a second document: what builds a value from them is the control plane's affair, and differs by version.
    """
    text = reader.text(node)
    if text is None:
        return None
    try:
        wrong = "is too long" if len(text) > _MAX_TEXT else next(_unwanted(text), None)
        value = yaml.load(text, Loader=yaml.CSafeLoader) if wrong is None else None
    except (yaml.YAMLError, ValueError, RecursionError):
        wrong, value = "is not YAML", None
    if wrong is not None:
        reader.report(node, f"{wrong}, so it cannot be judged")
        return None
    return Node(value=value, path=node.path)


def _unwanted(text: str) -> Iterator[str]:
    # Events come one by one, so that depth and aliases are seen before anything is built from them.
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > _MAX_DEPTH:
            yield "nests too deep"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            yield "has anchors or aliases"
        if getattr(event, "tag", None) is not None:
            yield "has tags"
        if documents > 1:
            yield "holds more than one document"
    yield from _repeated(yaml.compose(text, Loader=yaml.CSafeLoader))


def _repeated(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT_TAG:
                yield "has a key that is no text"
            elif key.value in seen:
                yield "has a key that stands twice"
            else:
                seen.add(key.value)
            yield from _repeated(value)
