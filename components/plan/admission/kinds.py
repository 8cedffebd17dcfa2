"""Where each kind of object leads, as variables of a policy: what `judging.py` then judges.

Field names: envoyproxy/gateway api/v1alpha1, istio/api networking/v1, Kubernetes core/v1 and
discovery.k8s.io/v1. A field that an object does not have is passed over (`.?`), so one reading serves many kinds.
"""

from typing import Final

from components.plan.admission import cel
from components.plan.admission.cel import Variable

_SPEC: Final = Variable(name="spec", expression="object.?spec.orValue({})")
_OIDC_URLS: Final = ("issuer", "authorizationEndpoint", "tokenEndpoint", "endSessionEndpoint")
_URL: Final = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\\s]+([/?#][^\\\s]*)?$"
"""No user, and no backslash or white space, which one parser takes for the end of the host and another does not."""


def backend_variables() -> list[Variable]:
    """Backend: each endpoint with its own port."""
    endpoints = "variables.endpoints"
    return [
        _SPEC,
        Variable(name="endpoints", expression="variables.spec.?endpoints.orValue([])"),
        Variable(
            name="addresses",
            expression=f"{endpoints}.filter(e, has(e.ip) && isIP(e.ip.address))"
            ".map(e, {'ip': dyn(ip(e.ip.address)), 'ports': dyn([[e.ip.port]])})",
        ),
        Variable(
            name="unreadable",
            expression=f"{endpoints}.filter(e, has(e.ip) && !isIP(e.ip.address)).map(e, e.ip.address)",
        ),
        Variable(
            name="names",
            expression=f"{endpoints}.filter(e, has(e.fqdn)).map(e, e.fqdn.hostname.lowerAscii())"
            f" + {endpoints}.filter(e, has(e.hostname)).map(e, e.hostname.lowerAscii())",
        ),
        Variable(
            name="ports",
            expression=f"[{endpoints}.filter(e, has(e.ip)).map(e, e.ip.port),"
            f" {endpoints}.filter(e, has(e.fqdn)).map(e, e.fqdn.port)]",
        ),
        Variable(name="sockets", expression=f"{endpoints}.filter(e, has(e.unix)).map(e, e.unix.path)"),
    ]


def other_variables() -> list[Variable]:
    """Endpoints, EndpointSlice, Service, ServiceEntry, WorkloadEntry, WorkloadGroup, and policies that hold URLs."""
    return [
        _SPEC,
        Variable(name="subsets", expression="object.?subsets.orValue([])"),
        Variable(name="sliceEndpoints", expression=_unless_null("endpoints")),
        Variable(name="slicePorts", expression=_unless_null("ports")),
        Variable(name="allUrls", expression=_all_urls()),
        Variable(name="urls", expression=f"variables.allUrls.filter(u, isURL(u) && u.matches({cel.text(_URL)}))"),
        Variable(name="workloads", expression=_workloads()),
        Variable(name="servicePorts", expression=_service_ports()),
        Variable(name="ports", expression=_ports()),
        Variable(name="hosts", expression=_hosts()),
        Variable(name="addresses", expression=_addresses()),
        Variable(name="names", expression=_names()),
        Variable(
            name="sockets",
            expression="variables.workloads.map(w, w.?address.orValue('')).filter(a, a.startsWith('unix:'))"
            ".map(a, a.substring(a.startsWith('unix://') ? 7 : 5))",
        ),
        Variable(
            name="prefixes",
            expression="variables.spec.?addresses.orValue([])"
            ".map(a, isIP(a) ? a + (a.contains(':') ? '/128' : '/32') : a)",
        ),
        Variable(name="blocks", expression="variables.prefixes.filter(p, isCIDR(p)).map(p, cidr(p))"),
        Variable(name="blocksAreVirtual", expression="!(variables.spec.?resolution.orValue('NONE') in ['', 'NONE'])"),
        Variable(
            name="unreadable",
            expression="variables.prefixes.filter(p, !isCIDR(p)) + variables.allUrls.filter(u, !(u in variables.urls))",
        ),
    ]


def _unless_null(field: str) -> str:
    """A list of EndpointSlice: the API server shows policies `null` for an empty one."""
    return f"has(object.{field}) && object.{field} != null ? object.{field} : []"


def _all_urls() -> str:
    """What is fetched for JWT, OIDC and Wasm."""
    oidc = ", ".join(f"variables.spec.?oidc.?provider.?{key}" for key in _OIDC_URLS)
    return _sum(
        "variables.spec.?jwt.?providers.orValue([]).filter(p, has(p.remoteJWKS)).map(p, p.remoteJWKS.uri)",
        f"[{oidc}].filter(u, u.hasValue()).map(u, u.value())",
        "variables.spec.?wasm.orValue([]).filter(w, has(w.code.http)).map(w, w.code.http.url)",
    )


def _workloads() -> str:
    """ServiceEntry's endpoints, and what WorkloadEntry and WorkloadGroup are themselves: an address and its ports."""
    return _sum(
        "(has(variables.spec.hosts) ? variables.spec.?endpoints.orValue([]) : [])",
        "(has(variables.spec.address) ? [variables.spec] : [])",
        "(has(variables.spec.template) ? [variables.spec.template] : [])",
    )


def _service_ports() -> str:
    """ServiceEntry's: `targetPort` where there is one, else `number`."""
    target = "variables.spec.?ports.orValue([]).map(p, p.?targetPort.orValue(p.?number.orValue(0)))"
    return f"has(variables.spec.hosts) ? {target} : []"


def _ports() -> str:
    url_port = "url(u).getPort() != '' ? int(url(u).getPort()) : url(u).getScheme() == 'https' ? 443 : 80"
    return _sum(
        "[variables.servicePorts]",
        "[variables.slicePorts.map(p, p.?port.orValue(0))]",
        "[has(variables.spec.externalIPs) ? variables.spec.?ports.orValue([]).map(p, p.port) : []]",
        "variables.subsets.map(s, s.?ports.orValue([]).map(p, p.port))",
        "variables.workloads.map(w, w.?ports.orValue({}).map(k, w.ports[k]))",
        f"[variables.urls.map(u, {url_port})]",
    )


def _hosts() -> str:
    """Addresses or names whose ports are the object's, all together."""
    # Kubernetes lets no white space into these, so that they can be joined, for want of a way to flatten, and parted.
    joined = ".join(' ')).join(' ').split(' ').filter(h, h != '')"
    return _sum(
        f"variables.sliceEndpoints.map(e, e.addresses{joined}",
        f"variables.subsets.map(s, s.?addresses.orValue([]).map(a, a.ip){joined}",
        f"variables.subsets.map(s, s.?notReadyAddresses.orValue([]).map(a, a.ip){joined}",
        "variables.spec.?externalIPs.orValue([])",
        "variables.urls.map(u, url(u).getHostname())",
    )


def _addresses() -> str:
    own_ports = "w.?ports.orValue({}).size() > 0 ? dyn([w.ports.map(k, w.ports[k])]) : dyn([variables.servicePorts])"
    return _sum(
        "variables.workloads.filter(w, isIP(w.?address.orValue('')))"
        f".map(w, {{'ip': dyn(ip(w.address)), 'ports': {own_ports}}})",
        "variables.hosts.filter(h, isIP(h)).map(h, {'ip': dyn(ip(h)), 'ports': dyn(variables.ports)})",
    )


def _names() -> str:
    """What is no address is a name, and if it is no name either it is refused as one."""
    return _sum(
        "variables.spec.?hosts.orValue([]).map(h, (h.startsWith('*.') ? h.substring(2) : h).lowerAscii())",
        "[variables.spec.?externalName.orValue('')].filter(h, h != '').map(h, h.lowerAscii())",
        "variables.hosts.filter(h, !isIP(h)).map(h, h.lowerAscii())",
        "variables.workloads.map(w, w.?address.orValue(''))"
        ".filter(a, a != '' && !isIP(a) && !a.startsWith('unix:')).map(a, a.lowerAscii())",
    )


def _sum(*lists: str) -> str:
    """The lists one after the other, one a line."""
    return "\n+ ".join(lists)
