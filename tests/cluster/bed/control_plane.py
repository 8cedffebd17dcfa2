"""Kubernetes itself: etcd, API server, controller manager, scheduler, kube-proxy, and kwok, which keeps nodes alive."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import trustme

from tests.cluster.bed import addresses
from tests.cluster.bed.kubectl import Kubectl
from tests.cluster.bed.processes import Process, start, wait_until
from tests.cluster.toolchains import module_file, tool

ADMIN: Final = "admin"
_USERS: Final = {
    ADMIN: ("bed-admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "kwok": ("bed-kwok", "system:masters"),
    "kubelet": ("bed-kubelet", "system:masters"),
}
"""Who has a token: name and group of each."""
_NODE_STAGES: Final = ("node/fast/node-initialize.yaml", "node/heartbeat/node-heartbeat.yaml")
_ETCD: Final = "http://127.0.0.1:2379"


@dataclass(kw_only=True)
class ControlPlane:
    """The processes of the control plane in one network namespace."""

    folder: Path
    namespace: str
    processes: dict[str, Process] = field(default_factory=dict[str, Process])

    def start(self) -> None:
        """Start everything, and wait until the API server answers."""
        self.folder.mkdir(parents=True)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        names = [addresses.API_SERVER, addresses.API_SERVICE, "127.0.0.1", "kubernetes.default.svc"]
        issued = authority.issue_cert(*names)
        issued.private_key_pem.write_to_path(self.folder / "server.key")
        self._write("server.pem", "".join(each.bytes().decode() for each in issued.cert_chain_pems))
        signing = authority.issue_cert("service-accounts.invalid")
        signing.private_key_pem.write_to_path(self.folder / "accounts.key")
        lines: list[str] = []
        for key, (user, group) in _USERS.items():
            token = secrets.token_hex(16)
            lines.append(f"{token},{user},{user}" + (f',"{group}"' if group else ""))
            self.write_kubeconfig(key, token)
        self._write("tokens.csv", "\n".join(lines) + "\n")
        self._start("etcd", f"--data-dir={self.folder / 'etcd-data'}", "--unsafe-no-fsync", "--log-level=warn")
        self._start("kube-apiserver", *self._api_server())
        wait_until(self.ready, "the API server", why_not=self.processes["kube-apiserver"].tail)
        for name, arguments in self._others().items():
            self._start(name, *arguments)

    def ready(self) -> bool:
        """Whether the API server answers."""
        done = self.kubectl(ADMIN).run("get", "--raw", "/readyz", "--request-timeout=2s", check=False)
        return done.returncode == 0 and done.stdout == "ok"

    def kubectl(self, user: str) -> Kubectl:
        """Kubectl as one of the users that have a kubeconfig here."""
        return Kubectl(program=tool("kubectl", build=False), kubeconfig=self.kubeconfig(user), namespace=self.namespace)

    def kubeconfig(self, user: str) -> Path:
        """A user's kubeconfig."""
        return self.folder / f"{user}.kubeconfig"

    def write_kubeconfig(self, user: str, token: str) -> None:
        """Let a user reach the API server with a token."""
        cluster = {"server": addresses.API_URL, "certificate-authority": str(self.folder / "ca.pem")}
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bed", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": user}}],
            "current-context": "bed",
        }
        self._write(f"{user}.kubeconfig", json.dumps(config))

    def restart(self, name: str, between: Callable[[], None] = lambda: None) -> None:
        """Kill one of the processes, do something without it, and start it again."""
        self.processes[name].kill()
        try:
            between()
        finally:
            self.processes[name] = self.processes[name].again()

    def _start(self, name: str, *arguments: str) -> None:
        log = self.folder / f"{name}.log"
        self.processes[name] = start(name, [tool(name, build=False), *arguments], namespace=self.namespace, log=log)

    def _api_server(self) -> tuple[str, ...]:
        key = self.folder / "accounts.key"
        return (
            f"--etcd-servers={_ETCD}",
            f"--advertise-address={addresses.API_SERVER}",
            f"--secure-port={addresses.API_PORT}",
            f"--tls-cert-file={self.folder / 'server.pem'}",
            f"--tls-private-key-file={self.folder / 'server.key'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={addresses.SERVICE_RANGE}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key}",
            f"--service-account-key-file={key}",
            "--allow-privileged=true",
        )

    def _others(self) -> dict[str, tuple[str, ...]]:
        stages = [f"--config={module_file('kwok', 'kustomize/stage') / stage}" for stage in _NODE_STAGES]
        return {
            "kube-controller-manager": (
                f"--kubeconfig={self.kubeconfig('controllers')}",
                f"--root-ca-file={self.folder / 'ca.pem'}",
                f"--service-account-private-key-file={self.folder / 'accounts.key'}",
                "--use-service-account-credentials=true",
                "--allocate-node-cidrs=true",
                f"--cluster-cidr={addresses.POD_RANGE}",
                "--leader-elect=false",
                # kwok's heartbeats come every 20 s; one that a busy machine delays must not empty every Service.
                "--node-monitor-grace-period=10m",
            ),
            "kube-scheduler": (f"--kubeconfig={self.kubeconfig('scheduler')}", "--leader-elect=false"),
            "kwok": (f"--kubeconfig={self.kubeconfig('kwok')}", "--manage-all-nodes=true", *stages),
            "kube-proxy": (
                f"--kubeconfig={self.kubeconfig('proxy')}",
                "--proxy-mode=iptables",
                f"--cluster-cidr={addresses.POD_RANGE}",
                "--conntrack-max-per-core=0",
                "--iptables-min-sync-period=100ms",
                "--hostname-override=worker-a",  # one for all nodes, which share a network
            ),
        }

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
