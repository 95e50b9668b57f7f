"""What an ablation leaves in a run's folder, built in code."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighting.storage.files import write_json


def write_ablation(run: Path, name: str = "objectives") -> Path:
    """Write what an ablation of two arms and two seeds leaves behind; return its folder."""
    folder = run / "ablations" / name
    losses = {"plain": (4.0, 4.2), "weighted": (3.9, 4.0)}
    for arm, values in losses.items():
        for seed, loss in enumerate(values):
            rows = [{"step": 10 * (i + 1), "nll": loss + 1 / (i + 1)} for i in range(10)]
            _write_lines(folder / arm / f"seed-{seed}" / "metrics.jsonl", rows)
            rows = [{"step": row["step"], "validation_nll": row["nll"]} for row in rows[4::5]]
            _write_lines(folder / arm / f"seed-{seed}" / "evaluations.jsonl", rows)
    arms: dict[str, Any] = {
        arm: {
            "runs": [
                {"seed": seed, "step": 100, "validation_nll": loss}
                for seed, loss in enumerate(values)
            ],
            "validation_nll": _interval(values),
        }
        for arm, values in losses.items()
    }
    arms["weighted"]["difference"] = {"validation_nll": _interval((-0.1, -0.2))}
    verdict = "weighted against plain: no difference shown"
    results = {"baseline": "plain", "tokens": 4096, "arms": arms, "verdicts": [verdict]}
    write_json(folder / "results.json", results)
    return folder


def _interval(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": sum(values) / len(values), "half_width_95": 0.5, "values": [*values]}


def _write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
