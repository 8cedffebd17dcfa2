"""Writes docs/reference/proofs.md from the tests' own `proves` marks: `python -m tests.cluster.proofs`.

`proves(layer, what, kinds=())`: a test with this mark runs the real programs. `kinds` are those, as
`Kind.group`, whose effect it shows.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.offline.preview import preview
from tests.golden.render import STACKS
from tests.projects import ROOT

_HERE: Final = Path(__file__).parent
_ALIBABA: Final = ROOT / "tests" / "engine" / "alibaba"
PAGE: Final = ROOT / "docs" / "reference" / "proofs.md"
_INTRODUCTION: Final = """\
# What is proven, and by what

Written by `make generate` from the marks of the tests in `tests/cluster/`: they run the real API server, scheduler,
istiod, Envoy Gateway, Envoy and, where it is on PATH, the Pulumi engine, in [the test bed](../test-bed.md). `make
test-cluster` runs them.

"""
_STAND_IN: Final = """\

## On a stand-in of the cloud

No account of Alibaba Cloud is there. What follows is done by the real engine and the real provider for Alibaba Cloud,
with the stack `prod`; what answers is our own stand-in of the APIs (`tests/engine/alibaba`), which refuses what their
pages say that they refuse. It proves no more than that program and provider do so where the pages are right. Without
engine and provider on PATH, as in CI, these tests are skipped, and say so.

| layer | what | test |
| --- | --- | --- |
"""
_PINNED: Final = """\

## Only by a golden or a unit test

| layer | what | why not for real | test |
| --- | --- | --- | --- |
"""
_NOWHERE: Final = (
    ("mesh", "Istio's own filters: metrics, metadata exchange, ALPN", "Envoy's own release has none of them", "-"),
    (
        "network",
        "policies enforced by a network plugin",
        "none runs here; cyclonus evaluates them",
        "`network_policies`",
    ),
)
_KINDS: Final = """\

## Kinds of objects

Every object of every stack is also pinned whole by a golden, and those of `dev` and `staging` are accepted by the real
API server and their controllers; `prod` is previewed by the real engine, with the real provider of its cloud.
That says what was meant, and that it is well-formed; the third column says where its effect was seen.

| kind | in stacks | effect seen by |
| --- | --- | --- |
"""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One test, and what it proves."""

    layer: str
    what: str
    kinds: tuple[str, ...]
    test: str


def proofs() -> list[Proof]:
    """Everything that the cluster tests prove, those of its folders too, in the order of the files."""
    return [proof for path in sorted(_HERE.rglob("test_*.py")) for proof in _of(path, _HERE)]


def on_stand_in() -> list[Proof]:
    """What the real provider shows on a stand-in of its cloud."""
    return [proof for path in sorted(_ALIBABA.glob("test_*.py")) for proof in _of(path, _ALIBABA)]


def registered() -> dict[str, list[str]]:
    """The kinds that the stacks register, as `Kind.group`, with the stacks."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for stack in STACKS:
        for registration in preview(ROOT, stack, with_policy=False).registrations:
            package, _, rest = registration.type.partition(":")
            module, _, kind = rest.partition(":")
            if package == "kubernetes":
                group = module.rpartition("/")[0]
                found[kind if group in {"", "core"} else f"{kind}.{group}"].add(stack)
    return {kind: sorted(stacks) for kind, stacks in sorted(found.items())}


def page() -> str:
    """The page, whole."""
    known = proofs()
    tables = (_statements(known), _STAND_IN, _rows(on_stand_in()), _PINNED, _pinned(), _KINDS, _kinds(known))
    return _INTRODUCTION + "".join(tables)


def _statements(known: list[Proof]) -> str:
    return "| layer | with real programs | test |\n| --- | --- | --- |\n" + _rows(known)


def _rows(known: list[Proof]) -> str:
    tests: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for proof in known:
        tests[proof.layer, proof.what].append(proof.test)
    return "".join(f"| {layer} | {what} | {', '.join(named)} |\n" for (layer, what), named in sorted(tests.items()))


def _kinds(known: list[Proof]) -> str:
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for proof in known:
        for kind in proof.kinds:
            shown[kind].append(proof.test)
    kinds = registered()
    if unknown := sorted(set(shown) - set(kinds)):
        raise ValueError(f"tests show the effect of kinds that no stack registers: {', '.join(unknown)}")
    return "".join(
        f"| {kind} | {', '.join(stacks)} | {', '.join(shown[kind]) or '**nothing: only by a golden**'} |\n"
        for kind, stacks in kinds.items()
    )


def _pinned() -> str:
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    rows = [(*map(ast.literal_eval, mark.args), test) for path in tests for mark, test in _marks(path, "pinned")]
    return "".join(f"| {' | '.join(row)} |\n" for row in sorted([*rows, *_NOWHERE]))


def _of(path: Path, below: Path) -> Iterator[Proof]:
    for mark, test in _marks(path, "proves"):
        layer, what = map(ast.literal_eval, mark.args)
        kinds = next((ast.literal_eval(each.value) for each in mark.keywords if each.arg == "kinds"), ())
        folder = "".join(f"{part}/" for part in path.parent.relative_to(below).parts)
        yield Proof(layer=layer, what=what, kinds=kinds, test=test.replace("`", f"`{folder}", 1))


def _marks(path: Path, name: str) -> Iterator[tuple[ast.Call, str]]:
    """Each mark of that name in a file, and its test in words."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{name}":
                assert isinstance(node, ast.FunctionDef)
                words = node.name.removeprefix("test_").replace("_", " ")
                yield mark, f"`{path.stem.removeprefix('test_')}`: {words}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
