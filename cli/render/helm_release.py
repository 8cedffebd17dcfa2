"""A Helm release as the files and the command with which helm would install it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.offline.records import Registration
from cli.plain_data import is_map
from cli.render.yaml_text import to_yaml


def release_files(registration: Registration, charts_from: Path) -> dict[str, str]:
    """The files of a release's folder: the chart's reference, the values, and the command."""
    inputs = registration.inputs
    chart = {
        key: inputs[key]
        for key in ("chart", "version", "repositoryOpts", "name", "namespace", "createNamespace", "skipCrds")
        if key in inputs
    }
    command = "\n".join(release_steps(registration, ".", charts_from))
    return {
        "chart.yaml": to_yaml(chart),
        "values.yaml": to_yaml(inputs.get("values") or {}),
        "README.md": f"Install, from this folder:\n\n```sh\n{command}\n```\n",
    }


def release_steps(registration: Registration, folder: str, charts_from: Path) -> list[str]:
    """The lines for a shell that install the release, or upgrade it.

    If the program says that CRDs come with the chart (`skipCrds: false`), they are applied first: Helm installs those
    of a chart's folder `crds` once, and leaves them alone at every upgrade.

    Args:
        registration: a `helm.v3.Release`.
        folder: the folder of `release_files`, as seen from where the lines are run.
        charts_from: where a chart that is a relative path begins: the project's folder.
    """
    inputs = registration.inputs
    repository: Any = inputs.get("repositoryOpts")
    repository = repository if is_map(repository) else {}
    source = {"--repo": repository.get("repo"), "--version": inputs.get("version")}
    chart = [_chart(str(inputs.get("chart")), charts_from), *_options(source)]
    words = ["helm", "upgrade", "--install", str(inputs.get("name") or registration.name), *chart]
    words += _options({"--namespace": inputs.get("namespace")})
    switches = {
        "--create-namespace": "createNamespace",
        "--skip-crds": "skipCrds",
        "--atomic": "atomic",
        "--disable-openapi-validation": "disableOpenapiValidation",
    }
    words += [switch for switch, key in switches.items() if inputs.get(key) is True]
    if inputs.get("skipAwait") is not True:
        # Pulumi waits for a release's objects unless told not to.
        words.append("--wait")
    if isinstance(inputs.get("timeout"), int):
        words += ["--timeout", f"{inputs['timeout']}s"]
    words += ["--values", f"{folder}/values.yaml"]
    login = ["# first log in to the chart's registry: helm registry login"] if "username" in repository else []
    crds = _crds(chart, f"{folder}/crds.yaml") if inputs.get("skipCrds") is False else []
    return [*login, *crds, shlex.join(words)]


def _crds(chart: list[str], file: str) -> list[str]:
    return [
        f"{shlex.join(['helm', 'show', 'crds', *chart])} > {file}",
        # Helm owns the fields of those that it has installed.
        f"kubectl apply --server-side --force-conflicts -f {file}",
    ]


def _options(values: Mapping[str, Any]) -> list[str]:
    return [word for option, value in values.items() if value for word in (option, str(value))]


def _chart(chart: str, charts_from: Path) -> str:
    """A chart by path is named by its whole path, since the command runs elsewhere than the program."""
    path = charts_from / chart
    return str(path.resolve()) if "://" not in chart and path.exists() else chart
