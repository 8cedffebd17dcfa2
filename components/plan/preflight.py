"""Is everything that the declaration asks for approved? Settings can ask; only approvals can grant."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from components.plan import network_needs
from components.plan.groups import SNI_ROOT
from components.plan.network_needs import Need
from components.settings import Problem, Settings
from components.settings.egress import ExistingAddresses
from components.settings.install import EnvoyGateway, Istio
from components.settings.problems import Path
from components.settings.reserved import CONTROL_PLANE
from policy.approvals import Approvals
from policy.facts.addresses import AddressClass, classes_in, is_wide
from policy.facts.names import NameClass, classify_name

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Found = Iterator[tuple[Path, str, str]]
_EMBEDDING = [int(ipaddress.IPv6Address(prefix)) for prefix in ("::ffff:0:0", "64:ff9b::")]
"""Where IPv6 carries an IPv4 address unchanged to the network (RFC 4291, RFC 6052)."""
_NEVER_NAMES = frozenset(
    {
        NameClass.NUMERIC,
        NameClass.LOCALHOST,
        NameClass.METADATA,
        NameClass.CLUSTER,
        NameClass.SINGLE_LABEL,
        NameClass.WILDCARD_DNS,
    }
)
_XDS = 15012
"""Where a control plane answers proxies (istio.io, "Ports used by Istio")."""
_ISSUERS: Path = ("egress", "mesh", "issuers")
_GRANTABLE = frozenset({AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL})


def check(settings: Settings, approvals: Approvals, *, file: str, approvals_file: str) -> list[Problem]:
    """Every address and port that is asked for and not granted, with its path in the stack file."""
    found = [
        *_names(settings, approvals),
        *_chart_sources(settings, approvals, approvals_file),
        *_public_ranges(settings, approvals, approvals_file),
        *_addresses(settings, approvals, approvals_file),
        *_control_plane(settings, approvals, approvals_file),
        *_wide(settings, approvals_file),
        *_sources(settings),
        *_node_dns(settings, approvals),
        *_backend_api(settings, approvals, approvals_file),
    ]
    return [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]


def _public_ranges(settings: Settings, approvals: Approvals, approvals_file: str) -> _Found:
    """Entries known by name only reach any public address, so they need the security team's word."""
    for (*section, name), need in _needs(settings).items():
        if need.cidrs is not None:
            continue
        granted = approvals.public_ranges.get(f"{name}")
        if granted is None:
            yield (
                (*section, name, "cidrs"),
                "is missing, and no approval stands in for it: which addresses are behind its names?",
                f"the addresses as `cidrs`, or have publicRanges.{name} added to {approvals_file}",
            )
        elif others := sorted(set(need.hosts) - set(granted.hosts)):
            yield (
                (*section, name),
                f"names {', '.join(others)}, which is not approved to be at any public address",
                f"have the host added to publicRanges.{name}.hosts in {approvals_file}",
            )
        elif missing := sorted(need.ports - set(granted.ports)):
            yield (
                (*section, name),
                f"reaches public addresses on port {', '.join(map(str, missing))}, which is not approved",
                f"have the port added to publicRanges.{name}.ports in {approvals_file}",
            )


def _needs(settings: Settings) -> dict[Path, Need]:
    """What every entry needs of the network, by its path."""
    return {
        **{("destinations", name): need for name, need in network_needs.of_destinations(settings).items()},
        **{("backends", name): need for name, need in network_needs.of_backends(settings).items()},
        **{(*_ISSUERS, name): need for name, need in network_needs.of_issuers(settings).items()},
    }


def _names(settings: Settings, approvals: Approvals) -> _Found:
    """Names that lead into the cluster, to the pod itself, or wherever their reader wants; offered ones as well."""
    asked: list[tuple[Path, str]] = [
        (("destinations", name, "hosts", index), host.removeprefix("*."))
        for name, destination in settings.destinations.items()
        for index, host in enumerate(destination.hosts)
    ]
    asked += [
        (("destinations", name, "servedBy"), destination.served_by)
        for name, destination in settings.destinations.items()
        if destination.served_by is not None
    ]
    asked += [
        ((*_ISSUERS, name, "jwksUri"), host)
        for name, need in network_needs.of_issuers(settings).items()
        for host in need.hosts
    ]
    asked += [
        (("backends", name, "endpoints", index, "fqdn"), endpoint.fqdn)
        for name, backend in (settings.backends or {}).items()
        for index, endpoint in enumerate(backend.endpoints or ())
        if endpoint.fqdn is not None
    ]
    asked += [
        (("backends", name, "hostnames", index), hostname)
        for name, backend in (settings.backends or {}).items()
        for index, hostname in enumerate(backend.hostnames or ())
    ]
    for path, host in asked:
        kind = classify_name(host, approvals.cluster.domain, frozenset(settings.cluster.namespaces))
        if kind in _NEVER_NAMES:
            yield path, f"{host} is a name of the kind {kind}, which is never a way out", "a public name"
        elif host == SNI_ROOT or host.endswith(f".{SNI_ROOT}"):
            yield path, f"{host} is in the zone {SNI_ROOT}, which the gateway keeps for itself", "another name"


def _chart_sources(settings: Settings, approvals: Approvals, approvals_file: str) -> _Found:
    """A chart may hold any object, also one that opens what this declaration shuts."""
    granted = {source for grant in approvals.chart_sources.values() for source in grant.sources}
    for key, asked, default in (
        ("istio", settings.install.istio, Istio()),
        ("envoyGateway", settings.install.envoy_gateway, EnvoyGateway()),
    ):
        for name in ("base", "istiod", "gateway", "cni", "ztunnel", "chart", "image_registry"):
            source = getattr(asked, name, None)
            if source is not None and source != getattr(default, name) and source not in granted:
                yield (
                    ("install", key, to_camel(name)),
                    f"{source} is not where its publisher puts it, and no approval covers it",
                    f"leave it out, or have it added to chartSources in {approvals_file}",
                )


def _sources(settings: Settings) -> _Found:
    """What the firewall team is asked to let in as a source."""
    mesh: Path = ("egress", "mesh")
    asked: dict[Path, ExistingAddresses | None] = {
        ("egress", "addresses"): settings.egress.addresses,
        (*mesh, "gateway", "addresses"): settings.egress.mesh.gateway.addresses,
        **{
            (*mesh, "gateways", name, "addresses"): gateway.addresses
            for name, gateway in (settings.egress.mesh.gateways or {}).items()
        },
    }
    for path, addresses in asked.items():
        if addresses is not None and is_wide(ipaddress.ip_network(cidr) for cidr in addresses.cidrs):
            yield (*path, "cidrs"), "is too wide for a source that others let in", "the real addresses"


def _addresses(settings: Settings, approvals: Approvals, approvals_file: str) -> _Found:
    """Every address and range that an entry writes down, each judged with the entry's ports."""
    needs = _needs(settings)
    for name, destination in settings.destinations.items():
        entry: Path = ("destinations", name)
        written = {"cidrs": destination.cidrs, "addresses": destination.addresses}
        for key, addresses in written.items():
            for index, text in enumerate(addresses or ()):
                asked = _Asked(path=(*entry, key, index), text=text, entry=name, ports=needs[entry].ports)
                yield from _judge(asked, approvals, approvals_file)
    for name, issuer in (settings.egress.mesh.issuers or {}).items():
        for index, text in enumerate(issuer.cidrs or ()):
            entry = (*_ISSUERS, name)
            asked = _Asked(path=(*entry, "cidrs", index), text=text, entry=name, ports=needs[entry].ports)
            yield from _judge(asked, approvals, approvals_file)
    for name, backend in (settings.backends or {}).items():
        for index, endpoint in enumerate(backend.endpoints or ()):
            if endpoint.ip is not None:
                path = ("backends", name, "endpoints", index, "ip")
                asked = _Asked(path=path, text=endpoint.ip, entry=name, ports=frozenset({endpoint.port}))
                yield from _judge(asked, approvals, approvals_file)
        for index, cidr in enumerate(backend.cidrs or ()):
            path = ("backends", name, "cidrs", index)
            asked = _Asked(path=path, text=cidr, entry=name, ports=needs["backends", name].ports)
            yield from _judge(asked, approvals, approvals_file)


def _control_plane(settings: Settings, approvals: Approvals, approvals_file: str) -> _Found:
    """Where every proxy, and so every client, may connect to besides pods of the cluster."""
    mesh = settings.egress.mesh.asm
    for index, text in enumerate(() if mesh is None else mesh.control_plane):
        path = ("egress", "mesh", "asm", "controlPlane", index)
        asked = _Asked(path=path, text=text, entry=CONTROL_PLANE, ports=frozenset({_XDS}))
        yield from _judge(asked, approvals, approvals_file)


def _wide(settings: Settings, approvals_file: str) -> _Found:
    """Half of the internet, in however many pieces, is what `publicRanges` approves, and not for a stack file."""
    for (*section, name), need in _needs(settings).items():
        if is_wide(ipaddress.ip_network(cidr) for cidr in need.cidrs or ()):
            yield (
                (*section, name, "cidrs"),
                "is too wide for anyone to answer for it as one entry",
                f"narrower ranges, or leave it out and have publicRanges.{name} added to {approvals_file}",
            )


def _node_dns(settings: Settings, approvals: Approvals) -> _Found:
    """Clients may ask it anything, so it is a resolver of the cluster's own or none."""
    text = settings.cluster.node_local_dns
    address = ipaddress.ip_network(text)
    own = [*approvals.cluster.service_cidrs, *approvals.cluster.node_cidrs]
    if classes_in(address) != frozenset({AddressClass.LINK_LOCAL}) and not any(
        _inside(address, ipaddress.ip_network(each)) for each in own
    ):
        yield (
            ("cluster", "nodeLocalDns"),
            f"{text} is no address of a resolver on the cluster's own nodes",
            "a link-local address such as `169.254.20.10`, or one of the cluster's Services or nodes",
        )


def _backend_api(settings: Settings, approvals: Approvals, approvals_file: str) -> _Found:
    """Whoever may write a Backend picks where traffic goes; an admission policy of nobody would refuse our own."""
    if settings.backends is None:
        return
    if approvals.backend_api is None:
        yield (
            ("backends",),
            "needs Envoy Gateway's Backend API, which no approval lets be on",
            f"leave it out, or have backendApi added to {approvals_file}",
        )
    if not approvals.platform_subjects:
        yield (
            ("backends",),
            "is declared, but nobody is approved to write Backends, not even who deploys this stack",
            f"leave it out, or have platformSubjects added to {approvals_file}, with who runs `pulumi up` among them",
        )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """An address or range that an entry asks for."""

    path: Path
    text: str
    entry: str
    ports: frozenset[int]


def _judge(asked: _Asked, approvals: Approvals, approvals_file: str) -> _Found:
    """The precedence: never approvable, then approved, then private, then public."""
    network = ipaddress.ip_network(asked.text)
    own = approvals.cluster
    ours = [*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs, *own.api_server_addresses]
    if any(_overlap(network, ipaddress.ip_network(each)) for each in ours):
        instead = "an address outside; in-cluster traffic needs no declaration"
        yield asked.path, f"{asked.text} is inside this cluster", instead
        return
    special = classes_in(network)
    never = sorted(special - _GRANTABLE)
    if never:
        yield asked.path, f"{asked.text} is {never[0]}, which is never a way out", "the service's real address"
        return
    granted = [
        ipaddress.ip_network(cidr)
        for grant in approvals.private_ranges.values()
        if asked.entry in grant.entries and asked.ports <= set(grant.ports)
        for cidr in grant.cidrs
    ]
    if special and not any(_inside(network, each) for each in granted):
        yield (
            asked.path,
            f"{asked.text} is {min(special)} address space, and no approval covers it",
            f"a public address, or have it added to privateRanges in {approvals_file}, with this entry and its ports",
        )


def _overlap(asked: _Network, own: _Network) -> bool:
    """Whether they share an address, also where `asked` spells an IPv4 address of ours in IPv6."""
    if asked.version == own.version:
        return asked.overlaps(own)
    if isinstance(asked, ipaddress.IPv4Network) or isinstance(own, ipaddress.IPv6Network):
        return False
    return any(
        asked.overlaps(ipaddress.IPv6Network((prefix + int(own.network_address), 96 + own.prefixlen)))
        for prefix in _EMBEDDING
    )


def _inside(one: _Network, other: _Network) -> bool:
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)
