"""Runs `mutmut` from a clean start and says what survived: `python -m tests.mutation [PATTERN...]`.

A pattern selects mutants by their name, for example `policy.facts.*`. The diffs of all survivors go to
build/mutation/survivors.txt. Survivors that no test can kill, because the changed program does the same, are listed
with the reason in equivalent.yaml beside this file; any other one makes the exit code 1.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

_ROOT = Path(__file__).parents[2]
_MUTANTS = _ROOT / "mutants"
_REPORT = _ROOT / "build" / "mutation" / "survivors.txt"
_EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
_CAUGHT = ("killed", "timeout", "segfault", "caught by type check")
_NEVER_RUN = "not checked"


@dataclass(frozen=True, kw_only=True)
class Survivor:
    """A changed program that passed all tests."""

    name: str
    """What `mutmut show` calls it."""
    status: str
    file: str
    function: str
    diff: str

    @property
    def where(self) -> str:
        """The file and the function, as equivalent.yaml names them."""
        return f"{self.file} {self.function}"

    @property
    def change(self) -> str:
        """The change without its surroundings, as equivalent.yaml writes it: removed lines => added lines."""
        lines = [line for line in self.diff.splitlines() if not line.startswith(("---", "+++"))]
        removed, added = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
        return f"{removed} => {added}"


def main(patterns: list[str]) -> int:
    """Run, report, and say by the exit code whether a survivor is unexplained."""
    if _MUTANTS.exists():
        shutil.rmtree(_MUTANTS)  # mutmut would keep verdicts although fixtures changed
    done = subprocess.run([Path(sys.executable).with_name("mutmut"), "run", *patterns], cwd=_ROOT, check=False)
    if done.returncode != 0:
        return done.returncode
    counts = Counter(status for _, _, status in _verdicts())
    survivors = list(_survivors())
    equivalent: dict[str, dict[str, str]] = yaml.safe_load(_EQUIVALENT.read_text(encoding="utf-8"))
    unexplained = [found for found in survivors if found.change not in equivalent.get(found.where, {})]
    _REPORT.parent.mkdir(parents=True, exist_ok=True)
    _REPORT.write_text("\n".join(_told(found) for found in (*unexplained, *_others(survivors, unexplained))))
    caught, total = sum(counts[status] for status in _CAUGHT), counts.total() - counts[_NEVER_RUN]
    print(f"\n{caught} of {total} mutants caught ({caught / max(total, 1):.1%}); {len(survivors)} survived:")
    print(f"  {len(survivors) - len(unexplained)} do the same as the program, see {_EQUIVALENT.relative_to(_ROOT)}")
    print(f"  {len(unexplained)} do not, or nobody said why they do; diffs in {_REPORT.relative_to(_ROOT)}")
    for function, number in Counter(found.where for found in unexplained).most_common():
        print(f"    {number:3} {function}")
    return 1 if unexplained else 0


def _verdicts() -> Iterator[tuple[str, Path, str]]:
    """Each mutant: its name, its file, its status in the words of mutmut."""
    # Imported here: mutmut reads its configuration from the current folder as soon as it is imported.
    from mutmut.stats import status_by_exit_code

    for meta in sorted(_MUTANTS.rglob("*.py.meta")):
        for name, exit_code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            yield name, meta.with_suffix("").relative_to(_MUTANTS), status_by_exit_code[exit_code]


def _survivors() -> Iterator[Survivor]:
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    for name, file, status in _verdicts():
        if status not in (*_CAUGHT, _NEVER_RUN):
            mangled = name.rpartition(".")[2].rpartition("__mutmut_")[0]
            # mutmut calls a function x_name, and a method xǁClassǁname.
            function = ".".join(mangled.split("ǁ")[1:]) if "ǁ" in mangled else mangled.removeprefix("x_")
            diff = get_diff_for_mutant(name, path=file)
            yield Survivor(name=name, status=status, file=str(file), function=function, diff=diff)


def _others(every: list[Survivor], some: list[Survivor]) -> list[Survivor]:
    return [found for found in every if found not in some]


def _told(survivor: Survivor) -> str:
    head = f"{survivor.where} ({survivor.status}; mutmut show {survivor.name})"
    return f"{head}\n  {survivor.change}\n{survivor.diff}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
