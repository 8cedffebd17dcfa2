"""What the checks of cloud settings look at, also where other values are wrong."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from components.settings.cloud.account import Cloud
from components.settings.cloud.addresses import NatAddresses
from components.settings.cloud.firewall import CloudFirewall
from components.settings.cloud.nodes import DedicatedNodes
from components.settings.parts import Parts
from components.settings.plain import at
from components.settings.problems import Path

NODES: Final[Path] = ("egress", "nodes")
ADDRESSES: Final[Path] = ("egress", "addresses")
FIREWALL: Final[Path] = ("egress", "firewall")
_CREATING: Final[Mapping[Path, tuple[str, ...]]] = {
    NODES: ("dedicated",),
    ADDRESSES: ("nat", "pod-vswitches", "host-network"),
    FIREWALL: ("cloud-firewall",),
}
"""The modes in which something is created."""
Kind = TypeVar("Kind")


@dataclass(frozen=True, kw_only=True)
class CloudParts:
    """Those parts of a declaration that concern the cloud, each `None` where it is not there or could not be read."""

    cloud: Cloud | None
    nodes: DedicatedNodes | None
    nat: NatAddresses | None
    firewall: CloudFirewall | None
    modes: Mapping[Path, str | None]
    """What is said to be, by where it is said."""

    @property
    def created(self) -> tuple[Path, ...]:
        """What is created."""
        return tuple(path for path, mode in self.modes.items() if mode in _CREATING[path])

    @property
    def addresses(self) -> str | None:
        """The mode of egress.addresses."""
        return self.modes[ADDRESSES]


def read(parts: Parts) -> CloudParts:
    """What can be read of it."""
    return CloudParts(
        cloud=_valid(TypeAdapter(Cloud), at(parts.plain, "cloud")),
        nodes=_valid(TypeAdapter(DedicatedNodes), at(parts.plain, *NODES)),
        nat=_valid(TypeAdapter(NatAddresses), at(parts.plain, *ADDRESSES)),
        firewall=_valid(TypeAdapter(CloudFirewall), at(parts.plain, *FIREWALL)),
        modes={path: _mode(parts, path) for path in _CREATING},
    )


def _mode(parts: Parts, path: Path) -> str | None:
    mode = at(parts.plain, *path, "mode")
    return mode if isinstance(mode, str) else None


def _valid(adapter: TypeAdapter[Kind], value: Any) -> Kind | None:
    """What is over is told elsewhere."""
    try:
        return adapter.validate_python(value, context={"today": dt.date.min})
    except ValidationError:
        return None
