"""What a rule of a route takes off requests before they leave, or writes anew."""

from collections.abc import Iterable

from policy.readers.routes import Reference, RouteRule
from policy.reading import Reader, is_empty, root
from policy.rule import Subject

_AUTHORIZATION = "authorization"


class Injections:
    """The credentials that filters of a stack put in the place of what a client sent."""

    def __init__(self, filters: Iterable[Subject]) -> None:
        self._header = {(each.ref.namespace, each.ref.name): _replaced(each) for each in filters}

    def taken_off(self, rule: RouteRule, reference: Reference, namespace: str) -> frozenset[str]:
        """The headers, in lower case, that do not get to `reference` as the client sent them.

        Args:
            rule: of a route.
            reference: one of those that it leads to.
            namespace: the route's.
        """
        # What cannot be read of a route's filters is EGR500's finding.
        reader = Reader()
        found: set[str | None] = set()
        for each in rule.filters_to(reference):
            modifier = reader.field(each, "requestHeaderModifier")
            found |= {reader.text(name) for name in reader.items(reader.field(modifier, "remove"))}
            headers = reader.items(reader.field(modifier, "set"))
            found |= {reader.text(reader.field(header, "name")) for header in headers}
            extension = reader.field(each, "extensionRef")
            if reader.field(extension, "kind").value == "HTTPRouteFilter":
                found.add(self._header.get((namespace, f"{reader.field(extension, 'name').value}")))
        return frozenset(name.lower() for name in found if name is not None)


def _replaced(subject: Subject) -> str | None:
    """The header that an HTTPRouteFilter writes anew, None if it leaves what is there."""
    injection = Reader().field(root(subject.whole), "spec", "credentialInjection")
    if is_empty(injection) or Reader().field(injection, "overwrite").value is not True:
        return None
    header = Reader().field(injection, "header").value
    return _AUTHORIZATION if header in (None, "") else f"{header}"
