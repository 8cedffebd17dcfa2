"""Hosts outside the cluster: each a network namespace with public addresses, real servers, and a name in DNS."""

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import trustme

from tests.cluster.bed import openid_provider
from tests.cluster.bed.network import Network
from tests.cluster.bed.processes import Process, start

_SERVER: Final = "tests.cluster.bed.outside_server"


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host outside."""

    name: str
    names: tuple[str, ...]
    """Its names in DNS; none for a host that is reached by address only."""
    addresses: tuple[str, ...]
    listeners: tuple[str, ...]
    """Protocol and port of each, as `https:443`; `mutual` is https with a certificate of `CLIENT`."""
    certified: tuple[str, ...] | None = None
    """The names in its certificate, where they are not its own."""
    private: bool = False
    """Whether its certificate is of an authority that nobody trusts by default."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate with what leads up to its authority, and its key, as PEM."""

    chain: str
    key: str


HOSTS: Final = (
    Host(name="cnn", names=("edition.cnn.com",), addresses=("151.101.1.67",), listeners=("http:80", "https:443")),
    Host(name="httpbin", names=("httpbin.org",), addresses=("44.192.1.9",), listeners=("http:80", "https:443")),
    Host(
        name="undeclared",
        names=("undeclared.example.com",),
        addresses=("54.1.2.3",),
        listeners=("http:80", "https:443", "tcp:5432", "grpc:50051"),
    ),
    Host(name="n9e1", names=(), addresses=("172.139.20.181",), listeners=("http:17000",)),
    Host(name="n9e2", names=(), addresses=("172.139.20.183",), listeners=("http:17000",)),
    Host(
        name="api",
        names=("api.example.org",),
        addresses=("54.1.2.4",),
        listeners=("http:80", "https:443", "grpc:50051", "tcp:5432"),
    ),
    Host(name="secure", names=("secure.example.net",), addresses=("54.1.3.1",), listeners=("https:443", "http:80")),
    Host(name="spare", names=("spare.example.net",), addresses=("54.1.3.2",), listeners=("https:443",)),
    Host(
        name="impostor",
        names=("impostor.example.net",),
        addresses=("54.1.3.3",),
        listeners=("https:443",),
        certified=("somebody-else.example.net",),
    ),
    Host(name="mutual", names=("mutual.example.net",), addresses=("54.1.3.4",), listeners=("mutual:443",)),
    Host(name="db1", names=("db1.example.net",), addresses=("54.1.3.5",), listeners=("tcp:5432",)),
    Host(name="db2", names=("db2.example.net",), addresses=("54.1.3.6",), listeners=("tcp:5432",)),
    Host(name="ledger", names=("ledger.example.net",), addresses=("54.1.3.7",), listeners=("tcp:6000",)),
    Host(
        name="pages",
        names=("www.pages.example.net", "a.pages.example.net", "b.pages.example.net"),
        addresses=("54.1.3.8",),
        listeners=("https:443", "http:8080"),
        certified=("*.pages.example.net",),
    ),
    Host(name="slow", names=("slow.example.net",), addresses=("54.1.3.9",), listeners=("http:80",)),
    Host(name="rates", names=("rates.example.net",), addresses=("54.1.3.11",), listeners=("https:443",)),
    Host(
        name="forger",
        names=("forger.example.net",),
        addresses=("54.1.3.12",),
        listeners=("https:443",),
        certified=("somebody-else.example.net",),
    ),
    Host(name="feed", names=("feed.example.net",), addresses=("54.1.3.13",), listeners=("tcp:6000",)),
    Host(name="limited", names=("limited.example.net",), addresses=("54.1.3.10",), listeners=("http:80",)),
    Host(
        name="guarded",
        names=tuple(f"{name}.example.org" for name in ("inline", "fetched", "limited", "by-http", "by-grpc")),
        addresses=("54.1.2.5",),
        listeners=("http:80",),
    ),
    Host(name="keys", names=("keys.example.org",), addresses=("54.1.2.6",), listeners=("https:443",)),
    Host(name="login", names=(openid_provider.HOST,), addresses=("54.1.2.7",), listeners=("openid:443",)),
    *(
        Host(
            name=name,
            names=(f"{name}.example.net",),
            addresses=(address,),
            listeners=("http:8080", "https:8443", "grpc:50051", "grpcs:50052", "echo:7000"),
            certified=("vm.example.net", f"{name}.example.net", address),
        )
        for name, address in (("vm1", "172.139.21.11"), ("vm2", "172.139.21.12"), ("vm3", "10.50.0.13"))
    ),
    Host(name="old", names=("old.example.net",), addresses=("172.139.21.14",), listeners=("https-1.2:443",)),
    Host(name="new", names=("new.example.net",), addresses=("172.139.21.15",), listeners=("https-1.3:443",)),
    Host(
        name="private",
        names=("private.example.net",),
        addresses=("172.139.21.16",),
        listeners=("https:443",),
        private=True,
    ),
)
"""Those that the stacks declare, one that none does, and those for tests that declare more."""
CLIENT: Final = "bed-client"
"""The name in the certificate that `mutual` asks for."""


@dataclass(kw_only=True)
class Outside:
    """All hosts outside."""

    folder: Path
    network: Network
    processes: dict[str, Process] = field(default_factory=dict[str, Process])
    _public: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="the outside"))
    _private: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="a company of its own"))

    @property
    def authority(self) -> Path:
        """The certificate authority of the hosts, as a PEM file."""
        return self.folder / "ca.pem"

    @property
    def private_authority(self) -> Path:
        """The authority of those hosts whose certificate is `private`, as a PEM file; no image trusts it."""
        return self.folder / "private-ca.pem"

    @property
    def client_certificate(self) -> Path:
        """The certificate of `CLIENT`, as a PEM file."""
        return self.folder / "client.pem"

    @property
    def client_key(self) -> Path:
        """Its key."""
        return self.folder / "client.key"

    def start(self) -> None:
        """Start every host."""
        self.folder.mkdir(parents=True)
        self._public.cert_pem.write_to_path(self.authority)
        self._private.cert_pem.write_to_path(self.private_authority)
        self._write(self.issue(CLIENT), self.client_certificate, self.client_key)
        for host in HOSTS:
            namespace = self.network.add(host.name, list(host.addresses))
            issued = self.issue(*(host.certified or (*host.names, *host.addresses)), private=host.private)
            certificate, key = self.folder / f"{host.name}.pem", self.folder / f"{host.name}.key"
            self._write(issued, certificate, key)
            self.log(host.name).touch()
            command = [sys.executable, "-m", _SERVER, host.name, self.log(host.name), certificate, key, self.authority]
            command += host.listeners
            log = self.folder / f"{host.name}.out"
            self.processes[host.name] = start(host.name, command, namespace=namespace, log=log)

    def issue(self, *names: str, private: bool = False) -> Certificate:
        """A certificate for names and addresses, good for a server and for a client.

        Args:
            names: in the certificate.
            private: whether it is of the authority that no image trusts.
        """
        issued = (self._private if private else self._public).issue_cert(*names)
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        return Certificate(chain=chain.decode(), key=issued.private_key_pem.bytes().decode())

    @staticmethod
    def _write(issued: Certificate, certificate: Path, key: Path) -> None:
        certificate.write_text(issued.chain, encoding="utf-8")
        key.write_text(issued.key, encoding="utf-8")

    def log(self, host: str) -> Path:
        """What a host wrote down."""
        return self.folder / f"{host}.jsonl"

    def publish(self, host: str, pages: Mapping[str, str]) -> None:
        """Have a host answer requests for these paths with these texts, from now on."""
        _replace(self.log(host).with_suffix(".pages"), pages)

    @contextmanager
    def behaving(self, host: str, *, under: str = "/", status: int = 200, seconds: float = 0.0) -> Generator[None]:
        """For a while, have a host answer requests by HTTP with a status, or late.

        Args:
            host: its name.
            under: the beginning of the paths; the longest that is told counts.
            status: of the answers.
            seconds: how long each takes.
        """
        file = self.log(host).with_suffix(".behaviours")
        before: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        _replace(file, {**before, under: {"status": status, "seconds": seconds}})
        try:
            yield
        finally:
            _replace(file, before)

    def seen(self, host: str, *, since: int = 0, **like: Any) -> list[Mapping[str, Any]]:
        """What a host wrote down from line `since` on, of the given values."""
        lines = [json.loads(line) for line in self.log(host).read_text(encoding="utf-8").splitlines()]
        return [line for line in lines[since:] if all(line.get(key) == value for key, value in like.items())]

    def count(self, host: str) -> int:
        """How many lines a host has written so far."""
        return len(self.log(host).read_text(encoding="utf-8").splitlines())


def _replace(file: Path, content: Mapping[str, Any]) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_text(json.dumps(content), encoding="utf-8")
    new.rename(file)  # at once: the host reads it at any moment


def names() -> dict[str, str]:
    """Address by name, for DNS."""
    return {name: host.addresses[0] for host in HOSTS for name in host.names}
