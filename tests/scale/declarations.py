"""Stack files of any size, for the scale tests and the bench."""

import json
from pathlib import Path
from typing import Any, cast

import yaml12

_HTTP = {"http": {"port": 80, "protocol": "HTTP"}}
_TLS = {"https": {"port": 443, "protocol": "TLS"}}
_KINDS: tuple[dict[str, Any], ...] = (_HTTP, _TLS, {**_HTTP, **_TLS})


def destination(number: int, group: int) -> dict[str, Any]:
    """One host of one client group; a third each has HTTP, TLS, and both."""
    return {
        "hosts": [f"host{number}.example.com"],
        "ports": _KINDS[number % len(_KINDS)],
        "clients": {f"team-{group:02d}": {"serviceAccounts": ["app"]}},
        "cidrs": ["151.101.0.0/16"],
        "owner": "team-platform",
        "ticket": f"FW-{number}",
        "expires": "2029-12-31",
    }


def write_stack(project: Path, *, hosts: int, groups: int) -> dict[str, Any]:
    """Turn the project's stack `dev` into one of so many mixed hosts, and give its destinations."""
    path = project / "stacks" / "Pulumi.dev.yaml"
    config = cast("dict[str, dict[str, Any]]", yaml12.parse_yaml(path.read_text()))["config"]
    config.pop("cluster-egress:backends", None)
    config["cluster-egress:cluster"]["namespaces"] = {f"team-{g:02d}": {"role": "client"} for g in range(groups)}
    config["cluster-egress:destinations"] = {
        f"host-{number}": destination(number, number * 7919 % groups) for number in range(hosts)
    }
    write_config(project, config)
    return config


def write_on_cloud(project: Path, *, hosts: int) -> None:
    """Give the project's stack `prod` so many further hosts, and an account that has room for them."""
    path = project / "stacks" / "Pulumi.prod.yaml"
    config = cast("dict[str, dict[str, Any]]", yaml12.parse_yaml(path.read_text()))["config"]
    clients = [
        name for name, each in config["cluster-egress:cluster"]["namespaces"].items() if each["role"] == "client"
    ]
    config["cluster-egress:cloud"]["limits"]["natPolicies"] = 1_000_000
    for number in range(hosts):
        further = destination(number, 0) | {"clients": {clients[number % len(clients)]: {"serviceAccounts": ["app"]}}}
        config["cluster-egress:destinations"][f"host-{number}"] = further
    write_config(project, config, stack="prod")


def write_config(project: Path, config: dict[str, Any], *, stack: str = "dev") -> None:
    """Write the stack file's config, and leave the rest of it; JSON is YAML too."""
    path = project / "stacks" / f"Pulumi.{stack}.yaml"
    whole = cast("dict[str, Any]", yaml12.parse_yaml(path.read_text()))
    path.write_text(json.dumps({**whole, "config": config}))


def include_destinations(project: Path, config: dict[str, Any]) -> None:
    """Move a stack file's destinations into a file that it includes."""
    included = {"destinations": config["cluster-egress:destinations"]}
    (project / "stacks" / "dev").mkdir()
    (project / "stacks" / "dev" / "hosts.yaml").write_text(json.dumps(included))
    rest = {key: value for key, value in config.items() if key != "cluster-egress:destinations"}
    write_config(project, {**rest, "cluster-egress:include": ["dev/hosts.yaml"]})
