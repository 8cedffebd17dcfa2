"""Declarations with alerts, and what Prometheus' own `promtool` says of their rules."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import Values, changed, of_kind, plan_of, setting


def alerting(path: str = "posture", value: Any = "enforce") -> Values:
    """The `dev` stack with alerts, and one more key of `egress`."""
    values = changed(setting("egress.mesh.alerts", {"namespace": "monitoring", "labels": {"release": "prometheus"}}))
    return changed(setting(f"egress.{path}", value), values)


def fired(
    promtool: Path, folder: Path, values: Values, series: Mapping[str, str], alert: str, *, minutes: int = 30
) -> list[dict[str, str]]:
    """The labels of an alert that fires after some minutes of these series, with those that are always the same.

    promtool tells only whether an expectation holds, so it is told to expect nothing, and says what there is.
    """
    (rule,) = of_kind(plan_of(values), "PrometheusRule")
    (folder / "rules.yaml").write_text(json.dumps(rule.spec), encoding="utf-8")
    test: dict[str, Any] = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": value} for name, value in series.items()],
                "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}],
            }
        ],
    }
    (folder / "test.yaml").write_text(json.dumps(test), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 0:
        return []
    told = done.stdout + done.stderr
    assert "got:[" in told.replace("\n", "").replace(" ", ""), told
    got = told.partition("got:")[2]
    lines = [line.partition("Labels:{")[2].partition("}")[0] for line in got.splitlines() if "Labels:{" in line]
    return [dict(_label(each) for each in line.split(", ")) for line in lines]


def _label(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, json.loads(value)
