"""Label selectors (apimachinery: metav1.LabelSelector): whom they leave out."""

from policy.reading import Node, Reader, is_empty

_LABELS, _EXPRESSIONS = "matchLabels", "matchExpressions"
_IN = "In"


def selects_all(reader: Reader, selector: Node) -> bool:
    """Whether a selector asks nothing of labels. What it means that there is none is for the caller to say."""
    return all(is_empty(reader.field(selector, key)) for key in (_LABELS, _EXPRESSIONS))


def names_values(reader: Reader, selector: Node) -> bool:
    """Whether a selector takes only what has a label with a value that it lists.

    Every other operator takes what nobody thought of: `Exists` asks for a label that each namespace may have by
    itself, as it has `kubernetes.io/metadata.name`; `NotIn` and `DoesNotExist` take whatever is new.
    """
    labels = reader.field(selector, _LABELS)
    reader.mapping(labels)
    return not is_empty(labels) or any(
        reader.text(reader.field(each, "operator")) == _IN and not is_empty(reader.field(each, "values"))
        for each in reader.items(reader.field(selector, _EXPRESSIONS))
    )
