"""A pack with one blocking and one advisory rule; each finds resources by a label."""

from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)


def _labels(args: ResourceValidationArgs) -> Any:
    return args.props.get("metadata", {}).get("labels", {})


def _blocking(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if _labels(args).get("verdict") == "bad":
        quoted = args.props["stringData"]["token"] if "stringData" in args.props else ""
        report(f"{args.name} is bad, it says {quoted}", None)


def _advisory(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if _labels(args).get("verdict") == "doubtful":
        report(f"{args.name} is doubtful", None)


def _stack(args: StackValidationArgs, report: ReportViolation) -> None:
    for resource in args.resources:
        if resource.name == "observed":
            dependencies = ",".join(sorted(d.name for d in resource.dependencies))
            by_property = ",".join(f"{k}={v[0].name}" for k, v in sorted(resource.property_dependencies.items()) if v)
            parent = resource.parent.name if resource.parent is not None else ""
            provider = resource.provider.name if resource.provider is not None else ""
            report(f"parent {parent}; {dependencies}; {by_property}; provider {provider}", resource.urn)
    report(f"{len(args.resources)} resources", None)


PolicyPack(
    "levels",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy("blocks", "Bad is not allowed.", _blocking),
        ResourceValidationPolicy("advises", "Doubtful.", _advisory, enforcement_level=EnforcementLevel.ADVISORY),
        StackValidationPolicy("counts", "How many.", _stack, enforcement_level=EnforcementLevel.ADVISORY),
    ],
)
