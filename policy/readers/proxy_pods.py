"""Whether a NetworkPolicy may select pods of a gateway: Envoy Gateway's proxies, or Istio's."""

import re
from typing import Final

from policy.reading import Node, Reader, root
from policy.rule import Context, Subject

_NAMESPACES: Final = frozenset({"envoy-gateway-system", "istio-egress", "istio-ingress", "istio-system"})
"""Where gateways run by the documentation of their projects."""
_PREFIX: Final = "gateway.envoyproxy.io/"
_OF_GATEWAYS: Final = {
    # envoyproxy/gateway: internal/infrastructure/kubernetes/proxy
    "app.kubernetes.io/component": re.compile("proxy"),
    # istio/istio: manifests/charts/gateways, the label of each gateway and what Gateway API deployments get
    "istio": re.compile(".*gateway.*"),
    "gateway.networking.k8s.io/gateway-name": re.compile(".*"),
}
"""Labels of gateways' pods, and the values that are theirs."""
_ONE_OF: Final = "In"
_EXISTS: Final = "Exists"


def may_select_proxy(subject: Subject, context: Context) -> bool:
    """Whether `subject`, a NetworkPolicy, may select a gateway's pod.

    It may by its namespace, by a label of gateways, or because it asks for no label at all. What cannot be read may
    select anything.
    """
    wanted = _wanted_by(subject)
    # A label that only other pods have would do to keep gateways out; one of theirs brings them in.
    return wanted is None or wanted == [] or means_proxy(subject, context)


def means_proxy(subject: Subject, context: Context) -> bool:
    """Whether `subject`, a NetworkPolicy, is about a gateway: by its namespace, or by a label of gateways."""
    if subject.ref.namespace in _NAMESPACES | context.gateway_namespaces:
        return True
    return any(_is_of_gateways(key, values) for key, values in _wanted_by(subject) or [])


def _wanted_by(subject: Subject) -> list[tuple[object, list[object]]] | None:
    """The labels that a policy asks for, with their values; None if they cannot be read."""
    reader = Reader()
    selector = reader.field(root(subject.whole), "spec", "podSelector")
    labels = reader.mapping(reader.field(selector, "matchLabels"))
    wanted = [(key, [value]) for key, value in labels.items()]
    for expression in reader.items(reader.field(selector, "matchExpressions")):
        wanted += _wanted(reader, expression)
    return None if reader.findings else wanted


def _wanted(reader: Reader, expression: Node) -> list[tuple[object, list[object]]]:
    """The label that `expression` asks for, with its values if it lists some; nothing where it only rules out."""
    key, operator = (reader.field(expression, name).value for name in ("key", "operator"))
    if operator == _EXISTS:
        return [(key, [])]
    if operator == _ONE_OF:
        return [(key, [item.value for item in reader.items(reader.field(expression, "values"))])]
    return []


def _is_of_gateways(key: object, values: list[object]) -> bool:
    if not isinstance(key, str):
        return True
    known = _OF_GATEWAYS.get(key)
    if known is None:
        return key.startswith(_PREFIX)
    return not values or any(not isinstance(value, str) or known.fullmatch(value) for value in values)
