"""A Helm release as the files and the command with which helm would install it."""

import shlex
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
    """The lines for a shell that install the release.

    Args:
        registration: a `helm.v3.Release`.
        folder: the folder of `release_files`, as seen from where the lines are run.
        charts_from: where a chart that is a relative path begins: the project's folder.
    """
    inputs = registration.inputs
    words = [
        "helm",
        "upgrade",
        "--install",
        str(inputs.get("name") or registration.name),
        _chart(str(inputs.get("chart")), charts_from),
    ]
    repository: Any = inputs.get("repositoryOpts")
    repository = repository if is_map(repository) else {}
    options = {"--repo": repository.get("repo"), "--version": inputs.get("version")}
    options["--namespace"] = inputs.get("namespace")
    for option, value in options.items():
        if value:
            words += [option, str(value)]
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
    return [*login, shlex.join(words)]


def _chart(chart: str, charts_from: Path) -> str:
    """A chart by path is named by its whole path, since the command runs elsewhere than the program."""
    path = charts_from / chart
    return str(path.resolve()) if "://" not in chart and path.exists() else chart
