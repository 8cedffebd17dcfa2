"""What both are asked about: every Backend of the public corpus, and cases of our own that need more than a Backend."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.check.corpus_rows import read_rows
from policy.rule import Context, Grants

CORPUS = Path(__file__).parents[1] / "policy" / "corpus" / "public.jsonl"
OWN = Path(__file__).with_name("cases.yaml")
TODAY = dt.date(2026, 11, 1)

Object = dict[str, Any]
"""A Kubernetes object as plain data."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A few objects that belong together, and how to see in Envoy's configuration that they took effect."""

    id: str
    objects: tuple[Object, ...]
    """The judged objects, the one in question first."""
    context: Context
    why: str
    """What is wrong with it, or why nothing is."""
    proof: str = ""
    """A text that stands in Envoy's configuration if the case got through; empty: any endpoint shows it."""
    alone: bool = False
    """Whether it must be translated by itself, because Envoy Gateway's offline translation knows one such object."""


def cases() -> list[Case]:
    """Every case, sorted by id."""
    return sorted([*_of_corpus(), *_own()], key=lambda case: case.id)


def _of_corpus() -> list[Case]:
    lines = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    why = {line["id"]: line["why"] for line in lines}
    return [
        Case(id=row.id, objects=(row.object, *row.related), context=row.context, why=why[row.id])
        for row in read_rows(CORPUS)
        if row.object.get("kind") == "Backend"
    ]


def _own() -> list[Case]:
    return [
        Case(
            id=f"own-{name}",
            objects=tuple(case["objects"]),
            context=Context(today=TODAY, grants=Grants(backend_api=True)),
            why=case["why"],
            proof=case.get("proof", ""),
            alone=case.get("alone", False),
        )
        for name, case in yaml.safe_load(OWN.read_text(encoding="utf-8")).items()
        if not name.startswith(".")  # a dot marks parts that cases share
    ]
