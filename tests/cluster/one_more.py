"""One destination more than a stack declares, for the tests of growth."""

from typing import Final

from tests.cluster.bed.stack import Stack

_DESTINATION: Final = """\
    api:
      hosts: [api.example.org]
      ports: {grpc: {port: 50051, protocol: GRPC}, https: {port: 443, protocol: TLS}}
      clients: {news: {serviceAccounts: [other]}}
      owner: team-news
      ticket: FW-1045
      expires: "2029-12-31"
"""
_APPROVAL: Final = """\
  api:
    hosts: [api.example.org]
    ports: [443, 50051]
    reason: For this test
    owner: team-security
    ticket: SEC-99
    expires: "2029-12-31"
"""
_AFTER: Final = {"stack": "  cluster-egress:destinations:\n", "approvals": "publicRanges:\n"}


def declare(stack: Stack) -> None:
    """Have a stack file and its approvals hold one destination more."""
    _replace(
        stack, _AFTER["stack"], _AFTER["stack"] + _DESTINATION, _AFTER["approvals"], _AFTER["approvals"] + _APPROVAL
    )


def withdraw(stack: Stack) -> None:
    """Take it out again."""
    _replace(stack, _DESTINATION, "", _APPROVAL, "")


def _replace(stack: Stack, setting: str, new_setting: str, approval: str, new_approval: str) -> None:
    text = stack.file.read_text(encoding="utf-8")
    stack.file.write_text(text.replace(setting, new_setting, 1), encoding="utf-8")
    text = stack.approvals.read_text(encoding="utf-8")
    stack.approvals.write_text(text.replace(approval, new_approval, 1), encoding="utf-8")
