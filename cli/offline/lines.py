"""Finds the line of a setting in its file, for messages. Only called when something is wrong: it parses again."""

import re
from collections.abc import Iterable
from typing import Final

import yaml

_PART: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_HEADING: Final = re.compile(r"^(?P<file>\S+): \d+ problems?$")


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) where `path` stands in a stack file, or the nearest parent that exists.

    Args:
        text: the stack file.
        path: below `config:`, as reports write it, with or without the namespace: `destinations.cnn.hosts[0]`.

    Returns:
        None where not even the first key exists, or where the text is not YAML.
    """
    return _line_below(_config(text), path)


def with_lines(report: str, *, file: str, text: str) -> str:
    """A report with `file:line: ` before each problem of `file` whose path can be found in `text`.

    The report is the one of `components.settings.problems`: a heading per file, then `  path: what is wrong` lines.
    """
    config = _config(text)
    lines: list[str] = []
    here = False
    for line in report.splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            here = heading["file"] == file
        if here and line.startswith("  ") and not line.startswith("   "):
            number = _line_of_problem(config, line.strip())
            lines.append(line if number is None else f"  {file}:{number}: {line.strip()}")
        else:
            lines.append(line)
    return "\n".join(lines)


def _line_of_problem(config: yaml.Node | None, problem: str) -> int | None:
    """A path may itself hold `: `, so the longest text before one that names a setting wins."""
    ends = [match.start() for match in re.finditer(": ", problem)]
    found = [_line_below(config, problem[:end]) for end in ends[:3]]
    return max((line for line in found if line is not None), default=None)


def _config(text: str) -> yaml.Node | None:
    """The node of `config:`."""
    try:
        found = _child(yaml.compose(text, Loader=yaml.CSafeLoader), "config")
    except yaml.YAMLError:
        return None
    return None if found is None else found[1]


def _line_below(config: yaml.Node | None, path: str) -> int | None:
    line: int | None = None
    node, rest = config, path
    while rest and node is not None:
        step = _step(node, rest, top=line is None)
        if step is None:
            break
        key, node, rest = step
        line = key.start_mark.line + 1
    return line


def _step(node: yaml.Node, rest: str, *, top: bool) -> tuple[yaml.Node, yaml.Node, str] | None:
    """One level down: the key's node (or the item), the value's node, and the rest of the path."""
    if isinstance(node, yaml.SequenceNode):
        index = _PART.match(rest)
        items: list[yaml.Node] = node.value
        if index is None or not index[0].strip("[]").isdigit() or int(index[0].strip("[]")) >= len(items):
            return None
        item = items[int(index[0].strip("[]"))]
        return item, item, rest[index.end() :].removeprefix(".")
    if not isinstance(node, yaml.MappingNode):
        return None
    # A key may hold dots, so the longest key that the path begins with is meant.
    for name in sorted(_names(node), key=len, reverse=True):
        shown = name.rpartition(":")[2] if top and not rest.startswith(name) else name
        if rest == shown or rest.startswith((f"{shown}.", f"{shown}[")):
            child = _child(node, name)
            if child is not None:
                return child[0], child[1], rest[len(shown) :].removeprefix(".")
    return None


def _names(node: yaml.MappingNode) -> Iterable[str]:
    return (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))


def _child(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return next(((key, value) for key, value in pairs if key.value == name), None)
