"""Pure functions from settings and approvals to what every layer registers. Imports no pulumi."""

from components.plan.building import Plan, make_plan
from components.plan.objects import KubeObject, NamespaceLabels, Release

__all__ = ["KubeObject", "NamespaceLabels", "Plan", "Release", "make_plan"]
