"""Who may write what opens the cluster, or what backends are made of: platform subjects, and nobody else."""

from typing import Final

from components.plan.admission import cel
from components.plan.admission.cel import Variable
from components.plan.admission.exempt import KUBERNETES, OF_PODS
from components.plan.admission.forming import Resources, policy
from components.plan.admission.judging import empty
from components.plan.objects import KubeObject
from components.plan.offers.listeners import gateway_name, gateways_of
from components.settings import Settings
from policy.approvals import Approvals

_GATEWAY_API: Final = "gateway.networking.k8s.io"
_RESOURCES: Final[Resources] = {
    "": ("endpoints", "services"),
    "discovery.k8s.io": ("endpointslices",),
    "gateway.envoyproxy.io": (
        "backends",
        "backendtrafficpolicies",
        "clienttrafficpolicies",
        "envoyextensionpolicies",
        "envoypatchpolicies",
        "envoyproxies",
        "httproutefilters",
        "securitypolicies",
    ),
    _GATEWAY_API: (
        "backendtlspolicies",
        "gatewayclasses",
        "gateways",
        "grpcroutes",
        "httproutes",
        "listenersets",
        "referencegrants",
        "tcproutes",
        "tlsroutes",
        "udproutes",
    ),
    "networking.istio.io": ("envoyfilters", "serviceentries", "workloadentries", "workloadgroups"),
}
_NAME: Final = "cluster-egress-subjects"
_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
"""What a class calls Envoy Gateway."""


def subjects_policy(settings: Settings, approvals: Approvals) -> KubeObject:
    """Everybody else is refused, cluster-admin or not: RBAC only adds up, so it cannot keep anybody out."""
    subjects = approvals.platform_subjects.values()
    users = [each.name for each in subjects if each.kind == "User"]
    users += [
        f"system:serviceaccount:{each.namespace}:{each.name}" for each in subjects if each.kind == "ServiceAccount"
    ]
    refused = (
        "[request.userInfo.username + ' may not write ' + request.resource.resource"
        " + ', which open the cluster: that is for the platformSubjects of the approvals']"
    )
    return policy(
        _NAME,
        _RESOURCES,
        conditions=[
            # Garbage collection and namespace deletion take finalizers and owners away.
            {
                "name": "not-kubernetes-itself",
                "expression": f"!({KUBERNETES} && ({OF_PODS}"
                " || (oldObject != null && object.?spec == oldObject.?spec)))",
            },
            # An empty Endpoints or EndpointSlice leads nowhere: some leader elections still keep their lock in one.
            {"name": "leads-somewhere", "expression": _leads_somewhere(settings)},
        ],
        variables=[
            Variable(name="users", expression=cel.texts(users)),
            Variable(name="groups", expression=cel.texts(each.name for each in subjects if each.kind == "Group")),
            Variable(
                name="isPlatform",
                expression="request.userInfo.username in variables.users"
                " || request.userInfo.?groups.orValue([]).exists(g, g in variables.groups)",
            ),
            Variable(name="refused", expression=f"variables.isPlatform ? [] : {refused}"),
        ],
        validations=[empty("refused")],
    )


def _leads_somewhere(settings: Settings) -> str:
    """Whether an object is one that matters; what no case names does."""
    return (
        "request.resource.resource == 'endpoints' ? object.?subsets.orValue([]).size() > 0"
        " : request.resource.resource == 'endpointslices' ? has(object.endpoints) && object.endpoints != null"
        " && object.endpoints.size() > 0"
        # A Service is anybody's, but not one that takes traffic for addresses of others (CVE-2020-8554).
        " : request.resource.resource == 'services' ? object.?spec.?externalIPs.orValue([]).size() > 0"
        " && (oldObject == null || object.spec.externalIPs != oldObject.?spec.?externalIPs.orValue([]))"
        # Envoy Gateway itself puts its finalizer on classes.
        f" : request.resource.resource == 'gatewayclasses' ? object.spec.controllerName == {cel.text(_CONTROLLER)}"
        " && (oldObject == null || object.spec != oldObject.spec)"
        f" : request.resource.group == '{_GATEWAY_API}' ? request.namespace in {cel.texts(_own_namespaces(settings))}"
        " || (request.resource.resource == 'gateways'"
        f" && object.spec.gatewayClassName in {cel.texts(map(gateway_name, gateways_of(settings)))})"
        " : true"
    )


def _own_namespaces(settings: Settings) -> list[str]:
    """Where the Gateways stand to which our routes attach. Elsewhere Gateway API is for everybody."""
    return [settings.install.envoy_gateway.namespace, settings.egress.mesh.gateway.namespace]
