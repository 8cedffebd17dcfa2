"""The real engine on a real cluster: up, nothing left to do, one more destination, an end half-way, destroy."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final

import pytest

from tests.cluster.bed.addons import CLIENTS
from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.network import inside
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Stack
from tests.cluster.conftest import say
from tests.cluster.one_more import declare, withdraw
from tests.projects import ROOT, engine_environment
from tests.support import dev_values, settings_of

pytestmark = pytest.mark.engine

ACCOUNTS: Final = {account for _, _, account in CLIENTS}
_ADDED: Final = 4
"""Objects that an added destination has of its own."""
_SECTION: Final = "What stays after a destroy"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`pulumi` in one project, inside a cluster's network."""

    cluster: Cluster
    stack: Stack
    environment: dict[str, str]
    before: frozenset[str]
    """What the cluster had before the first `up`."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pulumi` with these arguments."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.stack.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def command(self, *arguments: str) -> list[str]:
        """The command, as it is run."""
        return [
            *inside(self.cluster.network.nodes),
            "pulumi",
            *arguments,
            "--stack",
            self.stack.name,
            "--non-interactive",
        ]

    def up(self, *arguments: str) -> None:
        """Run `pulumi up` with the policy pack."""
        done = self.run("up", "--yes", "--skip-preview", "--policy-pack", "policy", *arguments)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

    def shell(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands as a person would type them, up to the first that fails."""
        return subprocess.run(
            [*inside(self.cluster.network.nodes), "bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)],
            cwd=self.stack.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def changes(self) -> dict[str, str]:
        """What a preview would do: operation by URN, of all that do not stay the same."""
        done = self.run("preview", "--policy-pack", "policy", "--json")
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return {step["urn"]: step["op"] for step in json.loads(done.stdout)["steps"] if step["op"] != "same"}


@pytest.fixture(scope="module")
def engine(bed_allowed: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[Engine]:
    """A cluster of its own, and the engine with the stack `dev`."""
    for program in ("pulumi", "pulumi-resource-kubernetes"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH (`make engine` gets the CLI, and the CLI its provider)")
    with ExitStack() as exits:
        cluster = exits.enter_context(running(settings_of(dev_values()), say, name="up"))
        folder = tmp_path_factory.mktemp("engine")
        environment = engine_environment(folder) | cluster.environment | {"EGRESS_TODAY": os.environ["EGRESS_TODAY"]}
        made = Engine(cluster=cluster, stack=cluster.stack("dev"), environment=environment, before=_held(cluster))
        assert (done := made.run("stack", "init")).returncode == 0, done.stderr
        yield made


@pytest.fixture(scope="module")
def up(engine: Engine) -> Engine:
    """The stack is up, and pods ask."""
    engine.up()
    engine.cluster.add_clients()
    return engine


@pytest.fixture(scope="module")
def grown(up: Engine) -> tuple[Engine, dict[str, str]]:
    """One destination more is up as well; with what the preview said of it."""
    declare(up.stack)
    changes = up.changes()
    up.up()
    return up, changes


@pytest.mark.proves("engine", "`pulumi up` of dev; a second preview is empty")
def test_up_and_then_nothing_to_do(up: Engine) -> None:
    """Guards against objects that the engine, the provider and the cluster write in turns."""
    engine = up
    assert engine.changes() == {}
    reader = engine.cluster.client("news", "reader")
    wait_until(lambda: reader.curl("http://edition.cnn.com/").outcome == "200", "traffic")


@pytest.mark.proves("engine", "one destination more changes only its own objects")
def test_one_destination_more_changes_only_its_own_objects(grown: tuple[Engine, dict[str, str]]) -> None:
    """Guards against an update that touches, or replaces, what other teams depend on."""
    engine, changes = grown
    assert set(changes.values()) <= {"create", "update"}
    created = {urn.rpartition("::")[2] for urn, operation in changes.items() if operation == "create"}
    assert created
    assert all(name.startswith("egress-news-") for name in created)
    assert {urn.rpartition("::")[2] for urn, operation in changes.items() if operation == "update"} == {
        "egress-news.egress-gateway",  # how the namespace's sidecars talk to the gateway, one entry more
        "egress-gateway",  # the release: a port that it did not have
        "gateways-istio-egress-egress-gateway",  # the NetworkPolicy: the same port
    }
    assert engine.changes() == {}
    other = engine.cluster.client("news", "other")
    wait_until(lambda: other.curl("https://api.example.org/").outcome == "200", "traffic to the added host")
    assert engine.cluster.client("news", "reader").curl("https://api.example.org/").exit_code != 0


@pytest.mark.proves("engine", "an `up` that is killed half-way is finished by the documented commands")
def test_a_killed_up_is_finished_by_the_next(grown: tuple[Engine, dict[str, str]]) -> None:
    """Guards against a state that nobody can get out of."""
    engine, _ = grown
    withdraw(engine.stack)
    with subprocess.Popen(
        engine.command("up", "--yes", "--skip-preview", "--policy-pack", "policy"),
        cwd=engine.stack.project,
        env=engine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as killed:
        wait_until(lambda: len(_added(engine)) < _ADDED, "the first deletion")
        os.killpg(killed.pid, signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL, "it was over already"
    done = engine.shell(*_documented("After an interrupted up"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert engine.changes() == {}


@pytest.mark.proves("engine", "`pulumi destroy` leaves exactly what is documented", kinds=("Namespace",))
def test_destroy_leaves_what_is_documented(up: Engine) -> None:
    """Guards against leftovers that nobody knows of, and documentation that removes too little."""
    engine = up
    for namespace, name, _ in CLIENTS:
        engine.cluster.kubectl.run("delete", "pod", name, "-n", namespace, "--wait=false")
    before = engine.before | _held(engine.cluster, "configmaps,serviceaccounts", "outside-ca", *ACCOUNTS)
    done = engine.run("destroy", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    left = _held(engine.cluster) - before
    listed = _section(_SECTION).partition("```text\n")[2].partition("```")[0].splitlines()
    assert [each for each in left if not any(fnmatch(each, line) for line in listed)] == []
    assert [line for line in listed if not any(fnmatch(each, line) for each in left)] == []
    done = engine.shell(*_documented(_SECTION))
    assert done.returncode == 0, done.stdout + done.stderr
    assert _held(engine.cluster) - before == frozenset()


def _section(title: str) -> str:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _documented(title: str) -> list[str]:
    """The commands of a section of docs/deploying.md."""
    return [line.removeprefix("$ ") for line in _section(title).splitlines() if line.startswith("$ ")]


def _held(cluster: Cluster, kinds: str | None = None, *names: str) -> frozenset[str]:
    """What a cluster has, as `Kind namespace/name`, without what Kubernetes itself makes and removes at will.

    Args:
        cluster: the cluster.
        kinds: only of these kinds.
        names: only of these names.
    """
    if kinds is None:
        listed = cluster.kubectl.run("api-resources", "--verbs=list,get", "--output=name").stdout.split()
        passing = ("apiservices", "componentstatuses", "endpoint", "events", "leases", "nodes", "pods", "replicasets")
        kinds = ",".join(kind for kind in listed if not kind.startswith(passing))
    metadata = [(item["kind"], item["metadata"]) for item in cluster.kubectl.list(kinds)]
    return frozenset(
        f"{kind} {'/'.join(each[key] for key in ('namespace', 'name') if key in each)}"
        for kind, each in metadata
        if not names or each["name"] in names
    )


def _added(engine: Engine) -> list[str]:
    """What the cluster has of the added destination."""
    kinds = "gateways.networking.istio.io,virtualservices,serviceentries,authorizationpolicies"
    names = [item["metadata"]["name"] for item in engine.cluster.kubectl.list(kinds, "istio-egress")]
    return [name for name in names if name.startswith("news-") and not name.startswith("news-shop")]
