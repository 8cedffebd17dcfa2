"""Probes and hooks of containers, by HTTP and TCP: whether they are ready, and what they do before they end."""

import socket
from typing import Final

import httpx

from tests.cluster.bed.agent.api import Object
from tests.cluster.bed.agent.containers import Container

_SECONDS: Final = 2.0


def is_ready(spec: Object, address: str) -> bool:
    """Whether a container answers its startup and readiness probes; one without any always does.

    Raises:
        ValueError: the agent does not know that kind of probe.
    """
    return all(_answers(spec, spec[probe], address) for probe in ("startupProbe", "readinessProbe") if probe in spec)


def before_stop(spec: Object, container: Container, address: str, seconds: float) -> None:
    """Run a container's `preStop` hook, if it has one, and wait for its end."""
    hook = spec.get("lifecycle", {}).get("preStop", {})
    if "exec" in hook:
        container.run(hook["exec"]["command"], seconds)
    if "httpGet" in hook:
        try:
            _get(spec, hook["httpGet"], address, seconds)
        except httpx.HTTPError:
            return


def _answers(spec: Object, probe: Object, address: str) -> bool:
    if "httpGet" in probe:
        try:
            return _get(spec, probe["httpGet"], address, _SECONDS).status_code < httpx.codes.BAD_REQUEST
        except httpx.HTTPError:
            return False
    if "tcpSocket" in probe:
        try:
            with socket.create_connection((address, _port(spec, probe["tcpSocket"]["port"])), timeout=_SECONDS):
                return True
        except OSError:
            return False
    raise ValueError(f"the agent does not know this kind of probe: {probe}")


def _get(spec: Object, request: Object, address: str, seconds: float) -> httpx.Response:
    scheme = request.get("scheme", "HTTP").lower()
    url = f"{scheme}://{request.get('host', address)}:{_port(spec, request['port'])}{request.get('path', '/')}"
    # As a kubelet: the pod's certificate is not looked at.
    return httpx.get(url, timeout=seconds, verify=False, trust_env=False)  # noqa: S501


def _port(spec: Object, port: int | str) -> int:
    if isinstance(port, int):
        return port
    return next(each["containerPort"] for each in spec.get("ports", []) if each.get("name") == port)
