"""The adapter to Pulumi's policy SDK: from what the engine sends to subjects, and from violations to its reports.

The SDK decodes each object once per engine-level policy, so there are as few as can be: they dispatch to the rules.
"""

from collections.abc import Callable, Iterable, Mapping

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties
from pulumi_policy.proxy import (
    UNKNOWN_ARCHIVE_VALUE,
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_ASSET_VALUE,
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
)

from policy.reading import as_mapping, as_sequence
from policy.registry import RULES, judge_object, judge_stack, severity_in
from policy.rule import UNKNOWN, Context, ObjectRule, Registration, Rule, Severity, Subject, Violation
from policy.stack import context_of_environment
from policy.subjects import subjects_of_resource

PACK_NAME = "cluster-egress"

_UNKNOWNS = frozenset(
    {
        UNKNOWN_ARCHIVE_VALUE,
        UNKNOWN_ARRAY_VALUE,
        UNKNOWN_ASSET_VALUE,
        UNKNOWN_BOOLEAN_VALUE,
        UNKNOWN_NUMBER_VALUE,
        UNKNOWN_OBJECT_VALUE,
        UNKNOWN_STRING_VALUE,
    }
)

# The SDK puts a policy's description on a line before each message.
_SAID = {Severity.BLOCK: "unsafe", Severity.WARN: "questionable"}
_LEVELS = {Severity.BLOCK: EnforcementLevel.MANDATORY, Severity.WARN: EnforcementLevel.ADVISORY}


def run() -> None:
    """Serve the pack to the engine. Never returns: the engine ends the process."""
    PolicyPack(name=PACK_NAME, policies=[*policies_for(context_of_environment())])


def policies_for(context: Context) -> list[ResourceValidationPolicy | StackValidationPolicy]:
    """The engine-level policies: one for objects and one for the stack, per severity that occurs in this stack."""
    policies: list[ResourceValidationPolicy | StackValidationPolicy] = []
    for severity, level in _LEVELS.items():
        if _occurs(severity, context, lambda rule: isinstance(rule, ObjectRule)):
            policies.append(
                ResourceValidationPolicy(
                    name=f"objects-{severity}",
                    description=f"{_SAID[severity]} object",
                    validate=_object_validation(severity, context),
                    enforcement_level=level,
                )
            )
        if _occurs(severity, context, lambda rule: not isinstance(rule, ObjectRule)):
            policies.append(
                StackValidationPolicy(
                    name=f"stack-{severity}",
                    description=f"{_SAID[severity]} stack",
                    validate=_stack_validation(severity, context),
                    enforcement_level=level,
                )
            )
    return policies


def subjects_of_registered(
    resource_type: str, props: Mapping[str, object], registration: Registration
) -> tuple[Subject, ...]:
    """The objects that a resource registers; none if nobody here judges its kind.

    Args:
        resource_type: the type token.
        props: the properties as the SDK gives them: proxies that raise at an unknown value.
        registration: what the program says beside them.
    """
    return subjects_of_resource(resource_type, plain(serialize_properties(props)), registration, registration.urn)


def plain(value: object) -> object:
    """A serialised property as plain data: `UNKNOWN` for the SDK's markers, whole numbers as int."""
    fields, items = as_mapping(value), as_sequence(value)
    if fields is not None:
        return {key: plain(item) for key, item in fields.items()}
    if items is not None:
        return [plain(item) for item in items]
    if isinstance(value, str) and value in _UNKNOWNS:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _occurs(severity: Severity, context: Context, belongs: Callable[[Rule], bool]) -> bool:
    return any(belongs(rule) and severity_in(rule, context) is severity for rule in RULES)


def _object_validation(
    severity: Severity, context: Context
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        # Which resources a property comes from, the engine says of a whole stack only.
        registration = Registration(urn=args.urn, protected=args.opts.protect)
        for subject in subjects_of_registered(args.resource_type, args.props, registration):
            _report(judge_object(subject, context), severity, report_violation)

    return validate


def _stack_validation(severity: Severity, context: Context) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report_violation: ReportViolation) -> None:
        subjects = [
            subject
            for resource in args.resources
            for subject in subjects_of_registered(resource.resource_type, resource.props, _registration_of(resource))
        ]
        _report(judge_stack(subjects, context), severity, report_violation)

    return validate


def _registration_of(resource: PolicyResource) -> Registration:
    leads_to = {key: tuple(found.urn for found in others) for key, others in resource.property_dependencies.items()}
    return Registration(urn=resource.urn, leads_to=leads_to, protected=resource.opts.protect)


def _report(violations: Iterable[Violation], severity: Severity, report_violation: ReportViolation) -> None:
    for violation in violations:
        if violation.severity is severity:
            report_violation(str(violation), violation.origin or None)
