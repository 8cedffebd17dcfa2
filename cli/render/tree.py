"""A preview for people: the tree of resources, counts, what the policy pack says, and the outputs.

Colours in a terminal; the same lines without any where the output is piped, so that it can be compared and searched.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from cli.offline.analyzer import Violation
from cli.offline.preview import Preview
from cli.offline.records import Registration
from cli.render.manifests import ManifestFile, left_out
from cli.render.yaml_text import to_yaml


def print_preview(preview: Preview, manifests: tuple[ManifestFile, ...] = ()) -> None:
    """Print on standard output."""
    lines = preview_lines(preview, manifests)
    if not sys.stdout.isatty():
        sys.stdout.write("".join(f"{line.plain}\n" for line in lines))
        return
    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)


def preview_lines(preview: Preview, manifests: tuple[ManifestFile, ...] = ()) -> list[Text]:
    """The preview line by line, with styles."""
    total = sum(preview.counts.values())
    lines = [Text.assemble((f"{preview.project}, stack {preview.stack}", "bold"), f": {total} resources"), Text()]
    lines += _tree(preview.registrations)
    lines += [Text(), Text("Counts", "bold")]
    width = len(str(max(preview.counts.values(), default=0)))
    lines += [Text(f"  {count:>{width}}  {type_}") for type_, count in preview.counts.items()]
    lines += [Text(), *_policy(preview)]
    lines += [Text(), Text("Outputs", "bold")]
    lines += _indented(to_yaml(dict(preview.outputs)) if preview.outputs else "none")
    if preview.messages:
        lines += [Text(), Text("Messages", "bold")]
        lines += [Text(f"  {message.severity}: {message.text}") for message in preview.messages]
    if manifests:
        lines += [Text(), *_manifests(preview, manifests)]
    return lines


def _tree(registrations: tuple[Registration, ...]) -> Iterator[Text]:
    """Every resource below its parent, in the order of registration."""
    known = {registration.urn for registration in registrations}
    children: defaultdict[str | None, list[Registration]] = defaultdict(list)
    for registration in registrations:
        children[registration.parent if registration.parent in known else None].append(registration)

    def below(parent: str | None, indent: str) -> Iterator[Text]:
        siblings = children[parent]
        for index, registration in enumerate(siblings):
            last = index == len(siblings) - 1
            branch = "└─ " if last else "├─ "
            yield Text.assemble(
                (indent + branch, "dim"),
                (registration.name, "" if registration.custom else "bold"),
                "  ",
                (registration.type, "cyan"),
                ("  protected", "yellow") if registration.protect else "",
            )
            yield from below(registration.urn, indent + ("   " if last else "│  "))

    roots = children[None]
    for root in roots:
        if root.is_stack:
            yield from below(root.urn, "")


def _policy(preview: Preview) -> Iterator[Text]:
    policy = preview.policy
    if policy is None:
        yield Text.assemble(("Policy", "bold"), ": no pack was asked")
        return
    blocking = [violation for violation in policy.violations if violation.blocking]
    advisory = [violation for violation in policy.violations if not violation.blocking]
    result = f"{len(blocking)} blocking, {len(advisory)} advisory" if policy.violations else "no violations"
    asked = f" ({len(policy.policies)} policies asked)"
    style = "red" if blocking else ("yellow" if advisory else "green")
    yield Text.assemble(("Policy", "bold"), f" {policy.pack} {policy.version}: ", (result, style), asked)
    for violation in (*blocking, *advisory):
        yield from _violation(violation)


def _violation(violation: Violation) -> Iterator[Text]:
    word, style = ("blocking", "bold red") if violation.blocking else ("advisory", "yellow")
    severity = f" ({violation.severity})" if violation.severity else ""
    yield Text.assemble("  ", (word, style), f"  {violation.policy}{severity}")
    yield Text.assemble("    ", (violation.urn, "dim"))
    yield from _indented(violation.message, "    ")


def _manifests(preview: Preview, manifests: tuple[ManifestFile, ...]) -> Iterator[Text]:
    yield Text.assemble(("Manifests", "bold"), f": {len(manifests)} written, in this order")
    for file in manifests:
        marks = [f"`{path}` is a secret, not written" for path in file.secrets]
        marks += [f"`{path}` is not known yet" for path in file.unknowns]
        yield Text.assemble(f"  {file.name}", ("  " + "; ".join(marks), "yellow") if marks else "")
    missing = sum(left_out(preview).values())
    if missing:
        yield Text(f"  without {missing} resources that only `pulumi up` creates, before these (README.md)", "yellow")


def _indented(text: str, indent: str = "  ") -> list[Text]:
    return [Text(f"{indent}{line}") for line in text.splitlines()]
