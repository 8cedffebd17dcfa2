"""What Istio lays over the Deployment and the Service that it makes for a Gateway: texts in a ConfigMap.

A Gateway names the ConfigMap in `spec.infrastructure.parametersRef`, or a label gives it to every Gateway of a class
(Istio: Gateway API, automated deployment). One that a Gateway names has no mark of its own but its keys.
"""

from typing import Final

from policy.readers.embedded_yaml import parsed
from policy.reading import Node, Reader, as_mapping, root
from policy.rule import Subject

_LABEL: Final = "gateway.istio.io/defaults-for-class"
_SPEC: Final = "spec"


def parameters_of(subject: Subject, key: str, reader: Reader) -> Node | None:
    """The object in the ConfigMap `subject` under `key`, `deployment` or `service`; None where there is none.

    `reader` collects why the text of what may well be one cannot be read.
    """
    own = Reader()
    whole = root(subject.whole)
    text = own.field(whole, "data", key)
    if not isinstance(text.value, str):
        return None
    is_marked = own.field(whole, "metadata", "labels", _LABEL).value is not None
    value = parsed(own, text)
    fields = None if value is None else as_mapping(value.value)
    if fields is not None and _SPEC in fields:
        return value
    if is_marked or (value is None and _SPEC in text.value):
        reader.findings += own.findings
    return None
