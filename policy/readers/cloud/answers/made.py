"""What one item of an answer becomes, and how its fields are read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from policy.reading import as_mapping, as_sequence

Item = Mapping[object, object]
"""One item of an answer's list."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource, as rules judge one."""

    kind: str
    """As in `kinds`: group/Kind."""
    name: str
    """What messages and exceptions call it: its id, mostly."""
    whole: Mapping[str, object]
    """Named as the Pulumi properties. What is empty in an answer is left out."""


class ShapeError(ValueError):
    """A field of an item is not of the shape that the API documents; the text says which."""


Maker = Callable[[Item], Iterable[Made]]


def made(kind: str, name: object, **properties: object) -> Made:
    """A resource. Values keep their types: whether those are right, EGR700 says."""
    whole = {key: value for key, value in properties.items() if value not in (None, "")}
    return Made(kind=kind, name=f"{name}", whole=whole)


def field(item: Item, *keys: str) -> object:
    """What stands under `keys`, one inside the other; `None` if there is nothing.

    Raises:
        ShapeError: something on the way is no object.
    """
    found: object = item
    for key in keys:
        if found is None:
            return None
        fields = as_mapping(found)
        if fields is None:
            raise ShapeError(".".join(keys))
        found = fields.get(key)
    return found


def listed(item: Item, *keys: str) -> list[object]:
    """The list under `keys`; empty if there is none.

    Raises:
        ShapeError: there is something else.
    """
    value = field(item, *keys)
    values = () if value is None else as_sequence(value)
    if values is None:
        raise ShapeError(".".join(keys))
    return [*values]


def items(item: Item, *keys: str) -> list[Item]:
    """The objects in the list under `keys`.

    Raises:
        ShapeError: there is no list, or something else in it.
    """
    found = [as_mapping(value) for value in listed(item, *keys)]
    if None in found:
        raise ShapeError(".".join(keys))
    return [each for each in found if each is not None]
