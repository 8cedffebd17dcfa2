"""What the stand-in remembers: things by id, who uses what, and tags."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused

T = TypeVar("T")


class Ids:
    """Ids in the form of the real ones: a prefix says of what."""

    def __init__(self) -> None:
        self._last = 0

    def new(self, prefix: str) -> str:
        """Another id, such as `vsw-t4n000001`."""
        self._last += 1
        return f"{prefix}-t4n{self._last:06d}"


class Shelf(Generic[T]):
    """Things of one kind, in the order in which they came.

    Attributes:
        hidden_reads: how often a new thing is not found by those who read, as in a service that is consistent late.
    """

    def __init__(self, missing: str) -> None:
        self.hidden_reads = 0
        self._missing = missing
        self._things: dict[str, T] = {}
        self._hidden: dict[str, int] = {}

    def __getitem__(self, key: str) -> T:
        """A thing that has to be there; says 404 otherwise, with the code of its kind."""
        if (thing := self._things.get(key)) is None:
            raise Refused(self._missing, f"{key} does not exist", status=404)
        return thing

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._things.values()))

    def __len__(self) -> int:
        return len(self._things)

    def put(self, key: str, thing: T) -> None:
        """A new thing."""
        self._things[key] = thing
        self._hidden[key] = self.hidden_reads

    def take(self, key: str) -> T:
        """A thing that is no more."""
        thing = self[key]
        del self._things[key]
        return thing

    def read(self, key: str = "") -> list[T]:
        """What a describing call finds: the thing, or nothing; without `key` all of them."""
        wanted = [each for each in self._things if key in {"", each}]
        return [self._things[each] for each in wanted if self._is_seen(each)]

    def _is_seen(self, key: str) -> bool:
        left = self._hidden.get(key, 0)
        self._hidden[key] = max(0, left - 1)
        return left == 0


class Uses:
    """Who uses what, by ids: what is in use cannot be deleted."""

    def __init__(self) -> None:
        self._users: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, user: str, used: Iterable[str]) -> None:
        """`user` uses these."""
        for each in used:
            self._users[each].append(user)

    def drop(self, user: str) -> None:
        """`user` uses nothing any more."""
        for users in self._users.values():
            users[:] = [each for each in users if each != user]

    def of(self, used: str) -> tuple[str, ...]:
        """Everybody who uses this."""
        return tuple(self._users[used])


class Tags:
    """Tags by the id of what has them, for all products that are asked in the same words."""

    def __init__(self) -> None:
        self._of: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def add(self, resource: str, p: Parameters) -> None:
        """Those of a call, as `Tag.1.Key` and `Tag.1.Value`."""
        self._of[resource].update({each["Key"]: each.get("Value") for each in p.parts("Tag")})

    def of(self, resource: str) -> Answer:
        """As VPC answers them with a thing."""
        return {"Tag": [{"Key": key, "Value": value} for key, value in self._of[resource].items()]}

    def of_group(self, resource: str) -> Answer:
        """As ECS answers them with a thing."""
        return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in self._of[resource].items()]}

    def actions(self) -> Actions:
        """The calls."""
        return {"ListTagResources": self._list, "TagResources": self._tag, "UnTagResources": self._untag}

    def _list(self, p: Parameters) -> Answer:
        found = [{"ResourceId": each, **tag} for each in p.texts("ResourceId") for tag in self.of_group(each)["Tag"]]
        return {"TagResources": {"TagResource": found}}

    def _tag(self, p: Parameters) -> Answer:
        for each in p.texts("ResourceId"):
            self.add(each, p)
        return {}

    def _untag(self, p: Parameters) -> Answer:
        for each in p.texts("ResourceId"):
            for key in p.texts("TagKey"):
                self._of[each].pop(key, None)
        return {}
