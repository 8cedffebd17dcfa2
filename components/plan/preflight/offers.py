"""What backends and their Gateways ask for besides addresses and names."""

import ipaddress

from components.plan.envoy_gateway import uses_backend_api
from components.plan.offers.helpers import socket_path
from components.plan.preflight.addresses import is_inside, overlap
from components.settings import Settings
from components.settings.offers.gateways import BackendGateway
from components.settings.problems import Found, shown
from policy.approvals import Approvals


def check(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Everything about backends that is asked for and not granted."""
    yield from _writers(settings, approvals, approvals_file)
    yield from _resolvers(settings, approvals, approvals_file)
    for name, gateway in (settings.backend_gateways or {}).items():
        yield from _exposed(name, gateway, approvals, approvals_file)
        yield from _trusted(name, gateway, approvals)
        yield from _sockets(name, gateway, approvals, approvals_file)


def _writers(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Whoever may write a Backend, or a route, picks where traffic goes; a policy of nobody would refuse our own."""
    if settings.backends is None:
        return
    if approvals.backend_api is None and uses_backend_api(settings):
        yield (
            ("backends",),
            "needs Envoy Gateway's Backend API, which no approval lets be on",
            f"leave it out, or have backendApi added to {approvals_file}",
        )
    if not approvals.platform_subjects:
        yield (
            ("backends",),
            "is declared, but nobody is approved to write what it is made of, not even who deploys this stack",
            f"leave it out, or have platformSubjects added to {approvals_file}, with who runs `pulumi up` among them",
        )


def _resolvers(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """A resolver connects wherever a request says; that it is bounded to its hostnames is for reviewers to see."""
    namespace = settings.install.envoy_gateway.namespace
    granted = {(grant.namespace, grant.name) for grant in approvals.dynamic_resolvers.values()}
    for name, backend in (settings.backends or {}).items():
        if backend.resolver is not None and (namespace, name) not in granted:
            yield (
                ("backends", name, "resolver"),
                "connects to whatever host a request names, and no approval lets it",
                f"`endpoints`, or have namespace {namespace}, name {name} added to dynamicResolvers "
                f"in {approvals_file}",
            )


def _exposed(name: str, gateway: BackendGateway, approvals: Approvals, approvals_file: str) -> Found:
    """Who reaches a Gateway from outside the cluster is not the stack file's to decide."""
    if gateway.exposure == "inside":
        return
    granted = approvals.exposed_gateways.get(name)
    if granted is None:
        yield (
            ("backendGateways", name, "exposure"),
            f"is `{gateway.exposure}`, and no approval lets it be reached from outside the cluster",
            f"`inside`, or have exposedGateways.{name} added to {approvals_file}",
        )
        return
    if gateway.exposure == "internet" and granted.exposure != "internet":
        yield (
            ("backendGateways", name, "exposure"),
            "is `internet`, and approved is `intranet`",
            f"`intranet`, or have exposedGateways.{name}.exposure changed in {approvals_file}",
        )
    ranges = [ipaddress.ip_network(cidr) for cidr in granted.source_ranges]
    for index, text in enumerate(gateway.source_ranges or ()):
        if not any(is_inside(ipaddress.ip_network(text), each) for each in ranges):
            yield (
                ("backendGateways", name, "sourceRanges", index),
                f"{text} is in none of the ranges from which this Gateway may be reached",
                f"a range within these, or have it added to exposedGateways.{name}.sourceRanges in {approvals_file}",
            )

    for key, value in (gateway.load_balancer or {}).items():
        if granted.annotations.get(key) != value:
            yield (
                ("backendGateways", name, "loadBalancer", key),
                f"is not approved with the value {shown(value)}; annotations can lead to another load balancer",
                f"leave it out, or have it added to exposedGateways.{name}.annotations in {approvals_file}",
            )


def _trusted(name: str, gateway: BackendGateway, approvals: Approvals) -> Found:
    """Whoever has such an address may claim any other, and every pod reaches the Gateway."""
    own = approvals.cluster
    inside = [ipaddress.ip_network(each) for each in (*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs)]
    for index, text in enumerate(gateway.trusted_proxies or ()):
        if any(overlap(ipaddress.ip_network(text), each) for each in inside):
            yield (
                ("backendGateways", name, "trustedProxies", index),
                f"{text} holds addresses of this cluster, and any pod there could claim to be anybody",
                "the addresses of proxies outside the cluster",
            )


def _sockets(name: str, gateway: BackendGateway, approvals: Approvals, approvals_file: str) -> Found:
    """Proxies hand a helper whole requests, or the log of them."""
    granted = {path for grant in approvals.unix_sockets.values() for path in grant.paths}
    for helper in gateway.helpers or {}:
        if (path := socket_path(helper)) not in granted:
            yield (
                ("backendGateways", name, "helpers", helper),
                f"is asked by the socket {path}, and no approval lets proxies connect to it",
                f"leave the helper out, or have the path added to unixSockets in {approvals_file}",
            )
