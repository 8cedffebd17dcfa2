"""Admission policies: what the API server itself refuses, also from those who go past the pack."""

from components.plan.admission.forming import AdmissionPolicy
from components.plan.admission.policies import plan_admission

__all__ = ["AdmissionPolicy", "plan_admission"]
