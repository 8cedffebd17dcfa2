"""The three ValidatingAdmissionPolicies: where Backends lead, where their cousins lead, and who may write either."""

from collections.abc import Sequence
from typing import Final

from components.plan.admission import cel
from components.plan.admission.cel import Variable
from components.plan.admission.exempt import KUBERNETES, OF_PODS
from components.plan.admission.facts import fact_variables
from components.plan.admission.forming import AdmissionPolicy, Resources, bound, policy, validation
from components.plan.admission.judging import Validation, judging_validations, judging_variables
from components.plan.admission.kinds import backend_variables, other_variables
from components.plan.admission.subjects import subjects_policy
from components.plan.objects import KubeObject
from components.settings import Settings
from policy.approvals import Approvals

_BACKENDS: Final = "cluster-egress-backends"
_DESTINATIONS: Final = "cluster-egress-destinations"

_DESTINATION_RESOURCES: Final[Resources] = {
    "": ("endpoints", "services"),
    "discovery.k8s.io": ("endpointslices",),
    "gateway.envoyproxy.io": ("envoyextensionpolicies", "securitypolicies"),
    "networking.istio.io": ("serviceentries", "workloadentries", "workloadgroups"),
}
_EVERY_CLUSTER: Final = ("default", "kube-node-lease", "kube-public", "kube-system")


def plan_admission(settings: Settings, approvals: Approvals) -> tuple[AdmissionPolicy, ...]:
    """What the API server refuses under `enforce`, and warns of and records under `observe`."""
    actions = ["Deny"] if settings.egress.posture == "enforce" else ["Warn", "Audit"]
    facts = fact_variables(approvals, _namespaces(settings))
    planned = (
        _backends(facts, approvals),
        _destinations(facts),
        subjects_policy(settings, approvals),
    )
    return tuple(bound(each, actions) for each in planned)


def _namespaces(settings: Settings) -> list[str]:
    """The namespaces that are known: declared, ours, and those that every cluster has."""
    install = settings.install
    own = [install.istio.namespace, install.envoy_gateway.namespace, settings.egress.mesh.gateway.namespace]
    return [*settings.cluster.namespaces, *own, *_EVERY_CLUSTER]


def _backends(facts: Sequence[Variable], approvals: Approvals) -> KubeObject:
    resolvers = [f"{grant.namespace}/{grant.name}" for grant in approvals.dynamic_resolvers.values()]
    return policy(
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
        validation(
            "variables.endpoints.all(e, has(e.ip) || has(e.fqdn) || has(e.unix))"
            " && (variables.type != 'Endpoints' || variables.endpoints.size() > 0)",
            "EGR100: an endpoint is none of ip, fqdn or unix, or there is none",
        ),
        validation(
            "variables.type == 'Endpoints' || (variables.type == 'DynamicResolver'"
            " && (request.namespace + '/' + object.metadata.name) in variables.approvedResolvers)",
            "EGR104: a DynamicResolver connects wherever the client says, and this one is not approved",
        ),
        validation(
            "!variables.spec.?tls.?insecureSkipVerify.orValue(false)",
            "EGR105: insecureSkipVerify accepts any certificate",
        ),
        validation(
            "!has(variables.spec.tls) || variables.spec.tls.?wellKnownCACertificates.orValue('') != ''"
            " || variables.spec.tls.?caCertificateRefs.orValue([]).size() > 0",
            "EGR105: tls names no certificate authority",
        ),
    ]


def _destinations(facts: Sequence[Variable]) -> KubeObject:
    return policy(
        _DESTINATIONS,
        _DESTINATION_RESOURCES,
        conditions=[
            # They write the addresses of pods, which from anybody else are addresses of this cluster.
            {"name": "not-kubernetes-itself", "expression": f"!({OF_PODS} && {KUBERNETES})"},
            _changed(),
        ],
        variables=[*other_variables(), *facts, *judging_variables(blocks=True)],
        validations=[
            validation(
                "!variables.spec.?hosts.orValue([]).exists(h, h == '*' || (h.startsWith('*.')"
                " && !h.substring(2).contains('.')))",
                "EGR201: a host stands for every name, or for a whole top-level domain",
            ),
            *judging_validations(blocks=True),
        ],
    )


def _changed() -> dict[str, str]:
    """Labels and finalizers of an object that is there already can change, so that it can still be deleted."""
    return {
        "name": "says-where-to",
        "expression": "oldObject == null || !has(object.spec) || object.spec != oldObject.?spec.orValue(null)",
    }
