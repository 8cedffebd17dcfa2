"""Copies of the project that a test may change, and what the engine needs to run one."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cli.plain_data import is_map

ROOT: Final = Path(__file__).parent.parent
_PARTS: Final = ("Pulumi.yaml", "__main__.py", "components", "policy", "stacks")
_APPROVED: Final = {"reason": "Charts of this machine", "owner": "a", "ticket": "b", "expires": "2029-12-31"}


def copy_project(folder: Path) -> Path:
    """Copy the project into a new folder, with the same virtual environment."""
    folder.mkdir(parents=True)
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def use_charts(project: Path, stack: str, *, istio: Mapping[str, str], envoy_gateway: str) -> None:
    """Have a stack of a copy take charts of this machine, and have them approved.

    Args:
        project: the copy.
        stack: its name.
        istio: paths of the charts `base`, `istiod` and `gateway`.
        envoy_gateway: path of Envoy Gateway's chart.
    """
    settings = {"istio": dict(istio), "envoyGateway": {"chart": envoy_gateway}}
    _add(project / "stacks" / f"Pulumi.{stack}.yaml", "cluster-egress:install", settings, within="config")
    approved = {"test": {"sources": sorted([*istio.values(), envoy_gateway]), **_APPROVED}}
    _add(project / "policy" / "approvals" / f"{stack}.yaml", "chartSources", approved)


def _add(file: Path, section: str, values: Mapping[str, Any], *, within: str | None = None) -> None:
    """Add a section at a YAML file's end, so that the rest stays as it stands; or merge it with the one that is there.

    Args:
        file: the file.
        section: its key.
        values: what it holds.
        within: the key that it stands under, the file's last one.
    """
    text = file.read_text(encoding="utf-8")
    whole = yaml.safe_load(text)
    sections = whole if within is None else whole[within]
    if section in sections:
        sections[section] = _merged(sections[section], values)
        file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
        return
    lines = yaml.safe_dump({section: values}).splitlines()
    indent = "" if within is None else "  "
    file.write_text(text + "".join(f"{indent}{line}\n" for line in lines), encoding="utf-8")


def _merged(old: Any, new: Any) -> Any:
    if not (is_map(old) and is_map(new)):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def engine_environment(folder: Path) -> dict[str, str]:
    """The environment for `pulumi`, with a home and a state of its own in a folder."""
    for name in ("home", "state"):
        (folder / name).mkdir(parents=True)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
