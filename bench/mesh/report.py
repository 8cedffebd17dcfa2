"""The figures of a run as tables."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.mesh.figures import Pushed
from tests.cluster.bed.proxy_config import Held


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A proxy that has started anew: what istiod pushed meanwhile, and what it holds now."""

    pushed: Pushed
    holds: Held
    memory: int
    """Bytes that it has allocated."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way of writing so many hosts."""

    way: str
    """`ours` or `recipe`."""
    hosts: int
    objects: int
    client: Proxy
    gateway: Proxy
    changed: int
    """Objects that one host more changes or adds."""
    adding: float
    """Seconds from applying these until the client and the gateway know the host."""
    added: Pushed
    """What istiod pushed meanwhile."""

    def raw(self) -> dict[str, Any]:
        """All figures."""
        return asdict(self)


def _of_proxy(proxy: Callable[[Case], Proxy], name: str) -> list[tuple[str, Callable[[Case], float]]]:
    return [
        (f"{name}: listeners", lambda case: proxy(case).holds.listeners),
        (f"{name}: filter chains", lambda case: proxy(case).holds.chains),
        (f"{name}: clusters", lambda case: proxy(case).holds.clusters),
        (f"{name}: routes", lambda case: proxy(case).holds.routes),
        (f"{name}: memory, MB", lambda case: proxy(case).memory / 1e6),
        *(
            (f"{name}: {kind}, kB", lambda case, kind=kind: proxy(case).pushed.size[kind] / 1e3)
            for kind in ("CDS", "EDS", "LDS", "RDS")
        ),
        (f"{name}: all, kB", lambda case: sum(proxy(case).pushed.size.values()) / 1e3),
        *(
            (f"{name}: {kind}, ms", lambda case, kind=kind: proxy(case).pushed.seconds[kind] * 1e3)
            for kind in ("CDS", "EDS", "LDS", "RDS")
        ),
        (f"{name}: all, ms", lambda case: sum(proxy(case).pushed.seconds.values()) * 1e3),
    ]


_ROWS: Final[list[tuple[str, Callable[[Case], float]]]] = [
    ("objects", lambda case: case.objects),
    *_of_proxy(lambda case: case.client, "client"),
    *_of_proxy(lambda case: case.gateway, "gateway"),
    ("one more: objects", lambda case: case.changed),
    ("one more: until known, s", lambda case: case.adding),
    ("one more: converging, s", lambda case: case.added.converging),
    ("one more: pushed, kB", lambda case: sum(case.added.size.values()) / 1e3),
    ("one more: pushing, ms", lambda case: sum(case.added.seconds.values()) * 1e3),
]


def report(cases: Sequence[Case]) -> str:
    """A table: a row a figure, a column a case, then ours to the recipe's, and the largest to the smallest."""
    sizes = sorted({case.hosts for case in cases})
    of = {(case.way, case.hosts): case for case in cases}
    heads = [f"{way} {size}" for size in sizes for way in ("ours", "recipe")]
    heads += [f"ours/recipe {size}" for size in sizes]
    heads += [f"{way} {sizes[-1]}/{sizes[0]}" for way in ("ours", "recipe")]
    lines = [f"| {'figure':26} | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for name, figure in _ROWS:
        cells = [_number(figure(of[way, size])) for size in sizes for way in ("ours", "recipe")]
        cells += [_ratio(figure(of["ours", size]), figure(of["recipe", size])) for size in sizes]
        cells += [_ratio(figure(of[way, sizes[-1]]), figure(of[way, sizes[0]])) for way in ("ours", "recipe")]
        lines.append(
            f"| {name:26} | "
            + " | ".join(f"{cell:>{len(head)}}" for cell, head in zip(cells, heads, strict=True))
            + " |"
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) or value >= 100 else f"{value:.1f}"  # noqa: PLR2004


def _ratio(value: float, to: float) -> str:
    return f"{value / to:.2f}" if to else "-"
