"""Writes what a preview holds for Kubernetes as files that kubectl and helm take.

One numbered file per object, one numbered folder per Helm release, and a README.md with the commands in order. The
names of the files that were written are kept in `.egress-manifests`, so that a later run replaces its own files only.
"""

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.errors import SettingsFileError
from cli.offline.preview import Preview
from cli.offline.records import Registration, Secret, Unknown
from cli.plain_data import is_list, is_map
from cli.render.helm_release import release_files, release_steps
from cli.render.order import RELEASE_TYPE, in_order, is_kubernetes
from cli.render.yaml_text import to_yaml

MARKER: Final = ".egress-manifests"
_README: Final = "README.md"
_TOP: Final = ("apiVersion", "kind", "metadata")
_DIRECTIVES: Final = "pulumi.com/"
"""Prefix of annotations that speak to Pulumi's provider, not to a cluster."""
_SLUG: Final = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """One object's file, or one release's folder: its name, whose it is, and the paths that it does not really hold.

    `secrets` and `unknowns` are paths such as `stringData.token` at which `[secret]` or `[unknown]` stands.
    """

    name: str
    urn: str
    secrets: tuple[str, ...]
    unknowns: tuple[str, ...]


def check_directory(directory: Path) -> None:
    """Make sure that files can be written without touching what is not ours.

    Raises:
        SettingsFileError: it is no folder, or holds something that this command did not write.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise SettingsFileError(f"--manifests: {directory} is not a folder")
    ours = _written_before(directory)
    foreign = sorted(path.name for path in directory.iterdir() if path.name not in ours)
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")  # noqa: PLR2004 enough to know
        raise SettingsFileError(
            f"--manifests: {directory} holds what this command did not write ({shown}): "
            "name a new or empty folder, or move that away"
        )


def write_manifests(preview: Preview, directory: Path, *, charts_from: Path) -> tuple[ManifestFile, ...]:
    """Write all Kubernetes objects and Helm releases of a preview, in an order in which they can be applied.

    Args:
        preview: what to write; it must not be blocked.
        directory: new, empty, or written by an earlier run, whose files are replaced.
        charts_from: the project's folder; a chart that is a path there is named by its whole path.

    Returns:
        What was written, in that order.

    Raises:
        SettingsFileError: the folder is not ours to write.
        ValueError: a policy blocks the preview.
    """
    if preview.blocked:
        msg = "a policy blocks this preview: its objects must not be applied"
        raise ValueError(msg)
    check_directory(directory)
    directory.mkdir(parents=True, exist_ok=True)
    ours = _written_before(directory)
    # Only what the folder itself lists is ever deleted: a forged list could name `..`.
    for path in [entry for entry in directory.iterdir() if entry.name in ours - {MARKER}]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    ordered = in_order(preview.registrations)
    digits = max(3, len(str(len(ordered))))
    files = tuple(_file(registration, f"{number:0{digits}}") for number, registration in enumerate(ordered, 1))
    # First the list, then the files: an interrupted run is still recognized as ours.
    names = [_README, *(file.name for file in files)]
    (directory / MARKER).write_text(json.dumps({"version": 1, "files": names}, indent=1) + "\n", encoding="utf-8")
    for file, registration in zip(files, ordered, strict=True):
        _write(directory / file.name, registration, charts_from)
    readme = _readme(preview, files, ordered, charts_from)
    (directory / _README).write_text(readme, encoding="utf-8")
    return files


def left_out(preview: Preview) -> dict[str, int]:
    """How many resources of each type are neither a cluster's nor the engine's own, sorted: no file holds them."""
    types = (r.type for r in preview.registrations if r.custom and not is_kubernetes(r))
    return dict(sorted(Counter(each for each in types if not each.startswith("pulumi:")).items()))


def manifest(registration: Registration) -> dict[str, Any]:
    """The object as a cluster takes it; of a patch only the patched fields."""
    values = dict(registration.inputs)
    metadata = values.get("metadata")
    written = metadata.get("annotations") if is_map(metadata) else None
    if is_map(metadata) and is_map(written):
        annotations = {key: value for key, value in written.items() if not key.startswith(_DIRECTIVES)}
        rest = {key: value for key, value in metadata.items() if key != "annotations"}
        values["metadata"] = {**rest, "annotations": annotations} if annotations else rest
    top = {key: values[key] for key in _TOP if key in values}
    return {**top, **{key: value for key, value in values.items() if key not in _TOP}}


def is_patch(registration: Registration) -> bool:
    """Whether this changes fields of an object that is not ours (`NamespacePatch` and its like)."""
    return registration.type.endswith("Patch") and registration.inputs.get("kind") != _kind(registration)


def _kind(registration: Registration) -> str:
    return registration.type.rpartition(":")[2]


def _file(registration: Registration, number: str) -> ManifestFile:
    inputs = registration.inputs
    if registration.type == RELEASE_TYPE:
        parts = ["release", str(inputs.get("namespace") or ""), str(inputs.get("name") or registration.name)]
        ending = ""
    else:
        metadata: Any = inputs.get("metadata")
        metadata = metadata if is_map(metadata) else {}
        kind = str(inputs.get("kind") or _kind(registration))
        kind = f"{kind}-patch" if is_patch(registration) else kind
        parts = [kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or registration.name)]
        ending = ".yaml"
    slug = "-".join(_SLUG.sub("-", part.lower()).strip("-.") for part in parts if part)
    return ManifestFile(
        name=f"{number}-{slug}{ending}",
        urn=registration.urn,
        secrets=tuple(_paths(manifest(registration), Secret)),
        unknowns=tuple(_paths(manifest(registration), Unknown)),
    )


def _write(path: Path, registration: Registration, charts_from: Path) -> None:
    if registration.type != RELEASE_TYPE:
        path.write_text(to_yaml(manifest(registration)), encoding="utf-8")
        return
    path.mkdir()
    for name, text in release_files(registration, charts_from).items():
        (path / name).write_text(text, encoding="utf-8")


def _paths(value: Any, marker: type[str], path: str = "") -> list[str]:
    """Where in a value a marker stands."""
    if isinstance(value, marker):
        return [path]
    if is_map(value):
        return [p for key, item in value.items() for p in _paths(item, marker, f"{path}.{key}".removeprefix("."))]
    if is_list(value):
        return [p for index, item in enumerate(value) for p in _paths(item, marker, f"{path}[{index}]")]
    return []


def _written_before(directory: Path) -> frozenset[str]:
    """The names directly in `directory` that an earlier run wrote."""
    marker = directory / MARKER
    if not marker.is_file():
        return frozenset()
    try:
        names = json.loads(marker.read_text(encoding="utf-8"))["files"]
        return frozenset({MARKER, *(str(name) for name in names)})
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsFileError(f"--manifests: {marker} cannot be read; name another folder") from error


def _readme(preview: Preview, files: tuple[ManifestFile, ...], ordered: list[Registration], charts_from: Path) -> str:
    lines = [
        f"# {preview.project}, stack {preview.stack}",
        "",
        "Written by `egress preview --manifests`. In this order, from this folder:",
        "",
        "```sh",
    ]
    for file, registration in zip(files, ordered, strict=True):
        if registration.type == RELEASE_TYPE:
            lines += release_steps(registration, file.name, charts_from)
        else:
            force = " --force-conflicts" if is_patch(registration) else ""
            lines.append(f"kubectl apply --server-side{force} -f {file.name}")
    lines += ["```", ""]
    lines += _incomplete(files)
    lines += _not_here(left_out(preview))
    return "\n".join(lines)


def _not_here(types: dict[str, int]) -> list[str]:
    """What these files stand on."""
    if not types:
        return []
    listed = [f"- {count} {type_}" for type_, count in types.items()]
    return ["Not here, because only `pulumi up` creates it, before all of the above:", "", *listed, ""]


def _incomplete(files: tuple[ManifestFile, ...]) -> list[str]:
    """What to fill in before applying."""
    lines: list[str] = []
    for file in files:
        lines += [f"- {file.name}: `{path}` is a secret and not in the file" for path in file.secrets]
        lines += [f"- {file.name}: `{path}` is known only after `pulumi up`" for path in file.unknowns]
    return ["To be filled in first:", "", *lines, ""] if lines else []
