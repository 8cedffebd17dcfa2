"""The kinds of plain value that a declaration is made of: names, hosts, addresses, ports, dates.

Each validator says what is wrong and what to write instead. Syntax only: whether an address may be reached is
judged by `components.plan.preflight` and by the policy pack.
"""

import datetime as dt
import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from components.settings.problems import shown, wrong
from policy.facts.addresses import parse_address, parse_network
from policy.facts.names import is_public_suffix, parse_hostname


class Model(BaseModel):
    """Base of every settings model: frozen, strict, camelCase in the file, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, use_attribute_docstrings=True
    )


_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ENTRY: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_LIMIT: Final = 253
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise wrong(f"{shown(text)} is not a Kubernetes name", "1 to 63 of a-z, 0-9 and `-`, for example `news`")
    return text


def _entry(text: str) -> str:
    if not _ENTRY.fullmatch(text):
        raise wrong(f"{shown(text)} is not an entry's name", "1 to 40 of a-z, 0-9 and `-`, for example `edition-cnn`")
    return text


def _subdomain(text: str) -> str:
    if not _SUBDOMAIN.fullmatch(text) or len(text) > _SUBDOMAIN_LIMIT:
        raise wrong(f"{shown(text)} is not a Kubernetes name", "a-z, 0-9, `-` and `.`, for example `reader`")
    return text


def _label_key(text: str) -> str:
    prefix, slash, name = text.rpartition("/")
    bad_prefix = slash and (not _SUBDOMAIN.fullmatch(prefix) or len(prefix) > _SUBDOMAIN_LIMIT)
    if bad_prefix or not _QUALIFIED.fullmatch(name):
        raise wrong(f"{shown(text)} is not the key of a label or taint", "for example `node-role.example.com/egress`")
    return text


def _label_value(text: str) -> str:
    if not _QUALIFIED.fullmatch(text):
        raise wrong(
            f"{shown(text)} is not the value of a label or taint",
            "1 to 63 of A-Z, a-z, 0-9, `-`, `_` and `.`, for example `egress`",
        )
    return text


def _host(text: str) -> str:
    if text.startswith("*"):
        raise wrong(f"{shown(text)} is a wildcard, and one host is meant here", "a full name")
    try:
        name = parse_hostname(text)
    except ValueError as error:
        raise wrong(
            f"{shown(text)} is not a host name: {error}", "a full name, for example `edition.cnn.com`"
        ) from error
    if name != text:
        how = "ends in a dot" if text.endswith(".") else "is not in lower case"
        raise wrong(f"{shown(text)} {how}", f"`{name}`")
    return text


def _host_pattern(text: str) -> str:
    if not text.startswith("*"):
        return _host(text)
    zone = text.removeprefix("*.")
    if zone == text or "*" in zone:
        raise wrong(f"{shown(text)} is no wildcard that anything here can match", "`*.` and a full name")
    name = _host(zone)
    if is_public_suffix(name):
        raise wrong(f"{shown(text)} is every host under a public suffix", "a wildcard below a registered domain")
    return text


def _address(text: str) -> str:
    try:
        address = parse_address(text)
    except ValueError as error:
        raise wrong(f"{shown(text)} is not an IP address: {error}", "for example `172.139.20.181`") from error
    if str(address) != text:
        raise wrong(f"{shown(text)} is not the ordinary form of this address", f"`{address}`")
    return text


def _cidr(text: str) -> str:
    try:
        network = parse_network(text)
    except ValueError as error:
        raise wrong(
            f"{shown(text)} is not a CIDR: {error}", "a network with its length, for example `203.0.113.0/24`"
        ) from error
    if "/" not in text:
        raise wrong(f"{shown(text)} has no prefix length", f"`{network}`")
    if network.prefixlen == 0:
        raise wrong(f"{shown(text)} is every address there is", "the ranges that are really meant")
    if str(network) != text:
        raise wrong(f"{shown(text)} is not the ordinary form of a network, or has host bits", f"`{network}`")
    return text


def _port(number: int) -> int:
    if not 1 <= number <= 65535:  # noqa: PLR2004 (a port is a 16-bit number)
        raise wrong(f"{shown(number)} is not a port", "a whole number from 1 to 65535, for example 443")
    return number


def _date(value: Any) -> dt.date:
    if not isinstance(value, str):
        raise wrong(f"{shown(value)} is not a date", 'the year, month and day in quotes: "2027-06-30"')
    if not _DATE.fullmatch(value):
        raise wrong(f"{shown(value)} is not a date in the form year-month-day", 'in quotes, for example "2027-06-30"')
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise wrong(f"{shown(value)} is not in the calendar", 'for example "2027-06-30"') from error


def _not_expired(date: dt.date, info: ValidationInfo) -> dt.date:
    context: dict[str, dt.date] = info.context or {}
    today = context["today"]
    if date < today:
        raise wrong(
            f"expired on {date} (today is {today})",
            "have the ticket renewed and write the new date, or remove the entry",
        )
    return date


def _sentence(text: str) -> str:
    if not text.strip():
        raise wrong("is empty", "a few words that a colleague understands")
    if text != text.strip() or "\n" in text:
        raise wrong(f"{shown(text)} has a line break, or blanks around it", f"{shown(' '.join(text.split()))}")
    return text


_INCLUDED: Final = re.compile(r"(?!Pulumi\.)([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.yaml")


def is_included_name(text: str) -> bool:
    """Whether a file may be included: a `.yaml` file in the folder of the stack files or below, and no stack file."""
    return _INCLUDED.fullmatch(text) is not None


def _included(text: str) -> str:
    if not is_included_name(text):
        raise wrong(f"{shown(text)} is not a file to include", "a path from stacks/, for example `dev/payments.yaml`")
    return text


IncludedFile = Annotated[str, AfterValidator(_included)]
"""A file with entries of a declaration, from the folder of the stack files."""
EntryName = Annotated[str, AfterValidator(_entry)]
"""The name of an entry of ours (a destination, a backend, a port): part of the names of its objects."""
KubernetesLabel = Annotated[str, AfterValidator(_label)]
"""A namespace: an RFC 1123 label."""
KubernetesName = Annotated[str, AfterValidator(_subdomain)]
"""A service account or Secret: an RFC 1123 subdomain."""
LabelKey = Annotated[str, AfterValidator(_label_key)]
"""The key of a label or taint: a name, with or without a prefix."""
LabelValue = Annotated[str, AfterValidator(_label_value)]
"""The value of a label or taint."""
Host = Annotated[str, AfterValidator(_host)]
"""A DNS name, exact, in lower case."""
HostPattern = Annotated[str, AfterValidator(_host_pattern)]
"""A DNS name, exact, or below a wildcard: `*.` and a name that is no public suffix."""
Address = Annotated[str, AfterValidator(_address)]
"""An IPv4 or IPv6 address in its ordinary form."""
Cidr = Annotated[str, AfterValidator(_cidr)]
"""A network in CIDR form, host bits zero."""
Port = Annotated[int, AfterValidator(_port), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})]
"""A TCP port."""
Sentence = Annotated[str, AfterValidator(_sentence)]
"""A few words on one line: an owner, a ticket, a reason."""
LastDay = Annotated[dt.date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
"""A day: a quoted "YYYY-MM-DD", over or not."""
Expiry = Annotated[
    dt.date,
    BeforeValidator(_date),
    AfterValidator(_not_expired),
    WithJsonSchema({"type": "string", "format": "date"}),
]
"""The last day on which an entry holds: a quoted "YYYY-MM-DD", today or later."""


def _unique(items: tuple[Any, ...]) -> tuple[Any, ...]:
    seen: list[Any] = []
    for item in items:
        if item in seen:
            text = shown(item.model_dump(exclude_none=True) if isinstance(item, BaseModel) else item)
            raise wrong(f"{text} is there twice", "each once")
        seen.append(item)
    return items


class Answerable(Model):
    """Who answers for an entry, on what ticket, until when."""

    owner: Sentence
    """The team that answers for it."""
    ticket: Sentence
    """The request that was approved."""
    expires: Expiry
    """The last day on which it holds, in quotes: "2027-06-30"."""


class ServicePort(Model):
    """A port of a Service in the cluster, of which something is asked."""

    namespace: KubernetesLabel
    """The namespace of its Service."""
    service: KubernetesLabel
    """Its Service."""
    port: Port
    """The Service's port."""
    pod_port: Port | None = None
    """The port of its pods, where it is another; a NetworkPolicy opens it."""


Item = TypeVar("Item")
Items = Annotated[tuple[Item, ...], Field(min_length=1, strict=False), AfterValidator(_unique)]
"""A list of at least one, none twice."""
Entries = Annotated[dict[EntryName, Item], Field(min_length=1)]
"""A map of at least one entry, by its name."""
