"""How a policy judges what an object leads to: the same expressions for every kind.

They read the variables of `facts.py`, and these, which each policy takes from the kinds that it is about:

- `addresses`: a list of maps: `ip`, and `ports`, the lists of ports there
- `blocks`: CIDRs; `blocksAreVirtual` where nobody connects to them
- `names`: host names in lower case
- `ports`: lists of ports
- `sockets`: paths of unix sockets
- `unreadable`: values that are no address, CIDR or URL in their one plain form
"""

from typing import Any

from components.plan.admission import cel
from components.plan.admission.cel import Variable

Validation = dict[str, Any]

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = f"^{_LABEL}([.]{_LABEL})*$"
_NUMBER = "^([0-9]+|0x[0-9a-f]*)$"
_TOP_LEVEL = "^[.]([a-z]{2,63}|xn--[a-z0-9-]+)$"
"""RFC 3696 and IDNA: every top-level domain of the public DNS has this shape, and a namespace often has not."""
_LAST = "d.substring(d.lastIndexOf('.'))"
"""The last label of a dotted name, with its dot."""

_OWN = "EGR101: {} is loopback or unspecified, which leads into the proxy's own pod"
_METADATA = "EGR102: {} is link-local or of a metadata service, which gives out the node's credentials"
_CLUSTER = "EGR107: {} is an address of this cluster, which no approval opens"
_PRIVATE = "EGR108: {} is private address space, and no approval holds it with all its ports"
_SPECIAL = "EGR106: {} is reserved, multicast, documentation or benchmarking address space"
_WIDE = "EGR201: {} is too wide for one destination"
_UNREADABLE = "EGR100: {} is not in its one plain form, so two programs would read it differently"
_SOCKET = "EGR114: the unix socket {} is not approved"


def judging_variables(*, blocks: bool) -> list[Variable]:
    """What `judging_validations` ask for, and what that needs."""
    return [
        # One dot at the end says that a name is whole, and changes nothing about where it leads.
        Variable(
            name="wholeNames",
            expression="variables.names.map(n, n.endsWith('.') ? n.substring(0, n.size() - 1) : n)",
        ),
        Variable(name="malformedNames", expression=f"variables.wholeNames.filter(n, {_malformed()})"),
        # With a dot in front, once: putting one there for every zone would exceed what CEL may cost.
        Variable(
            name="dottedNames",
            expression="variables.wholeNames.filter(n, !(n in variables.malformedNames)).map(n, '.' + n)",
        ),
        *_judged_variables(blocks=blocks),
    ]


def judging_validations(*, blocks: bool) -> list[Validation]:
    """That nothing is wrong with addresses, names, ports and sockets, and with `blocks` where a kind has any."""
    return [empty(variable.name) for variable in _judged_variables(blocks=blocks)]


def _judged_variables(*, blocks: bool) -> list[Variable]:
    """Each a list of messages, empty where all is well."""
    unreadable = _said(_UNREADABLE, "string(u)")
    judged = [
        Variable(
            name="badValues",
            expression=f"(variables.unreadable + variables.malformedNames).map(u, {unreadable})",
        ),
        Variable(name="badAddresses", expression=_bad_addresses()),
        Variable(name="badNames", expression=_bad_names()),
        Variable(name="badZones", expression=_bad_zones()),
        Variable(name="badPorts", expression=_bad_ports()),
        Variable(
            name="badSockets",
            expression=f"variables.sockets.filter(s, !(s in variables.approvedSockets)).map(s, {_said(_SOCKET, 's')})",
        ),
    ]
    return [*judged, Variable(name="badBlocks", expression=_bad_blocks())] if blocks else judged


def empty(name: str) -> Validation:
    """That the variable `name`, a list of messages, is empty; else its first message is the answer."""
    more = f"(variables.{name}.size() == 1 ? '' : ' (and ' + string(variables.{name}.size() - 1) + ' more)')"
    return {
        "expression": f"variables.{name}.size() == 0",
        "messageExpression": f"variables.{name}[0] + {more}",
        "reason": "Forbidden",
    }


def _said(message: str, value: str) -> str:
    """An expression that gives `message`, with `value` in its place."""
    before, _, after = message.partition("{}")
    return f"{cel.text(before)} + {value} + {cel.text(after)}"


def _choice(cases: list[tuple[str, str]], otherwise: str) -> str:
    """The first case that holds, one a line."""
    return "\n".join([*(f"{condition} ? {result} :" for condition, result in cases), otherwise])


def _judged(items: str, item: str, cases: list[tuple[str, str]], otherwise: str = "''") -> str:
    return f"variables.{items}.map({item},\n{_choice(cases, otherwise)}\n).filter(message, message != '')"


def _bad_addresses() -> str:
    def within(networks: str) -> str:
        return f"variables.{networks}.exists(n, n.containsIP(a.ip))"

    approved = (
        "variables.approvedAddresses.exists(g, g.networks.exists(n, n.containsIP(a.ip)) && "
        "a.ports.exists(l, l.size() > 0) && a.ports.all(l, l.all(p, p in g.ports)))"
    )
    return _judged(
        "addresses",
        "a",
        [
            (within("ownAddresses"), _said(_OWN, "string(a.ip)")),
            (within("metadataAddresses"), _said(_METADATA, "string(a.ip)")),
            (within("clusterAddresses"), _said(_CLUSTER, "string(a.ip)")),
            (within("multicastAddresses"), _said(_SPECIAL, "string(a.ip)")),
            (f"{within('privateAddresses')} && {approved}", "''"),
            (within("privateAddresses"), _said(_PRIVATE, "string(a.ip)")),
            (
                f"!{within('unicastAddresses')} || {within('specialAddresses')}",
                _said(_SPECIAL, "string(a.ip)"),
            ),
        ],
    )


def _bad_blocks() -> str:
    """Blocks are destinations only where traffic keeps the address that it had; else they catch what is sent there."""

    def touching(networks: str) -> str:
        return f"variables.{networks}.exists(n, n.containsCIDR(b) || b.containsCIDR(n))"

    approved = (
        "variables.approvedAddresses.exists(g, g.networks.exists(n, n.containsCIDR(b)) && "
        "variables.ports.exists(l, l.size() > 0) && variables.ports.all(l, l.all(p, p in g.ports)))"
    )
    inside = "variables.unicastAddresses.exists(n, n.containsCIDR(b))"
    return _judged(
        "blocks",
        "b",
        [
            ("b.prefixLength() < (b.ip().family() == 4 ? 16 : 32)", _said(_WIDE, "string(b)")),
            (touching("ownAddresses"), _said(_OWN, "string(b)")),
            (touching("metadataAddresses"), _said(_METADATA, "string(b)")),
            (touching("clusterAddresses"), _said(_CLUSTER, "string(b)")),
            (touching("multicastAddresses"), _said(_SPECIAL, "string(b)")),
            (f"variables.blocksAreVirtual || ({touching('privateAddresses')} && {approved})", "''"),
            (touching("privateAddresses"), _said(_PRIVATE, "string(b)")),
            (f"!{inside} || {touching('specialAddresses')}", _said(_SPECIAL, "string(b)")),
        ],
    )


def _malformed() -> str:
    last_label = "n.substring(n.lastIndexOf('.') + 1)"
    return f"n.size() > 253 || !n.matches({cel.text(_HOST_NAME)}) || {last_label}.matches({cel.text(_NUMBER)})"


def _bad_names() -> str:
    """Names that nothing can approve."""
    two_labels = "d.lastIndexOf('.') == d.indexOf('.', 1)"
    metadata_host = "d.endsWith('.internal') && variables.metadataHosts.exists(h, d.startsWith(h))"
    return _judged(
        "dottedNames",
        "d",
        [
            (f"d in variables.localNames || {_under('localZones')}", _name("is a name of the pod or the node itself")),
            (
                f"d in variables.metadataNames || ({metadata_host})",
                _name("is a name of a cloud's metadata service"),
            ),
            (
                f"{_under('clusterZones')} || ({two_labels} && {_LAST} in variables.namespaces)",
                _name("is a name inside the cluster"),
            ),
            ("d.lastIndexOf('.') == 0", _name("is a single label, which pods complete with the cluster's search path")),
            (
                f"!{_LAST}.matches({cel.text(_TOP_LEVEL)})",
                _name("ends in no top-level domain, so pods complete it with the cluster's search path"),
            ),
        ],
    )


def _bad_zones() -> str:
    """Names that lead where their owner likes; apart from `badNames`, because CEL limits the cost of each variable."""
    special = "EGR109: {} is in a top-level domain that the public DNS does not have, and not approved"
    return _judged(
        "dottedNames",
        "d",
        [
            (
                _under("wildcardZones"),
                _name("is in a DNS zone whose names spell the address that they answer with"),
            ),
            (_under("approvedZones"), "''"),
            (f"{_LAST} in variables.specialZones", _said(special, "d.substring(1)")),
        ],
    )


def _under(zones: str) -> str:
    return f"variables.{zones}.exists(z, d.endsWith(z))"


def _name(message: str) -> str:
    return _said(f"EGR103: {{}} {message}", "d.substring(1)")


def _bad_ports() -> str:
    said = _choice(
        [
            ("p < 1 || p > 65535", _said("EGR110: {} is no port", "string(p)")),
            (
                "p in variables.deniedPorts",
                "'EGR110: port ' + string(p) + ' leads to ' + variables.deniedPorts[p]",
            ),
        ],
        "''",
    )
    # Lists have no way to be flattened before Kubernetes 1.35, so the texts are joined.
    joined = f"l.map(p,\n{said}\n).filter(message, message != '').join('; ')"
    return f"variables.ports.map(l, {joined}).filter(message, message != '')"
