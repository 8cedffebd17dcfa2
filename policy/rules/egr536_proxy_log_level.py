"""EGR536: proxies that log every header of every request."""

import re
from collections.abc import Iterable

from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, is_empty, join, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_TALKATIVE = frozenset({"debug", "trace"})
_COMPONENTS = frozenset({"default", "http", "router"})
"""Those that log headers: source/common/http/conn_manager_impl.cc, source/common/router/router.cc."""
# Envoy: docs/root/operations/cli.rst.
_SAID = "logs headers, with the tokens and cookies in them"
_LEVEL = re.compile(r"(?:--log-level|-l)[= ](?:debug|trace)")
_OF_COMPONENTS = re.compile(r"--component-log-level[= ](?:.*,)?(?:http|router):(?:debug|trace)(?:,.*)?")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for proxy in proxy_specs_of(subject, reader):
        levels = reader.field(proxy, "logging", "level")
        if not is_empty(levels):
            for key, value in reader.mapping(levels).items():
                level = Node(value=value, path=join(levels.path, f"{key}"))
                if reader.text(level) in _TALKATIVE and key in _COMPONENTS:
                    reader.report(level, f"{value} {_SAID}")
        # What cannot be read of arguments is EGR513's finding.
        arguments = Reader().items(reader.field(proxy, "extraArgs"))
        texts = [argument.value if isinstance(argument.value, str) else "" for argument in arguments]
        for argument, text, following in zip(arguments, texts, [*texts, ""][1:], strict=True):
            whole = text if "=" in text else f"{text} {following}"
            if _LEVEL.fullmatch(whole) or _OF_COMPONENTS.fullmatch(whole):
                reader.report(argument, f"{shown(whole)} {_SAID}")
    return reader.findings


RULE = ObjectRule(
    id="EGR536",
    name="proxy-log-level",
    severity=Severity.WARN,
    applies_to=PROXY_KINDS,
    summary="Proxies log at info or less.",
    why="At debug and trace Envoy writes every request down with all of its headers, so that whoever reads logs has "
    "the clients' tokens.",
    remediation="write warn or info; for a look at one proxy set the level there for a moment, with egctl",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  logging: {level: {default: warn}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/operations/customize-envoyproxy/",
    source="envoyproxy/gateway: api/v1alpha1/envoyproxy_types.go; Envoy: source/common/http/conn_manager_impl.cc, "
    "docs/root/operations/cli.rst",
    check=_check,
)
