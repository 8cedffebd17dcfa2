"""A preview as one JSON object, for machines.

Version 1; keys are sorted, new keys may be added, a change of meaning raises `version`:

    version     1
    result      "clean", "blocked" (a policy blocks), "settings" or "internal" (see `error`)
    error       only with the last two: the text that a person is shown; nothing below then
    project     name of the Pulumi project
    stack       name of the stack
    resources   list, in the order of registration, the stack itself first; of each: urn, type, name, custom, parent,
                provider, inputs, dependencies, propertyDependencies, protect, aliases, ignoreChanges,
                additionalSecretOutputs, replaceOnChanges, deleteBeforeReplace, retainOnDelete, deletedWith, importId,
                version, customTimeouts, and outputs of those that are not custom
    counts      type -> how many, without the stack
    policy      pack, version, policies (names), violations: list of policy, blocking, severity, message,
                description, urn; null where no pack was asked
    outputs     the stack's outputs
    messages    list of severity, text: what program and pack logged
    manifests   list of file, urn, secrets, unknowns: what --manifests wrote

A secret is the text "[secret]", a value that is known only after an `up` is "[unknown]".
"""

from typing import Any, Final

from cli.offline.analyzer import PolicyResult
from cli.offline.preview import Preview
from cli.offline.records import Registration
from cli.render.manifests import ManifestFile

VERSION: Final = 1


def preview_json(preview: Preview, manifests: tuple[ManifestFile, ...] = ()) -> dict[str, Any]:
    """A preview as plain data in the shape above."""
    return {
        "version": VERSION,
        "result": "blocked" if preview.blocked else "clean",
        "project": preview.project,
        "stack": preview.stack,
        "resources": [_resource(registration) for registration in preview.registrations],
        "counts": preview.counts,
        "policy": _policy(preview.policy),
        "outputs": preview.outputs,
        "messages": [{"severity": message.severity, "text": message.text} for message in preview.messages],
        "manifests": [
            {"file": file.name, "urn": file.urn, "secrets": file.secrets, "unknowns": file.unknowns}
            for file in manifests
        ],
    }


def _resource(registration: Registration) -> dict[str, Any]:
    resource = {
        "urn": registration.urn,
        "type": registration.type,
        "name": registration.name,
        "custom": registration.custom,
        "parent": registration.parent,
        "provider": registration.provider,
        "inputs": registration.inputs,
        "dependencies": registration.dependencies,
        "propertyDependencies": registration.property_dependencies,
        "protect": registration.protect,
        "aliases": registration.aliases,
        "ignoreChanges": registration.ignore_changes,
        "additionalSecretOutputs": registration.additional_secret_outputs,
        "replaceOnChanges": registration.replace_on_changes,
        "deleteBeforeReplace": registration.delete_before_replace,
        "retainOnDelete": registration.retain_on_delete,
        "deletedWith": registration.deleted_with,
        "importId": registration.import_id,
        "version": registration.version,
        "customTimeouts": registration.custom_timeouts,
    }
    # A custom resource's outputs are its inputs in a preview; they would double the size.
    return resource if registration.custom else {**resource, "outputs": registration.outputs}


def _policy(policy: PolicyResult | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {
        "pack": policy.pack,
        "version": policy.version,
        "policies": policy.policies,
        "violations": [
            {
                "policy": violation.policy,
                "blocking": violation.blocking,
                "severity": violation.severity,
                "message": violation.message,
                "description": violation.description,
                "urn": violation.urn,
            }
            for violation in policy.violations
        ],
    }
