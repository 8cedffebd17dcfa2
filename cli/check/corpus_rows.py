"""Reads the rows of a labelled corpus. What is not understood is an error, never ignored."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.check.json_reader import JsonRefusedError, refuse_constant, unique_pairs
from cli.check.scalars import whole_number
from cli.check.sources import shown_path
from cli.check.wording import printable
from cli.errors import SettingsFileError
from cli.plain_data import is_list, is_map
from components.settings.clock import today
from policy.facts.addresses import parse_network
from policy.rule import ClusterRange, Context, Grants, PrivateRange

_CLUSTER_RANGES: Final = {
    "podCidrs": "pods",
    "serviceCidrs": "Services",
    "nodeCidrs": "nodes",
    "apiServerAddresses": "the API server",
}
_TEXTS: Final = {
    *_CLUSTER_RANGES,
    "approvedPrivateCidrs",
    "approvedFqdnSuffixes",
    "approvedUnixSockets",
    "approvedDynamicResolvers",
    "namespaces",
    "trustedSubjects",
}
_CONTEXT_KEYS: Final = _TEXTS | {"clusterDomain", "backendApiApproved", "relatedObjects"}
_ROW_KEYS: Final = {"id", "object", "context", "verdict", "rule", "why", "source", "severity"}
_VERDICTS: Final = {"deny", "allow"}
_SEVERITIES: Final = {"block", "warn", "none"}
_FEWEST_LABELS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """One labelled object."""

    id: str
    object: Any
    related: tuple[Any, ...]
    """The other objects of its stack."""
    context: Context
    deny: bool
    """Whether it should be denied."""
    must_be_reported: bool
    """Whether it should be allowed, with a warning."""


def read_rows(file: Path) -> list[Row]:
    """The rows of a corpus; empty lines are left out.

    Raises:
        SettingsFileError: the file cannot be read, is empty or holds malformed rows; all of them at once.
    """
    shown = shown_path(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsFileError(f"{shown}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsFileError(f"{shown}: is not UTF-8") from error
    rows: list[Row] = []
    problems: list[str] = []
    # Only a line feed ends a row: JSON text may hold other characters that Python takes for line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() == "":
            continue
        try:
            rows.append(_row(line))
        except _RowError as error:
            problems.append(f"  {shown}:{number}: {error}")
    if not rows and not problems:
        problems.append(f"  {shown}: holds no row")
    if problems:
        raise SettingsFileError("\n".join(["Nothing was judged:", *problems]))
    return rows


class _RowError(Exception):
    """A row that cannot be used; the text says why."""


def _row(line: str) -> Row:
    row = _parsed(line)
    problems = [*_row_problems(row)]
    context = row.get("context", {})
    problems += _context_problems(context) if is_map(context) else ["`context` is no object"]
    if problems:
        raise _RowError("; ".join(problems))
    return Row(
        id=printable(row["id"]),
        object=row["object"],
        related=tuple(context.get("relatedObjects", ())),
        context=_context(context),
        deny=row["verdict"] == "deny",
        must_be_reported=row["verdict"] == "allow" and row.get("severity") == "warn",
    )


def _parsed(line: str) -> dict[str, Any]:
    try:
        # Numbers of any size: rules must have an answer to them.
        row = json.loads(
            line,
            object_pairs_hook=unique_pairs,
            parse_float=lambda text: whole_number(float(text)),
            parse_constant=refuse_constant,
        )
    except JsonRefusedError as error:
        raise _RowError(f"holds {error}") from error
    except (ValueError, RecursionError) as error:
        raise _RowError("is not JSON") from error
    if not is_map(row):
        raise _RowError("is no JSON object")
    return row


def _row_problems(row: dict[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(row, _ROW_KEYS, "")
    if not isinstance(row.get("id"), str) or row["id"] == "":
        yield "`id` is missing, or no text"
    if "object" not in row:
        yield "`object` is missing"
    if not _is_one_of(row.get("verdict"), _VERDICTS):
        yield "`verdict` is neither `deny` nor `allow`"
    if "severity" in row and not _is_one_of(row["severity"], _SEVERITIES):
        yield "`severity` is not `block`, `warn` or `none`"


def _context_problems(context: dict[str, Any]) -> Iterator[str]:
    yield from _unknown_keys(context, _CONTEXT_KEYS, "context.")
    for key in sorted(_TEXTS & context.keys()):
        if not _is_texts(context[key]):
            yield f"`context.{key}` is no list of texts"
        elif key in _CLUSTER_RANGES:
            yield from (f"`context.{key}`: {error}" for error in _unparsable(context[key]))
    if not isinstance(context.get("clusterDomain", ""), str):
        yield "`context.clusterDomain` is no text"
    if not isinstance(context.get("backendApiApproved", False), bool):
        yield "`context.backendApiApproved` is neither true nor false"
    if not is_list(context.get("relatedObjects", [])):
        yield "`context.relatedObjects` is no list"


def _unknown_keys(values: dict[str, Any], known: Iterable[str], where: str) -> Iterator[str]:
    for key in sorted(values.keys() - set(known)):
        yield f"unknown key `{where}{printable(key)}`"


def _is_one_of(value: object, known: set[str]) -> bool:
    return isinstance(value, str) and value in known


def _is_texts(value: Any) -> bool:
    return is_list(value) and all(isinstance(item, str) for item in value)


def _unparsable(cidrs: list[str]) -> Iterator[str]:
    for cidr in cidrs:
        try:
            parse_network(cidr)
        except ValueError as error:
            yield printable(f"{error}")


def _context(context: dict[str, Any]) -> Context:
    return Context(
        today=today(),
        namespaces=frozenset(context.get("namespaces", ())),
        grants=Grants(
            cluster_domain=context.get("clusterDomain", "cluster.local"),
            cluster_ranges=tuple(
                ClusterRange(network=parse_network(cidr), what=what)
                for key, what in _CLUSTER_RANGES.items()
                for cidr in context.get(key, ())
            ),
            private_ranges=tuple(_private_ranges(context.get("approvedPrivateCidrs", ()))),
            private_names=frozenset(
                suffix
                for suffix in context.get("approvedFqdnSuffixes", ())
                if len([label for label in suffix.split(".") if label != ""]) >= _FEWEST_LABELS
            ),
            unix_sockets=frozenset(context.get("approvedUnixSockets", ())),
            dynamic_resolvers=frozenset(context.get("approvedDynamicResolvers", ())),
            platform_subjects=frozenset(context.get("trustedSubjects", ())),
            backend_api=context.get("backendApiApproved", False),
        ),
    )


def _private_ranges(cidrs: Iterable[str]) -> Iterator[PrivateRange]:
    for cidr in cidrs:
        try:
            yield PrivateRange(network=parse_network(cidr))
        except ValueError:
            continue  # what cannot be read approves nothing
