"""Asks the API server about many objects at once, without storing one: every admission policy judges each.

`python -m tests.cluster.bed.dry_run KUBECONFIG < objects.json > answers.json`: a list of objects, and a list of the
same length of status and message. kubectl would take ten times as long.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.cluster.bed.agent.api import Api


def collection(item: dict[str, Any]) -> str:
    """The path to which an object is posted; its kind has a regular plural."""
    version, kind = item["apiVersion"], item["kind"].lower()
    many = f"{kind[:-1]}ies" if kind.endswith("y") and not kind.endswith("ay") else f"{kind}s"
    plural = kind if kind == "endpoints" else many
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    return f"{root}/namespaces/{item['metadata']['namespace']}/{plural}"


if __name__ == "__main__":
    api = Api(Path(sys.argv[1]))
    objects: list[dict[str, Any]] = json.load(sys.stdin)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(api.dry_create, map(collection, objects), objects))
    json.dump(answers, sys.stdout)
