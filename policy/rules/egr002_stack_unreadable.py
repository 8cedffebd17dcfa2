"""EGR002: without its approvals or its settings a stack cannot be judged, so nothing in it may pass."""

from collections.abc import Iterator

from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(_subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    for problem in context.problems:
        yield Finding(path="", message=problem)


RULE = StackRule(
    id="EGR002",
    name="stack-unreadable",
    severity=Severity.BLOCK,
    summary="The approvals and the settings that rules need can be read, and nothing stands in for them.",
    why="An unreadable file of approvals could hide that nothing is approved, or that a client namespace exists. "
    "A file from elsewhere approves what the security team never saw.",
    remediation="mend the file or the setting, or unset the variable, that the message names, or have the security "
    "team add the approvals",
    example="""\
# policy/approvals/prod.yaml
version: 1
cluster:
  podCidrs: [10.244.0.0/16]
  serviceCidrs: [10.96.0.0/12]
  nodeCidrs: [192.168.0.0/24]
  apiServerAddresses: [192.168.0.10]
""",
    url="https://www.pulumi.com/docs/insights/policy/policy-packs/",
    source="The design of this project: who approves is not who asks",
    exceptable=False,
    check=_check,
)
