"""Manifests: files that kubectl and helm take, in an order that works."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_projects import PROVIDER, MakeProject

from cli.errors import SettingsFileError
from cli.offline.preview import Preview, preview
from cli.render.manifests import ManifestFile, check_directory, left_out, write_manifests
from cli.render.order import in_order
from cli.render.tree import preview_lines
from cli.render.yaml_text import to_yaml

SHUFFLED = (
    PROVIDER
    + """\
def space(name, **options):
    return kubernetes.core.v1.Namespace(name, metadata={"name": name},
        opts=pulumi.ResourceOptions(provider=provider, **options))

def object_(name, namespace, **options):
    return kubernetes.core.v1.ConfigMap(name, metadata={"name": name, "namespace": namespace},
        opts=pulumi.ResourceOptions(provider=provider, **options))

class Layer(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("egress:test:Layer", name)
        self.member = object_(f"{name}-member", "late", parent=self)

free = object_("free", "default")
layer = Layer("layer")
after_layer = object_("after-layer", "default", depends_on=[layer])
late = space("late")
definition = kubernetes.apiextensions.v1.CustomResourceDefinition("definition", metadata={"name": "definition"},
    spec={"group": "g", "names": {"kind": "K", "plural": "ks"}, "scope": "Namespaced", "versions": []},
    opts=on_cluster)
chart = kubernetes.helm.v3.Release("chart", chart="c", name="chart", namespace="late",
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[late]))
gated = space("gated", depends_on=[chart])
child = object_("child", "gated", parent=gated)
"""
)


def run(project: Path) -> Preview:
    """A preview without a pack."""
    return preview(project, "dev", with_policy=False)


def write(result: Preview, target: Path) -> tuple[ManifestFile, ...]:
    """All manifests of a preview."""
    return write_manifests(result, target, charts_from=target)


_CLOUD = (
    SHUFFLED
    + """
cloud = pulumi.ProviderResource("somecloud", "cloud", {})
for name in ("one", "two"):
    pulumi.CustomResource("somecloud:net/address:Address", name, {}, pulumi.ResourceOptions(provider=cloud))
"""
)


def test_what_no_file_holds_is_said(make_project: MakeProject, tmp_path: Path) -> None:
    """Guards against files that look like everything, and stand on resources that nobody has created."""
    result = run(make_project(_CLOUD))
    assert left_out(result) == {"somecloud:net/address:Address": 2}
    written = write(result, tmp_path / "out")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "only `pulumi up` creates" in readme
    assert "- 2 somecloud:net/address:Address\n" in readme
    assert "without 2 resources that only `pulumi up` creates" in preview_lines(result, written)[-1].plain
    assert len(written) == len(write(run(make_project(SHUFFLED)), tmp_path / "without"))
    assert "Not here" not in (tmp_path / "without" / "README.md").read_text()


def test_the_order_can_be_applied(make_project: MakeProject) -> None:
    """Guards against objects before their namespace, their definition, or what they depend on."""
    names = [registration.name for registration in in_order(run(make_project(SHUFFLED)).registrations)]
    assert names == ["late", "definition", "chart", "gated", "free", "layer-member", "after-layer", "child"]


def test_files_and_commands(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against names that sort otherwise than they are applied, and against a missing command."""
    target = tmp_path / "out"
    files = write(run(make_project(layers)), target)
    assert [file.name for file in files] == [
        "001-namespace-inner.yaml",
        "002-release-inner-base",
        "003-secret-inner-inner.yaml",
        "004-serviceentry-inner-rule.yaml",
        "005-namespace-patch-news.yaml",
    ]
    assert sorted(path.name for path in target.iterdir()) == sorted(
        [*(file.name for file in files), "README.md", ".egress-manifests"]
    )
    readme = (target / "README.md").read_text()
    assert "kubectl apply --server-side -f 001-namespace-inner.yaml\nhelm upgrade --install base " in readme
    assert "kubectl apply --server-side --force-conflicts -f 005-namespace-patch-news.yaml\n" in readme
    assert "- 003-secret-inner-inner.yaml: `stringData` is a secret and not in the file" in readme
    assert "- 004-serviceentry-inner-rule.yaml: `metadata.annotations.uid` is known only after" in readme


def test_objects_hold_what_a_cluster_takes(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against Pulumi's own annotations in a cluster, and a patch that would be a whole namespace."""
    target = tmp_path / "out"
    write(run(make_project(layers)), target)
    assert yaml.safe_load((target / "005-namespace-patch-news.yaml").read_text()) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "news", "labels": {"role": "client"}},
    }
    entry = yaml.safe_load((target / "004-serviceentry-inner-rule.yaml").read_text())
    assert entry["metadata"]["annotations"] == {"uid": "[unknown]"}
    assert entry["spec"] == {"exportTo": ["."], "hosts": ["yes", "1e3"]}


def test_a_release_is_a_folder(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against a release that nobody can install from what was written."""
    target = tmp_path / "out"
    write(run(make_project(layers)), target)
    folder = target / "002-release-inner-base"
    assert yaml.safe_load((folder / "values.yaml").read_text()) == {"a": {"b": True}}
    assert yaml.safe_load((folder / "chart.yaml").read_text()) == {
        "chart": "oci://charts.example/base",
        "version": "1.2.3",
        "name": "base",
        "namespace": "inner",
    }
    command = (
        "helm upgrade --install base oci://charts.example/base --version 1.2.3 --namespace inner --wait "
        "--timeout 300s --values ./values.yaml"
    )
    assert command in (folder / "README.md").read_text()


def test_crds_that_come_with_a_chart_are_applied_before_it(make_project: MakeProject, tmp_path: Path) -> None:
    """Guards against a README that upgrades a release and leaves its CRDs as they were, as Helm does."""
    program = PROVIDER + (
        "kubernetes.helm.v3.Release('r', chart='oci://charts.example/c', version='1.2.3', name='r', skip_crds=False, "
        "opts=on_cluster)\n"
    )
    write(run(make_project(program)), tmp_path / "out")
    assert (
        "helm show crds oci://charts.example/c --version 1.2.3 > 001-release-r/crds.yaml\n"
        "kubectl apply --server-side --force-conflicts -f 001-release-r/crds.yaml\n"
        "helm upgrade --install r oci://charts.example/c --version 1.2.3 --wait "
    ) in (tmp_path / "out" / "README.md").read_text()


def test_crds_that_are_skipped_are_not_applied(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against CRDs that a chart does not have, or that are somebody else's."""
    skipping = PROVIDER + "kubernetes.helm.v3.Release('r', chart='c', name='r', skip_crds=True, opts=on_cluster)\n"
    for number, program in enumerate((skipping, layers)):
        target = tmp_path / str(number)
        write(run(make_project(program, name=f"p{number}")), target)
        assert "helm show crds" not in (target / "README.md").read_text()


def test_a_chart_by_path_is_named_whole(make_project: MakeProject, tmp_path: Path) -> None:
    """Guards against a helm command that looks for the chart in the wrong folder."""
    program = PROVIDER + "kubernetes.helm.v3.Release('r', chart='charts/c', name='r', opts=on_cluster)\n"
    project = make_project(program)
    (project / "charts" / "c").mkdir(parents=True)
    write_manifests(run(project), tmp_path / "out", charts_from=project)
    assert f"--install r {project}/charts/c " in (tmp_path / "out" / "README.md").read_text()


def test_a_second_run_replaces_its_own_files(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against files of resources that no longer exist, which `kubectl apply -f DIR` would bring back."""
    target = tmp_path / "out"
    write(run(make_project(layers)), target)
    write(run(make_project(SHUFFLED, name="other")), target)
    assert not (target / "005-namespace-patch-news.yaml").exists()
    assert (target / "003-release-late-chart").is_dir()


def test_a_folder_of_others_is_refused(make_project: MakeProject, layers: str, tmp_path: Path) -> None:
    """Guards against overwriting what is not ours, also next to files of our own."""
    target = tmp_path / "out"
    write(run(make_project(layers)), target)
    check_directory(target)
    (target / "mine.yaml").write_text("kind: Mine\n")
    with pytest.raises(SettingsFileError, match=r"did not write \(mine\.yaml\)"):
        write(run(make_project(layers)), target)
    assert (target / "001-namespace-inner.yaml").exists()
    with pytest.raises(SettingsFileError, match="is not a folder"):
        check_directory(target / "mine.yaml")


def test_the_list_of_files_cannot_name_others(make_project: MakeProject, tmp_path: Path) -> None:
    """Guards against a forged list that makes the command delete files elsewhere."""
    target = tmp_path / "out"
    target.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("x")
    (target / ".egress-manifests").write_text('{"files": ["../precious", ".."]}')
    write(run(make_project()), target)
    assert precious.exists()


def test_nothing_is_written_while_a_policy_blocks(make_project: MakeProject, levels: str, tmp_path: Path) -> None:
    """Guards against handing out objects that the policy forbids."""
    program = PROVIDER + (
        "kubernetes.core.v1.Namespace('x', metadata={'name': 'x', 'labels': {'verdict': 'bad'}}, opts=on_cluster)\n"
    )
    result = preview(make_project(program, pack=levels), "dev")
    with pytest.raises(ValueError, match="a policy blocks"):
        write(result, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "on",
        "y",
        "1e3",
        "0x1F",
        "0777",
        "2027-01-01",
        "null",
        "~",
        "",
        " a",
        "a: b",
        "- a",
        "a\nb\n",
        "a\n\tb",
        "é",
        "#",
        "*a",
        "&a",
        "!a",
        "%",
        "@",
        "`",
        "'",
        '"',
        "a\\b",
        "\u2028",
        "true",
        "True",
        "1:30",
        ".5",
        "=",
        "<<",
        "a #b",
    ],
)
def test_text_stays_text_for_every_reader(text: str) -> None:
    """Guards against a host or label that becomes a number, a date or true on its way into a cluster."""
    import yaml12

    written = to_yaml({"key": text, "list": [text]})
    expected: Any = {"key": text, "list": [text]}
    assert yaml.safe_load(written) == expected
    assert yaml12.parse_yaml(written) == expected
