"""What a declaration registers, with approvals for exactly what it needs."""

import json
from collections.abc import Sequence
from pathlib import Path

from cli.offline.preview import Preview, preview
from cli.offline.records import Registration
from tests.scale.declarations import write_config
from tests.support import Values, just_enough, settings_of


def previewed(project: Path, values: Values, *, with_policy: bool = False) -> Preview:
    """The preview of a declaration, which takes the place of the project's stack `dev`."""
    approvals = just_enough(settings_of(values))
    file = project / "policy" / "approvals" / "dev.yaml"
    file.write_text(json.dumps(approvals.model_dump(mode="json", by_alias=True, exclude_defaults=True)))
    write_config(project, {f"cluster-egress:{key}": value for key, value in values.items()})
    return preview(project, "dev", with_policy=with_policy)


def needs(registrations: Sequence[Registration], urn: str) -> set[str]:
    """The URNs of everything that a resource comes after."""
    known = {each.urn: each for each in registrations}
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        for need in known[waiting.pop()].dependencies:
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found
