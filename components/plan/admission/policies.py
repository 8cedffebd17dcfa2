"""The three ValidatingAdmissionPolicies: where Backends lead, where their cousins lead, and who may write either."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.plan.admission import cel
from components.plan.admission.cel import Variable
from components.plan.admission.facts import fact_variables
from components.plan.admission.judging import Validation, empty, judging_validations, judging_variables
from components.plan.admission.kinds import backend_variables, other_variables
from components.plan.objects import KubeObject
from components.settings import Settings
from policy.approvals import Approvals

_API: Final = "admissionregistration.k8s.io/v1"
_BACKENDS: Final = "cluster-egress-backends"
_DESTINATIONS: Final = "cluster-egress-destinations"
_SUBJECTS: Final = "cluster-egress-subjects"

_Resources = Mapping[str, Sequence[str]]
"""API group -> resources; every served version of them."""

_DESTINATION_RESOURCES: Final[_Resources] = {
    "": ("endpoints", "services"),
    "discovery.k8s.io": ("endpointslices",),
    "gateway.envoyproxy.io": ("envoyextensionpolicies", "securitypolicies"),
    "networking.istio.io": ("serviceentries", "workloadentries", "workloadgroups"),
}
_SUBJECT_RESOURCES: Final[_Resources] = {
    "": ("endpoints", "services"),
    "discovery.k8s.io": ("endpointslices",),
    "gateway.envoyproxy.io": ("backends", "envoyextensionpolicies", "envoypatchpolicies", "envoyproxies"),
    "networking.istio.io": ("envoyfilters", "serviceentries", "workloadentries", "workloadgroups"),
}

_EVERY_CLUSTER: Final = ("default", "kube-node-lease", "kube-public", "kube-system")

_CONTROLLERS: Final = (
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "generic-garbage-collector",
    "namespace-controller",
)
"""The service accounts of those that write the addresses of pods, or clean up (cmd/kube-controller-manager)."""
_KUBERNETES_USERS: Final = (
    "system:apiserver",
    "system:kube-controller-manager",
    *(f"system:serviceaccount:kube-system:{name}" for name in _CONTROLLERS),
)
_KUBERNETES: Final = f"request.userInfo.username in {cel.texts(_KUBERNETES_USERS)}"
"""Kubernetes' own controllers, with and without a service account each."""
_OF_PODS: Final = "request.resource.resource in ['endpoints', 'endpointslices']"


@dataclass(frozen=True, kw_only=True)
class AdmissionPolicy:
    """A policy, and the binding that puts it in force."""

    policy: KubeObject
    binding: KubeObject


def plan_admission(settings: Settings, approvals: Approvals) -> tuple[AdmissionPolicy, ...]:
    """What the API server refuses under `enforce`, and warns of and records under `observe`."""
    actions = ["Deny"] if settings.egress.posture == "enforce" else ["Warn", "Audit"]
    facts = fact_variables(approvals, _namespaces(settings))
    planned = (
        _backends(facts, approvals),
        _destinations(facts),
        _subjects(approvals),
    )
    return tuple(_bound(policy, actions) for policy in planned)


def _namespaces(settings: Settings) -> list[str]:
    """The namespaces that are known: declared, ours, and those that every cluster has."""
    install = settings.install
    own = [install.istio.namespace, install.envoy_gateway.namespace, settings.egress.mesh.gateway.namespace]
    return [*settings.cluster.namespaces, *own, *_EVERY_CLUSTER]


def _backends(facts: Sequence[Variable], approvals: Approvals) -> KubeObject:
    resolvers = [f"{grant.namespace}/{grant.name}" for grant in approvals.dynamic_resolvers.values()]
    return _policy(
        _BACKENDS,
        {"gateway.envoyproxy.io": ("backends",)},
        conditions=[_changed()],
        variables=[
            *backend_variables(),
            Variable(name="type", expression="variables.spec.?type.orValue('Endpoints')"),
            Variable(name="approvedResolvers", expression=cel.texts(resolvers)),
            *facts,
            *judging_variables(blocks=False),
        ],
        validations=[*_backend_validations(), *judging_validations(blocks=False)],
    )


def _backend_validations() -> list[Validation]:
    return [
        _validation(
            "variables.endpoints.all(e, has(e.ip) || has(e.fqdn) || has(e.unix))"
            " && (variables.type != 'Endpoints' || variables.endpoints.size() > 0)",
            "EGR100: an endpoint is none of ip, fqdn or unix, or there is none",
        ),
        _validation(
            "variables.type == 'Endpoints' || (variables.type == 'DynamicResolver'"
            " && (request.namespace + '/' + object.metadata.name) in variables.approvedResolvers)",
            "EGR104: a DynamicResolver connects wherever the client says, and this one is not approved",
        ),
        _validation(
            "!variables.spec.?tls.?insecureSkipVerify.orValue(false)",
            "EGR105: insecureSkipVerify accepts any certificate",
        ),
        _validation(
            "!has(variables.spec.tls) || variables.spec.tls.?wellKnownCACertificates.orValue('') != ''"
            " || variables.spec.tls.?caCertificateRefs.orValue([]).size() > 0",
            "EGR105: tls names no certificate authority",
        ),
    ]


def _destinations(facts: Sequence[Variable]) -> KubeObject:
    return _policy(
        _DESTINATIONS,
        _DESTINATION_RESOURCES,
        conditions=[
            # They write the addresses of pods, which from anybody else are addresses of this cluster.
            {"name": "not-kubernetes-itself", "expression": f"!({_OF_PODS} && {_KUBERNETES})"},
            _changed(),
        ],
        variables=[*other_variables(), *facts, *judging_variables(blocks=True)],
        validations=[
            _validation(
                "!variables.spec.?hosts.orValue([]).exists(h, h == '*' || (h.startsWith('*.')"
                " && !h.substring(2).contains('.')))",
                "EGR201: a host stands for every name, or for a whole top-level domain",
            ),
            *judging_validations(blocks=True),
        ],
    )


def _subjects(approvals: Approvals) -> KubeObject:
    subjects = approvals.platform_subjects.values()
    users = [each.name for each in subjects if each.kind == "User"]
    users += [
        f"system:serviceaccount:{each.namespace}:{each.name}" for each in subjects if each.kind == "ServiceAccount"
    ]
    refused = (
        "[request.userInfo.username + ' may not write ' + request.resource.resource"
        " + ', which open the cluster: that is for the platformSubjects of the approvals']"
    )
    return _policy(
        _SUBJECTS,
        _SUBJECT_RESOURCES,
        conditions=[
            # Garbage collection and namespace deletion take finalizers and owners away.
            {
                "name": "not-kubernetes-itself",
                "expression": f"!({_KUBERNETES} && ({_OF_PODS}"
                " || (oldObject != null && object.?spec == oldObject.?spec)))",
            },
            # An empty Endpoints or EndpointSlice leads nowhere: some leader elections still keep their lock in one.
            {"name": "leads-somewhere", "expression": _LEADS_SOMEWHERE},
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


_LEADS_SOMEWHERE: Final = (
    "request.resource.resource == 'endpoints' ? object.?subsets.orValue([]).size() > 0"
    " : request.resource.resource == 'endpointslices' ? has(object.endpoints) && object.endpoints != null"
    " && object.endpoints.size() > 0"
    # A Service is anybody's, but not one that takes traffic for addresses of others (CVE-2020-8554).
    " : request.resource.resource == 'services' ? object.?spec.?externalIPs.orValue([]).size() > 0"
    " && (oldObject == null || object.spec.externalIPs != oldObject.?spec.?externalIPs.orValue([]))"
    " : true"
)


def _changed() -> dict[str, str]:
    """Labels and finalizers of an object that is there already can change, so that it can still be deleted."""
    return {
        "name": "says-where-to",
        "expression": "oldObject == null || !has(object.spec) || object.spec != oldObject.?spec.orValue(null)",
    }


def _policy(
    name: str,
    resources: _Resources,
    *,
    conditions: Sequence[Mapping[str, str]],
    variables: Sequence[Variable],
    validations: Sequence[Validation],
) -> KubeObject:
    return KubeObject(
        api_version=_API,
        kind="ValidatingAdmissionPolicy",
        name=name,
        spec={
            "failurePolicy": "Fail",
            "matchConstraints": {
                "matchPolicy": "Equivalent",
                "resourceRules": [
                    {
                        "apiGroups": [group],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": list(resources[group]),
                    }
                    for group in sorted(resources)
                ],
            },
            "matchConditions": [dict(condition) for condition in conditions],
            "variables": [{"name": each.name, "expression": each.expression} for each in variables],
            "validations": list(validations),
        },
    )


def _validation(expression: str, message: str) -> Validation:
    return {"expression": expression, "message": message, "reason": "Forbidden"}


def _bound(policy: KubeObject, actions: Sequence[str]) -> AdmissionPolicy:
    return AdmissionPolicy(
        policy=policy,
        binding=KubeObject(
            api_version=_API,
            kind="ValidatingAdmissionPolicyBinding",
            name=policy.name,
            spec={"policyName": policy.name, "validationActions": list(actions)},
        ),
    )
