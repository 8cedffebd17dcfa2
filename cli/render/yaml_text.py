"""Plain data as YAML that every reader understands alike: kubectl and helm read YAML 1.1, others 1.2."""

import re
from typing import Any, Final

import yaml

_WORD: Final = re.compile(r"[A-Za-z/][A-Za-z0-9._/-]*")
_NOT_TEXT: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_WIDE: Final = 10_000


class _Dumper(yaml.SafeDumper):
    """Quotes every text that is not plainly a word, and writes texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 the same text twice is no anchor
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    if "\n" in text and all(c.isprintable() or c == "\n" for c in text):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    word = _WORD.fullmatch(text) is not None and text.lower() not in _NOT_TEXT
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if word else '"')


_Dumper.add_representer(str, _text)
# Markers for secrets and unknown values are texts of their own type.
_Dumper.add_multi_representer(str, _text)


def to_yaml(value: Any) -> str:
    """Plain data as block-style YAML, in the order in which its keys stand."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=_WIDE)
