"""Which policies of Envoy Gateway decide about a rule of a route (internal/gatewayapi/securitypolicy.go)."""

from policy.readers.authentication import read_security_policy
from policy.readers.listeners import GATEWAY, listeners_of
from policy.readers.policy_targets import Attachment, Attachments, Fit
from policy.readers.routes import Parent, Route, RouteRule
from policy.rule import Subject


class DecidingPolicies:
    """The SecurityPolicies of a stack, by whose requests they look at."""

    def __init__(self, policies: tuple[Subject, ...], parents: tuple[Subject, ...]) -> None:
        """Read them.

        Args:
            policies: SecurityPolicies.
            parents: what routes attach to, of whatever kinds.
        """
        self._attachments = Attachments(policies)
        self._parents = {(each.ref.kind, each.ref.namespace, each.ref.name): each for each in parents}

    def on(self, route: Route, rule: RouteRule) -> list[Subject]:
        """The policies that may decide about `rule`, each once: more than one where they merge, or nobody can say.

        The most specific level takes the place of the others: the rule's, the route's, a listener's, the Gateway's.
        """
        ref = route.subject.ref
        about = self._attachments.on(kind=ref.kind, namespace=ref.namespace, name=ref.name, subject=route.subject)
        found: list[Attachment] = []
        for section in dict.fromkeys((rule.name, "")):
            level = [each for each in about if each.section == section]
            found += level
            if any(_replaces(each) for each in level):
                break
        else:
            found += [each for parent in route.parents for each in self._of_parent(parent, route.subject.group_kind)]
        return list(dict.fromkeys(each.policy for each in found))

    def _of_parent(self, parent: Parent, kind: str) -> list[Attachment]:
        subject = self._parents.get((parent.kind, parent.namespace, parent.name))
        about = self._attachments.on(kind=parent.kind, namespace=parent.namespace, name=parent.name, subject=subject)
        gateway = subject if subject is not None and subject.group_kind == GATEWAY else None
        listeners = {each.name for each in listeners_of(gateway, parent, kind)} or {parent.section} - {""}
        own = [each for each in about if each.section != "" and (not listeners or each.section in listeners)]
        has_own = bool(listeners) and listeners <= {each.section for each in own if _replaces(each)}
        return own if has_own else own + [each for each in about if each.section == ""]


def _replaces(attachment: Attachment) -> bool:
    """Whether no less specific policy counts beside it."""
    return attachment.fit is Fit.YES and not read_security_policy(attachment.policy).merges
