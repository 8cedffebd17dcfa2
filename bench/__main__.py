"""What a thousand hosts cost, and what judging costs, as ratios within one run. `make bench` runs it.

Each case runs in a process of its own: the SDK keeps state, and peak memory is a process's.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.judging import judging
from cli.offline.preview import preview
from tests.projects import copy_project
from tests.scale.declarations import write_stack

CASES = ((1, 1), (100, 20), (1000, 20), (1000, 1), (5000, 20))


def main() -> None:
    """Print a table: hosts, groups, resources, and seconds and megabytes as ratios to the first case."""
    print("hosts  groups  resources  time  per-resource  memory   (ratios to the first row)")
    first: tuple[int, float, float] | None = None
    for hosts, groups in CASES:
        command = [sys.executable, "-m", "bench", str(hosts), str(groups)]
        words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
        resources, seconds, megabytes = int(words[0]), float(words[1]), float(words[2])
        first = first or (resources, seconds, megabytes)
        speed = seconds / first[1]
        each = (seconds / resources) / (first[1] / first[0])
        print(f"{hosts:5}  {groups:6}  {resources:9}  {speed:4.1f}  {each:12.2f}  {megabytes / first[2]:6.2f}")
    print()
    judging()


def case(hosts: int, groups: int) -> None:
    """Preview one generated declaration; print its resources, seconds and peak megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        write_stack(project, hosts=hosts, groups=groups)
        start = time.perf_counter()
        registered = preview(project, "dev").registrations
        seconds = time.perf_counter() - start
    print(len(registered), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        case(int(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
