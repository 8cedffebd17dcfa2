"""The declaration that is measured: so many hosts of one client group."""

import json
from pathlib import Path
from typing import Any, Final, cast

import yaml12

from tests.declarations import answerable, large

NAMESPACE: Final = "ns-0"
"""The clients' namespace, as `large` names it."""
ACCOUNT: Final = "app"
"""Their service account."""
MORE: Final = "one-more.example.net"
"""A host that is added; it has HTTP and TLS."""
REACHABLE: Final = "edition.cnn.com"
"""One of the hosts, with HTTP and TLS, that is there outside the bed: to see that what is measured works."""
_ORIGINATED: Final = 20
"""One host in so many speaks TLS that starts at the gateway."""


def declaration(hosts: int, *, more: bool = False) -> dict[str, Any]:
    """As settings, by section: a third of the hosts each HTTP, TLS, and both; a few with TLS from the gateway on.

    Args:
        hosts: how many.
        more: one host more, of HTTP and TLS.
    """
    originated = hosts // _ORIGINATED
    values = large(hosts - originated, 1)
    del values["backends"]
    destinations: dict[str, Any] = values["destinations"]
    if originated:
        destinations["group-0-originated"] = {
            "hosts": [f"api-{number}.example.org" for number in range(originated)],
            "ports": {"https": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}},
            "clients": {NAMESPACE: {"serviceAccounts": [ACCOUNT]}},
            **answerable(0),
        }
    destinations["group-0-both"]["hosts"][0] = REACHABLE
    if more:
        destinations["group-0-both"]["hosts"].append(MORE)
    for destination in destinations.values():
        destination["cidrs"] = ["93.184.216.0/24"]
    return values


def write(values: dict[str, Any], file: Path) -> None:
    """Have a stack file declare it; what the file says of charts stays."""
    whole = cast("dict[str, Any]", yaml12.parse_yaml(file.read_text(encoding="utf-8")))
    install = whole["config"]["cluster-egress:install"]
    config = {f"cluster-egress:{key}": value for key, value in values.items()}
    file.write_text(json.dumps({**whole, "config": {**config, "cluster-egress:install": install}}), encoding="utf-8")
