"""Breaks the stack's objects on purpose, one way at a time, and sees whether a cluster test turns red.

`python -m tests.cluster.sabotage [NAME...]` starts a cluster for each way: minutes each, too long for CI. It fails if
one stays unnoticed. The tests themselves read the way from the environment variable `EGRESS_SABOTAGE`.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

VARIABLE: Final = "EGRESS_SABOTAGE"
Change = Callable[[Any], object]


def sabotage(folder: Path) -> None:
    """Break the manifests in a folder, if the environment says how."""
    name = os.environ.get(VARIABLE, "")
    if name == "":
        return
    pattern, change = WAYS[name]
    paths = sorted(folder.glob(pattern))
    assert paths, f"{name}: there is no {pattern}"
    for path in paths:
        if change is None:
            _remove(folder, path)
        else:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
            change(values)
            path.write_text(yaml.safe_dump(values), encoding="utf-8")


def _remove(folder: Path, path: Path) -> None:
    path.unlink()
    readme = folder / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines(keepends=True)
    readme.write_text("".join(line for line in lines if path.name not in line), encoding="utf-8")


def _set(path: str, value: Any) -> Change:
    """A change that writes a value at a path of keys and indexes."""

    def change(values: Any) -> None:
        *above, last = [int(key) if key.isdecimal() else key for key in path.split("/")]
        for key in above:
            values = values[key]
        values[last] = value

    return change


_OPTIONS: Final = ("--maxfail=1", "-q", "--tb=no", "-p", "no:cacheprovider", "--deselect=tests/cluster/test_up.py")
_PLACED: Final = "spec/provider/kubernetes/envoyDeployment/pod"
WAYS: Final[dict[str, tuple[str, Change | None]]] = {
    "no-toleration": ("*-release-istio-egress-*/values.yaml", _set("tolerations", [])),
    "no-node-selector": ("*-release-istio-egress-*/values.yaml", _set("nodeSelector", {})),
    "proxies-without-node-selector": ("*-envoyproxy-*.yaml", _set(f"{_PLACED}/nodeSelector", {})),
    "no-spread": ("*-release-istio-egress-*/values.yaml", _set("topologySpreadConstraints", [])),
    "spread-of-nobody": (
        "*-release-istio-egress-*/values.yaml",
        _set("topologySpreadConstraints/0/labelSelector/matchLabels/app", "egress"),
    ),
    "no-disruption-budget": ("*-release-istio-egress-*/values.yaml", _set("podDisruptionBudget", {})),
    "pods-that-cut-connections": ("*-release-istio-egress-*/values.yaml", _set("env", {})),
    "gateway-known-to-everybody": ("*-release-istio-egress-*/values.yaml", _set("service/annotations", {})),
    "no-authorization": ("*-authorizationpolicy-istio-egress-news*.yaml", None),
    "no-default-deny": ("*-authorizationpolicy-istio-egress-default-deny.yaml", None),
    "authorization-for-anyone": (
        "*-authorizationpolicy-istio-egress-news*.yaml",
        lambda values: [rule.pop("from") for rule in values["spec"]["rules"]],
    ),
    "swapped-port-of-a-service-entry": ("*-serviceentry-istio-egress-*.yaml", _set("spec/ports/0/number", 8080)),
    "swapped-port-of-a-backend": ("*-backend-*-n9e.yaml", _set("spec/endpoints/0/ip/port", 17001)),
    "swapped-lane": ("*-gateway-istio-egress-*.yaml", _set("spec/servers/1/port/number", 20031)),
    "wrong-selector-of-a-gateway": ("*-gateway-istio-egress-*.yaml", _set("spec/selector/istio", "ingressgateway")),
    "wrong-selector-of-a-policy": (
        "*-networkpolicy-istio-egress-*.yaml",
        _set("spec/podSelector/matchLabels/app", "egress"),
    ),
    "clients-not-locked-down": ("*-networkpolicy-news-*.yaml", None),
    "client-namespace-outside-the-mesh": (
        "*-namespace-patch-news.yaml",
        _set("metadata/labels/istio-injection", "disabled"),
    ),
    "sidecars-let-anything-pass": ("*-sidecar-news-*.yaml", _set("spec/outboundTrafficPolicy/mode", "ALLOW_ANY")),
    "no-log-of-what-is-refused": ("*-telemetry-istio-system-*.yaml", None),
    "admission-not-in-force": ("*-validatingadmissionpolicybinding-cluster-egress-destinations.yaml", None),
    "a-route-for-every-name": ("*-httproute-*-n9e.yaml", lambda values: values["spec"].pop("hostnames")),
    "no-mutual-tls": ("*-destinationrule-news-*.yaml", _set("spec/subsets/0/trafficPolicy/tls/mode", "SIMPLE")),
}
"""Which files are broken, and how; `None` takes the object away."""


def main(names: list[str]) -> int:
    """Run the cluster tests once for each way, until the first that fails."""
    unnoticed: list[str] = []
    for name in ("", *(names or WAYS)):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/cluster", "--cluster", *_OPTIONS],
            env=os.environ | {VARIABLE: name},
            capture_output=True,
            text=True,
            check=False,
        )
        red = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if name == "":
            if done.returncode != 0:
                print(f"the tests fail although nothing is broken:\n{done.stdout}")
                return 1
            continue
        if not red:
            unnoticed.append(name)
        print(f"{name}: {red[0] if red else 'NOT NOTICED'}", flush=True)
    print(f"{len(unnoticed)} of {len(names or WAYS)} ways unnoticed {unnoticed or ''}")
    return len(unnoticed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
