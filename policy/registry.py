"""All rules, in order, and the one way to judge with them that every front end shares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from policy.exceptions import exception_for
from policy.rule import (
    ANY_KIND,
    AuditRule,
    Context,
    Finding,
    ObjectRef,
    ObjectRule,
    Posture,
    Rule,
    Severity,
    StackRule,
    Subject,
    Violation,
)
from policy.rules import (
    egr001_unreadable_object,
    egr002_stack_unreadable,
    egr003_expired_exception,
    egr004_unused_exception,
    egr100_unreadable_destination,
    egr101_loopback_address,
    egr102_metadata_address,
    egr103_cluster_name,
    egr104_dynamic_resolver,
    egr105_tls_verification_off,
    egr106_special_address,
    egr107_cluster_address,
    egr108_private_address,
    egr109_special_name,
    egr110_denied_port,
    egr111_questionable_port,
    egr112_plain_text_to_tls_port,
    egr113_server_name_unset,
    egr114_unix_socket,
    egr201_service_entry_wide_open,
    egr202_mesh_outbound_open,
    egr203_sidecar_outbound_open,
    egr204_mesh_capture_narrowed,
    egr205_mesh_mtls_off,
    egr206_tls_mode_unset,
    egr207_mesh_mtls_permissive,
    egr208_authorization_policy_open,
    egr209_authorization_caller_unnamed,
    egr210_authorization_dry_run,
    egr211_virtual_service_catch_all,
    egr212_virtual_service_target,
    egr213_raw_proxy_config,
    egr214_proxy_extension_unpinned,
    egr215_request_authentication_forgeable,
    egr216_gateway_tls_weak,
    egr217_gateway_auto_passthrough,
    egr301_client_namespace_open,
    egr302_network_policy_wide,
    egr303_service_source_ranges_wide,
    egr304_service_external_ips,
    egr305_network_policy_special_address,
    egr306_network_policy_lets_in,
    egr307_plugin_policy_wide,
    egr401_declaration_missing,
    egr500_unreadable_route,
    egr501_route_without_authentication,
    egr502_route_without_hostnames,
    egr503_cross_namespace_reference,
    egr504_reference_grant_wide,
    egr505_route_rewrite,
    egr506_weak_authentication,
    egr507_client_cidrs_wide,
    egr508_client_ip_unclear,
    egr509_upstream_by_header,
    egr510_backend_api_enabled,
    egr511_plain_url,
    egr512_tls_too_old,
    egr513_raw_envoy_config,
    egr514_envoy_gateway_extension,
    egr515_envoy_gateway_admin,
    egr516_reference_grant_unnamed,
    egr517_client_certificate_claimed,
    egr518_path_ambiguous,
    egr519_client_certificate_optional,
    egr520_extension_code,
    egr521_extension_fails_open,
    egr522_connect_tunnel,
    egr523_route_redirect,
    egr601_broad_egress_write,
    egr602_unapproved_egress_write,
    egr603_host_network,
    egr604_host_path,
    egr605_privileged_pod,
    egr606_sidecar_bypass,
    egr607_egress_node_taken,
    egr608_host_alias,
    egr609_proxy_host_path,
    egr610_role_not_seen,
)

RULES: tuple[Rule, ...] = (
    egr001_unreadable_object.RULE,
    egr002_stack_unreadable.RULE,
    egr003_expired_exception.RULE,
    egr004_unused_exception.RULE,
    egr100_unreadable_destination.RULE,
    egr101_loopback_address.RULE,
    egr102_metadata_address.RULE,
    egr103_cluster_name.RULE,
    egr104_dynamic_resolver.RULE,
    egr105_tls_verification_off.RULE,
    egr106_special_address.RULE,
    egr107_cluster_address.RULE,
    egr108_private_address.RULE,
    egr109_special_name.RULE,
    egr110_denied_port.RULE,
    egr111_questionable_port.RULE,
    egr112_plain_text_to_tls_port.RULE,
    egr113_server_name_unset.RULE,
    egr114_unix_socket.RULE,
    egr201_service_entry_wide_open.RULE,
    egr202_mesh_outbound_open.RULE,
    egr203_sidecar_outbound_open.RULE,
    egr204_mesh_capture_narrowed.RULE,
    egr205_mesh_mtls_off.RULE,
    egr206_tls_mode_unset.RULE,
    egr207_mesh_mtls_permissive.RULE,
    egr208_authorization_policy_open.RULE,
    egr209_authorization_caller_unnamed.RULE,
    egr210_authorization_dry_run.RULE,
    egr211_virtual_service_catch_all.RULE,
    egr212_virtual_service_target.RULE,
    egr213_raw_proxy_config.RULE,
    egr214_proxy_extension_unpinned.RULE,
    egr215_request_authentication_forgeable.RULE,
    egr216_gateway_tls_weak.RULE,
    egr217_gateway_auto_passthrough.RULE,
    egr301_client_namespace_open.RULE,
    egr302_network_policy_wide.RULE,
    egr303_service_source_ranges_wide.RULE,
    egr304_service_external_ips.RULE,
    egr305_network_policy_special_address.RULE,
    egr306_network_policy_lets_in.RULE,
    egr307_plugin_policy_wide.RULE,
    egr401_declaration_missing.RULE,
    egr500_unreadable_route.RULE,
    egr501_route_without_authentication.RULE,
    egr502_route_without_hostnames.RULE,
    egr503_cross_namespace_reference.RULE,
    egr504_reference_grant_wide.RULE,
    egr505_route_rewrite.RULE,
    egr506_weak_authentication.RULE,
    egr507_client_cidrs_wide.RULE,
    egr508_client_ip_unclear.RULE,
    egr509_upstream_by_header.RULE,
    egr510_backend_api_enabled.RULE,
    egr511_plain_url.RULE,
    egr512_tls_too_old.RULE,
    egr513_raw_envoy_config.RULE,
    egr514_envoy_gateway_extension.RULE,
    egr515_envoy_gateway_admin.RULE,
    egr516_reference_grant_unnamed.RULE,
    egr517_client_certificate_claimed.RULE,
    egr518_path_ambiguous.RULE,
    egr519_client_certificate_optional.RULE,
    egr520_extension_code.RULE,
    egr521_extension_fails_open.RULE,
    egr522_connect_tunnel.RULE,
    egr523_route_redirect.RULE,
    egr601_broad_egress_write.RULE,
    egr602_unapproved_egress_write.RULE,
    egr603_host_network.RULE,
    egr604_host_path.RULE,
    egr605_privileged_pod.RULE,
    egr606_sidecar_bypass.RULE,
    egr607_egress_node_taken.RULE,
    egr608_host_alias.RULE,
    egr609_proxy_host_path.RULE,
    egr610_role_not_seen.RULE,
)
"""Every rule in force, sorted by id."""

RETIRED_IDS: frozenset[str] = frozenset()
"""Ids of rules that were; they are never given to another rule."""

_STACK = ObjectRef(kind="stack", name="itself")


def judge(subjects: Iterable[Subject], context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge the objects of a stack with every rule: each object by itself, all together, and the approvals."""
    every = tuple(subjects)
    court = _Court(context=context)
    for subject in every:
        court.try_object(subject, rules)
    court.try_stack(every, rules)
    court.try_approvals(rules)
    return court.violations


def judge_object(subject: Subject, context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge one object by itself: what `judge` says of it without knowing the others."""
    court = _Court(context=context)
    court.try_object(subject, rules)
    return court.violations


def judge_stack(subjects: Iterable[Subject], context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge the stack and its approvals: what `judge` says beyond what `judge_object` says of each object."""
    every = tuple(subjects)
    court = _Court(context=context)
    if context.grants.exceptions:  # only to learn which of them are used
        for subject in every:
            court.try_object(subject, rules)
        court.violations.clear()
    court.try_stack(every, rules)
    court.try_approvals(rules)
    return court.violations


def severity_in(rule: Rule, context: Context) -> Severity:
    """What a violation of `rule` does in this stack."""
    if rule.id in context.raised:
        return Severity.BLOCK
    if rule.lockdown and context.posture is Posture.OBSERVE:
        return Severity.WARN
    return rule.severity


@lru_cache(maxsize=1024)
def _object_rules(group_kind: str, rules: tuple[Rule, ...]) -> tuple[ObjectRule, ...]:
    """The rules that judge an object of this kind by itself."""
    kinds = {ANY_KIND, group_kind}
    return tuple(rule for rule in rules if isinstance(rule, ObjectRule) and not rule.applies_to.isdisjoint(kinds))


@dataclass(kw_only=True)
class _Court:
    """Collects violations while rules are applied, and remembers which exceptions were used."""

    context: Context
    violations: list[Violation] = field(default_factory=list[Violation])
    used: set[str] = field(default_factory=set[str])

    def try_object(self, subject: Subject, rules: tuple[Rule, ...]) -> None:
        for rule in _object_rules(subject.group_kind, rules):
            check = rule.check
            self._apply(rule, lambda check=check: check(subject, self.context), subject.ref, subject.origin)

    def try_stack(self, subjects: tuple[Subject, ...], rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            if isinstance(rule, StackRule):
                check = rule.check
                judged = tuple(s for s in subjects if not rule.applies_to.isdisjoint({ANY_KIND, s.group_kind}))
                self._apply(rule, lambda check=check, judged=judged: check(judged, self.context), _STACK, "")

    def try_approvals(self, rules: tuple[Rule, ...]) -> None:
        used = frozenset(self.used)
        for rule in rules:
            if isinstance(rule, AuditRule):
                check = rule.check
                self._apply(rule, lambda check=check: check(used, self.context), _STACK, "")

    def _apply(self, rule: Rule, run: Callable[[], Iterable[Finding]], ref: ObjectRef, origin: str) -> None:
        try:
            findings = list(run())
        except Exception as error:  # noqa: BLE001 - a rule that fails must not let its object pass
            message = f"the rule itself failed: {type(error).__name__}: {error}"
            self._add(rule, Severity.BLOCK, Finding(path="", message=message, ref=ref, origin=origin))
            return
        severity = severity_in(rule, self.context)
        for found in findings:
            finding = found if found.ref is not None else replace(found, ref=ref, origin=origin)
            exception = exception_for(rule, finding.ref or ref, self.context)
            if exception is None:
                self._add(rule, severity, finding)
            else:
                self.used.add(exception.label)

    def _add(self, rule: Rule, severity: Severity, finding: Finding) -> None:
        self.violations.append(
            Violation(
                rule=rule,
                severity=severity,
                ref=finding.ref or _STACK,
                path=finding.path,
                message=finding.message,
                origin=finding.origin,
            )
        )
