"""Approvals: one file a stack beside this module, and the one loader that the plan and the pack both use."""

from policy.approvals.loading import approvals_file, load_approvals
from policy.approvals.model import Approvals, RuleException

__all__ = ["Approvals", "RuleException", "approvals_file", "load_approvals"]
