"""Judges manifests as one stack, and finds the file and the line of what is wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cli.check.documents import Document
from cli.check.lines import Place, line_of, places_of
from cli.check.reading import read_documents
from cli.check.sources import Source, read_sources, shown_path, usage_report
from cli.errors import SettingsFileError
from cli.plain_data import is_map
from policy.readers.cloud.kinds import ANSWER
from policy.registry import judge
from policy.rule import AuditRule, Context, ObjectRef, Severity, Subject, Violation
from policy.scopes import NAMESPACED_KINDS
from policy.subjects import in_namespace, subjects_of

_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml"})


@dataclass(frozen=True, kw_only=True)
class Found:
    """A violation and where it stands."""

    violation: Violation
    file: str
    """As reports call it."""
    path: Path | None
    """Where the file is; None for standard input."""
    line: int
    """From 1."""
    folder: str = ""
    """The folder that was named, where all of it is meant: people read this, machines need a file."""

    @property
    def blocks(self) -> bool:
        """Whether it makes the command fail."""
        return self.violation.severity is Severity.BLOCK


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one invocation found."""

    files: int
    objects: int
    """Those that could be read; the items of lists and of answers, not these themselves."""
    found: tuple[Found, ...]
    """By file, in the order of the PATHs, then by line and rule."""

    @property
    def blocking(self) -> int:
        """How many violations block."""
        return sum(each.blocks for each in self.found)

    @property
    def warnings(self) -> int:
        """How many violations are only said."""
        return len(self.found) - self.blocking


@dataclass(frozen=True, kw_only=True, eq=False)
class _Origin:
    """Where a subject comes from."""

    source: Source
    document: Document
    item: str
    line: int | None = None
    """Where it is known without looking."""


@dataclass(kw_only=True)
class _Stack:
    """The subjects of all files, and where each comes from."""

    namespace: str | None
    subjects: list[Subject] = field(default_factory=list[Subject])
    origins: dict[str, _Origin] = field(default_factory=dict[str, _Origin])
    readable: int = 0

    def add(self, source: Source) -> int:
        """Add the objects of a file.

        Returns:
            How many there are, those that cannot be read counted.
        """
        before = len(self.subjects)
        for document in read_documents(source.content):
            name = f"{source.shown} (document {document.index + 1})"
            if document.refusals:
                self._add_unreadable(source, document, name)
                continue
            if _is_for_kustomize(source, document):
                continue
            for each in subjects_of(document.value, name):
                subject = self._placed(each)
                origin = f"{name} {subject.item}".rstrip()
                self.origins[origin] = _Origin(source=source, document=document, item=subject.item)
                self.subjects.append(subject if subject.item == "" else replace(subject, origin=origin))
                self.readable += subject.group_kind != ANSWER
        return len(self.subjects) - before

    def _placed(self, subject: Subject) -> Subject:
        if self.namespace is None or subject.group_kind not in NAMESPACED_KINDS:
            return subject
        return in_namespace(subject, self.namespace)

    def _add_unreadable(self, source: Source, document: Document, name: str) -> None:
        """One subject for each reason, so that each is told with its line."""
        ref = next((subject.ref for subject in subjects_of(document.value)), ObjectRef(kind=""))
        for number, refusal in enumerate(document.refusals):
            origin = f"{name} refusal {number + 1}"
            self.origins[origin] = _Origin(source=source, document=document, item="", line=refusal.line)
            self.subjects.append(
                Subject(group="", version="", ref=ref, whole=None, origin=origin, unreadable=refusal.why)
            )


def _is_for_kustomize(source: Source, document: Document) -> bool:
    """Whether this is what kustomize reads beside manifests, and no cluster ever does: it may leave out its kind."""
    name = "" if source.path is None else source.path.name
    return name in _KUSTOMIZATIONS and is_map(document.value) and "kind" not in document.value


def check(
    arguments: Iterable[str], context: Context, *, approvals: Path | None = None, namespace: str | None = None
) -> Report:
    """Judge everything that the PATHs hold as one stack.

    Args:
        arguments: the PATHs: files, folders, `-` for standard input.
        context: what is approved.
        approvals: the file that says so, to which violations by the approvals themselves belong.
        namespace: where objects go that live in a namespace and name none.

    Raises:
        SettingsFileError: a PATH cannot be used, or holds no object.
    """
    sources = read_sources(arguments)
    stack = _Stack(namespace=namespace)
    objects: dict[str, int] = {}
    for source in sources:
        objects[source.argument] = objects.get(source.argument, 0) + stack.add(source)
    empty = [f"{argument}: holds no object" for argument, count in objects.items() if count == 0]
    if empty:
        raise SettingsFileError(usage_report(empty))
    found = _located(judge(stack.subjects, context), stack.origins, sources, approvals)
    return Report(files=len(sources), objects=stack.readable, found=tuple(found))


def _located(
    violations: list[Violation], origins: dict[str, _Origin], sources: list[Source], approvals: Path | None
) -> Iterator[Found]:
    order = {source: number for number, source in enumerate(sources)}
    named: dict[Source, list[tuple[Violation, _Origin]]] = {source: [] for source in sources}
    for violation in violations:
        origin = origins.get(violation.origin)
        if origin is not None:
            named[origin.source].append((violation, origin))
    for source in sorted(named, key=order.__getitem__):
        yield from sorted(_in_source(source, named[source]), key=lambda each: (each.line, each.violation.rule.id))
    rest = [violation for violation in violations if violation.origin not in origins]
    yield from _in_no_source(rest, sources[0], approvals)


def _in_source(source: Source, violations: list[tuple[Violation, _Origin]]) -> Iterator[Found]:
    wanted = {origin.document.index: origin.document for _, origin in violations if origin.line is None}
    places: dict[int, Place] = {}
    if wanted:
        places = places_of(source.content.decode("utf-8-sig"), list(wanted.values()))
    for violation, origin in violations:
        place = places.get(origin.document.index)
        if origin.line is not None:
            line = origin.line
        elif place is None:
            line = origin.document.line
        else:
            line = line_of(place, ".".join(part for part in (origin.item, violation.path) if part != ""))
        yield Found(violation=violation, file=source.shown, path=source.path, line=line)


def _in_no_source(violations: list[Violation], first: Source, approvals: Path | None) -> Iterator[Found]:
    """What is wrong with the approvals stands there; what is wrong with the stack as a whole, at the first PATH."""
    named = None if first.path is None else Path(first.argument)
    folder = "" if named in (None, first.path) else shown_path(named)
    place: Place | None = None
    if approvals is not None and any(isinstance(each.rule, AuditRule) for each in violations):
        content = approvals.read_bytes()
        place = places_of(content.decode("utf-8-sig"), read_documents(content)).get(0)
    for violation in violations:
        if approvals is not None and isinstance(violation.rule, AuditRule):
            line = 1 if place is None else line_of(place, violation.path)
            yield Found(violation=violation, file=shown_path(approvals), path=approvals, line=line)
        else:
            yield Found(violation=violation, file=first.shown, path=first.path, line=1, folder=folder)
