"""Services that are offered: their Gateways, and from each backend's entry every object that it needs."""

from components.plan.offers.planning import BackendsPlan, OfferedBackend, plan_backends

__all__ = ["BackendsPlan", "OfferedBackend", "plan_backends"]
