"""Waits until Cloud Firewall's engines know of a change: the one thing here that acts instead of declaring.

The engine keeps the provider in the state by this module's and the class's name: a state of before must find both.
"""

import time
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

_POLICIES, _SECONDS = "policies", "seconds"


class Waiting(dynamic.ResourceProvider):
    """Waits after every change of the policies; neither in a preview nor on deletion."""

    serialize_as_secret_always = False  # nothing in it is one, and a secret would hide a change of it

    def create(self, props: Mapping[str, Any]) -> dynamic.CreateResult:
        """Wait: the policies are new."""
        time.sleep(props[_SECONDS])
        return dynamic.CreateResult("propagated", dict(props))

    def diff(self, _id: str, _olds: Mapping[str, Any], _news: Mapping[str, Any]) -> dynamic.DiffResult:
        """Whether anything is to be written down."""
        return dynamic.DiffResult(changes=any(_olds[key] != _news[key] for key in (_POLICIES, _SECONDS)))

    def update(self, _id: str, _olds: Mapping[str, Any], _news: Mapping[str, Any]) -> dynamic.UpdateResult:
        """Wait if the policies are others than before."""
        if _olds[_POLICIES] != _news[_POLICIES]:
            time.sleep(_news[_SECONDS])
        return dynamic.UpdateResult(dict(_news))


class FirewallPropagation(dynamic.Resource, module="cluster-egress", name="FirewallPropagation"):
    """There once the policies are in force everywhere."""

    def __init__(self, name: str, *, policies: str, seconds: int, opts: pulumi.ResourceOptions) -> None:
        """Wait for `policies`, which is a digest of all that they say, after everything that `opts` depends on."""
        super().__init__(Waiting(), name, {_POLICIES: policies, _SECONDS: seconds}, opts)
