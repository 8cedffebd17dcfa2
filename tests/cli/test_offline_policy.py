"""The policy pack, asked as the engine asks it; whatever goes wrong with it must never look like a pass."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest
from cli_projects import PROVIDER, STACK, MakeProject

from cli.errors import PolicyPackError, ProgramDefectError
from cli.offline.analyzer import analyze
from cli.offline.pack_process import PackProcess
from cli.offline.preview import Preview, preview
from cli.offline.program import run_program
from cli.offline.project import load_project
from cli.offline.stack_file import read_stack_file

OBJECT = """\
kubernetes.core.v1.Secret(
    "{name}",
    metadata={{"name": "{name}", "labels": {{"verdict": "{verdict}"}}}},
    string_data={{"token": pulumi.Output.secret("hunter2-in-the-program")}},
    opts=on_cluster,
)
"""
HEAD = "from pulumi_policy import *\n"
PACK = HEAD + "PolicyPack('p', policies=[ResourceValidationPolicy('r', 'd', check)])\n"


def judged(project: Path) -> Preview:
    """A preview with the project's pack."""
    return preview(project, "dev")


def test_mandatory_blocks_and_advisory_does_not(make_project: MakeProject, levels: str) -> None:
    """Guards against a level that is lost on the way: advice that blocks, or a violation that passes."""
    project = make_project(PROVIDER + OBJECT.format(name="a", verdict="doubtful"), pack=levels)
    advised = judged(project)
    assert [(v.policy, v.blocking) for v in advised.violations] == [("advises", False), ("counts", False)]
    assert not advised.blocked
    blocked = judged(make_project(PROVIDER + OBJECT.format(name="b", verdict="bad"), pack=levels, name="bad"))
    assert blocked.blocked
    violation = blocked.violations[0]
    assert (violation.policy, violation.blocking, violation.pack) == ("blocks", True, "levels")
    assert violation.urn == "urn:pulumi:dev::cluster-egress::kubernetes:core/v1:Secret::b"
    assert violation.description == "Bad is not allowed."
    assert violation.pack_version == "1.2.3"


def test_a_pack_gets_secrets_but_its_messages_do_not_show_them(make_project: MakeProject, levels: str) -> None:
    """Guards against a rule that quotes what it judges, and so prints a secret."""
    result = judged(make_project(PROVIDER + OBJECT.format(name="b", verdict="bad"), pack=levels))
    assert result.violations[0].message == "Bad is not allowed.\nb is bad, it says [secret]"
    assert "hunter2" not in repr(result)


def test_stack_policies_see_parents_dependencies_and_providers(make_project: MakeProject, levels: str) -> None:
    """Guards against stack rules that cannot follow references, and then find nothing."""
    program = PROVIDER + (
        "space = kubernetes.core.v1.Namespace('space', metadata={'name': 'space'}, opts=on_cluster)\n"
        "group = pulumi.ComponentResource('egress:test:Group', 'group')\n"
        "kubernetes.core.v1.ConfigMap('observed', metadata={'name': 'm', 'namespace': space.metadata.name},\n"
        "    data={'uid': space.id}, opts=pulumi.ResourceOptions(parent=group, provider=provider))\n"
    )
    result = judged(make_project(program, pack=levels))
    seen, counted = result.violations
    assert seen.urn.endswith("ConfigMap::observed")
    assert seen.message == "How many.\nparent group; space; data=space,metadata=space; provider cluster"
    assert counted.message == "How many.\n5 resources"
    assert counted.urn == "urn:pulumi:dev::cluster-egress::pulumi:pulumi:Stack::cluster-egress-dev"


def test_every_resource_is_judged_with_the_engines_environment(make_project: MakeProject) -> None:
    """Guards against rules that never run: on providers, on components; and against a pack without its stack."""
    check = (
        "import os, pulumi\n"
        "def check(args, report):\n"
        "    names = ('PULUMI_PROJECT', 'PULUMI_STACK', 'PULUMI_DRY_RUN', 'PULUMI_ORGANIZATION')\n"
        "    config = pulumi.Config('cluster-egress').require('cluster')\n"
        "    report(f'{args.resource_type} {config} ' + ' '.join(os.environ[n] for n in names))\n"
    )
    pack = HEAD + check + PACK.removeprefix(HEAD)
    program = PROVIDER + "pulumi.ComponentResource('egress:test:Group', 'group')\n"
    messages = [v.message.partition("\n")[2] for v in judged(make_project(program, pack=pack)).violations]
    rest = ' {"name":"test"} cluster-egress dev true organization'
    types = ("pulumi:pulumi:Stack", "pulumi:providers:kubernetes", "egress:test:Group")
    assert messages == [f"{type_}{rest}" for type_ in types]


def test_a_configuration_longer_than_a_variable_reaches_the_pack(make_project: MakeProject) -> None:
    """Guards against a large stack that cannot be judged offline: Linux allows 128 KiB per variable."""
    check = (
        "import pulumi\ndef check(args, report):\n    report(str(len(pulumi.Config('cluster-egress').require('a'))))\n"
    )
    pack = HEAD + check + PACK.removeprefix(HEAD)
    result = judged(make_project("", stack=f"config:\n  a: {'x' * 300_000}\n", pack=pack))
    assert result.violations[0].message == "d\n300000"


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        ("raise ValueError('broken rule file')\n", r"ended before it could judge.*exit code 1(.|\n)*broken rule file"),
        ("import sys\nsys.exit(0)\n", r"ended before it could judge.*exit code 0"),
        ("print('hello')\nimport time\ntime.sleep(60)\n", "printed something before its port"),
        ("print(1)\nimport time\ntime.sleep(60)\n", "failed on its configuration"),
        (HEAD + "def check(args, report):\n    raise ValueError('rule bug')\n" + PACK.removeprefix(HEAD), "rule bug"),
        (
            HEAD + "import os\ndef check(args, report):\n    os._exit(7)\n" + PACK.removeprefix(HEAD),
            "failed on urn.*exit code 7",
        ),
        (
            HEAD + "PolicyPack('p', policies=[ResourceValidationPolicy('r', 'd', remediate=lambda args: None, "
            "enforcement_level=EnforcementLevel.REMEDIATE)])\n",
            "wants to change resources",
        ),
    ],
)
def test_a_pack_that_cannot_judge_is_an_error(make_project: MakeProject, pack: str, message: str) -> None:
    """Guards against a preview that looks clean because nobody judged it."""
    with pytest.raises(PolicyPackError, match=message):
        judged(make_project(pack=pack))


def test_a_missing_pack_is_an_error(make_project: MakeProject) -> None:
    """Guards against a wrong folder that turns policy off."""
    with pytest.raises(PolicyPackError, match=r"policy/PulumiPolicy\.yaml is missing"):
        judged(make_project())


def test_a_pack_that_hangs_at_its_start_is_an_error(make_project: MakeProject) -> None:
    """Guards against a preview that never ends."""
    project = load_project(make_project(pack="import time\ntime.sleep(600)\n"))
    pack = PackProcess(project, read_stack_file(project, "dev"), start_timeout_s=0.5)
    try:
        with pytest.raises(PolicyPackError, match=r"did not start within 0\.5 s"):
            pack.address()
    finally:
        pack.stop()


def test_a_rule_that_hangs_is_an_error(make_project: MakeProject) -> None:
    """Guards against a preview that never ends, and against taking silence for consent."""
    check = "import time\ndef check(args, report):\n    time.sleep(600)\n"
    project = load_project(make_project(pack=HEAD + check + PACK.removeprefix(HEAD)))
    config = read_stack_file(project, "dev")
    pack = PackProcess(project, config)
    try:
        with pytest.raises(PolicyPackError, match="gave no answer within 1 s on urn"):
            analyze(pack, project, config, run_program(project, config), call_timeout_s=1)
    finally:
        pack.stop()


def test_an_unknown_value_in_a_judged_field_is_told_as_in_the_engine(make_project: MakeProject) -> None:
    """Guards against a difference from the engine, where such a rule becomes advice: packs must handle it."""
    check = "def check(args, report):\n    args.props.get('data', {}).get('uid')\n"
    program = PROVIDER + (
        "space = kubernetes.core.v1.Namespace('space', metadata={'name': 'space'}, opts=on_cluster)\n"
        "kubernetes.core.v1.ConfigMap('m', metadata={'name': 'm'}, data={'uid': space.id}, opts=on_cluster)\n"
    )
    pack = HEAD + check + PACK.removeprefix(HEAD)
    (violation,) = judged(make_project(program, pack=pack)).violations
    assert not violation.blocking
    assert "can't be known during preview" in violation.message


@pytest.mark.parametrize("program", ["", "raise ValueError('x')\n"])
def test_no_process_is_left_behind(make_project: MakeProject, levels: str, program: str) -> None:
    """Guards against packs that pile up in the background, also after a failed program."""
    project = make_project(program, stack=STACK, pack=f"import os\nopen('pid', 'w').write(str(os.getpid()))\n{levels}")
    with pytest.raises(ProgramDefectError) if program else nullcontext():
        judged(project)
    pid = project / "policy" / "pid"
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_program_and_pack_start_together(make_project: MakeProject, levels: str) -> None:
    """Guards against waiting for one and then for the other, which doubles the time of a preview."""
    waits = (
        "import os, time\n"
        "for _ in range(600):\n"
        "    if os.path.exists('policy/started'):\n"
        "        break\n"
        "    time.sleep(0.05)\n"
        "else:\n"
        "    raise TimeoutError('the pack has not started')\n"
    )
    pack = f"open('started', 'w').close()\n{levels}"
    assert judged(make_project(waits, pack=pack)).policy is not None
