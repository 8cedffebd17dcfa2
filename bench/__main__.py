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
from tests.scale.declarations import write_on_cloud, write_stack

CASES = ((1, 1), (100, 20), (1000, 20), (1000, 1), (5000, 20))
ON_CLOUD = (0, 100, 1000)
"""Hosts beside those of the stack `prod`."""


def main() -> None:
    """Print a table: hosts, groups, resources, and seconds and megabytes as ratios to the first case."""
    print("hosts  groups  resources  time  per-resource  memory   (ratios to the first row)")
    first: tuple[float, float, float] | None = None
    for hosts, groups in CASES:
        resources, seconds, megabytes = _measured(f"{hosts}", f"{groups}")
        first = first or (resources, seconds, megabytes)
        speed = seconds / first[1]
        each = (seconds / resources) / (first[1] / first[0])
        print(f"{hosts:5}  {groups:6}  {resources:9.0f}  {speed:4.1f}  {each:12.2f}  {megabytes / first[2]:6.2f}")
    print()
    print("prod: further hosts  resources  of the cloud  policies  time  memory   (ratios to the first row)")
    base: tuple[float, float] | None = None
    for hosts in ON_CLOUD:
        resources, on_cloud, policies, seconds, megabytes = _measured(f"{hosts}")
        base = base or (seconds, megabytes)
        ratios = f"{seconds / base[0]:4.1f}  {megabytes / base[1]:6.2f}"
        print(f"{hosts:19}  {resources:9.0f}  {on_cloud:12.0f}  {policies:8.0f}  {ratios}")
    print()
    judging()


def _measured(*arguments: str) -> list[float]:
    """What a process of its own says."""
    command = [sys.executable, "-m", "bench", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return [float(word) for word in said.split()]


def on_cloud(hosts: int) -> None:
    """Preview `prod` with further hosts; print its resources, those of the cloud, its policies, seconds, megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        write_on_cloud(project, hosts=hosts)
        start = time.perf_counter()
        types = [each.type for each in preview(project, "prod").registrations]
        seconds = time.perf_counter() - start
    of_cloud = [each for each in types if each.startswith("alicloud:")]
    policies = [each for each in of_cloud if each.endswith(":NatFirewallControlPolicy")]
    print(len(types), len(of_cloud), len(policies), seconds, _megabytes())


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def case(hosts: int, groups: int) -> None:
    """Preview one generated declaration; print its resources, seconds and peak megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        write_stack(project, hosts=hosts, groups=groups)
        start = time.perf_counter()
        registered = preview(project, "dev").registrations
        seconds = time.perf_counter() - start
    print(len(registered), seconds, _megabytes())


if __name__ == "__main__":
    match [int(word) for word in sys.argv[1:]]:
        case [hosts, groups]:
            case(hosts, groups)
        case [hosts]:
            on_cloud(hosts)
        case _:
            main()
