"""The rules, one file each, called after the rule's id: every module here holds one as `RULE`, and is in force."""

from importlib import import_module
from pkgutil import iter_modules

from policy.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    import_module(f"{__name__}.{name}").RULE for name in sorted(module.name for module in iter_modules(__path__))
)
"""Every rule in force, sorted by id."""
