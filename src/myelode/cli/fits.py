"""What a fit says: as plain data, and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from myelode.fitting.fits import Fit
    from myelode.fitting.profiles import Profile

_LOCAL = (
    "Intervals cover 95 %, are local and approximate: "
    "they come from the slope of the residuals at the optimum."
)
_PROFILE = (
    "Intervals cover 95 %, from profiles: they end where the sum of squares has risen by "
    "chi square, with the other values fitted anew."
)


def summarise_fit(found: Fit, seconds: float) -> dict[str, Any]:
    """What a fit says, as plain data."""
    return {
        "target": found.problem.name,
        "parameters": dict(_parameters(found)),
        "objective": found.after.objective,
        "objective_before": found.before.objective,
        "residuals": [*_points(found)],
        "series": dict(_series(found)),
        "rows": [*_rows(found)],
        "left_out": list(found.problem.left_out),
        "converged": found.converged,
        "message": found.message,
        "starts": found.starts,
        "starts_at_best": found.agreeing,
        "evaluations": found.evaluations,
        "seconds_per_evaluation": seconds / found.evaluations,
        "failed_runs": found.failed,
        "interval_method": _PROFILE if found.profiles else _LOCAL,
        "profile": {name: _profile(item) for name, item in found.profiles.items()},
        "warnings": list(found.problem.notes),
        "files": {},
    }


def _parameters(found: Fit) -> Iterator[tuple[str, dict[str, Any]]]:
    for free, estimate in zip(found.problem.free, found.values, strict=True):
        yield (
            free.key.text,
            {
                "value": estimate.value,
                "interval": estimate.interval,
                "unit": free.unit,
                "before": free.before,
                "bounds": [free.low, free.high],
                "has_prior": free.sigma is not None,
                "note": estimate.word,
            },
        )


def _profile(item: Profile) -> dict[str, Any]:
    return {
        "values": item.values, "objective": item.objective, "interval": item.interval,
        "threshold": item.threshold,
    }  # fmt: skip


def _points(found: Fit) -> Iterator[dict[str, Any]]:
    """Every reading beside the model."""
    for name, target in found.problem.targets.items():
        result = found.after.series[name]
        triples = zip(target.measured, result.predicted, result.residuals, strict=True)
        for point, predicted, residual in triples:
            yield {
                "series": name, "time": point.time, "dose": point.dose, "measured": point.value,
                "sd": point.sd, "predicted": predicted, "residual": residual,
            }  # fmt: skip


def _series(found: Fit) -> Iterator[tuple[str, dict[str, Any]]]:
    from myelode.fitting.residuals import rms
    from myelode.fitting.table import instrument

    for name, target in found.problem.targets.items():
        after, before = found.after.series[name], found.before.series[name]
        yield (
            name,
            {
                "n": len(after.residuals),
                "rms": rms(after.residuals),
                "rms_before": rms(before.residuals),
                "scale": after.coefficients[0],
                "offset": after.coefficients[1],
                "instrument": instrument(target.series.observation, after.coefficients),
            },
        )


def _rows(found: Fit) -> Iterator[dict[str, Any]]:
    from myelode.validation import is_hit

    for name, row in found.problem.rows.items():
        simulated, residual = found.after.rows[name]
        yield {
            "id": name, "published": row.value, "simulated": simulated, "unit": row.unit,
            "before": found.before.rows[name][0], "band": [row.low, row.high],
            "hit": is_hit(row, simulated), "residual": residual,
        }  # fmt: skip


def fit_report(summary: dict[str, Any], width: int) -> Iterator[RenderableType]:
    from myelode.cli.tables import tables

    yield from tables(f"{summary['target']}. Fitted values", _value_columns(summary), width)
    if summary["series"]:
        yield from tables(
            "Error per series, in standard deviations", _error_columns(summary), width
        )
    if summary["rows"]:
        yield from tables("Published numbers that calibrate", _row_columns(summary), width)
    yield (
        f"Sum of squares: {summary['objective_before']:.5g} before, "
        f"{summary['objective']:.5g} after, priors included."
    )
    yield summary["interval_method"]
    if not summary["converged"]:
        yield f"NOT converged: {summary['message']}"
    if summary["starts"] > 1:
        yield f"Of {summary['starts']} starts, {summary['starts_at_best']} ended at the best."
    yield (
        f"{summary['evaluations']} evaluations, "
        f"{1000 * summary['seconds_per_evaluation']:.3g} ms each; "
        f"{summary['failed_runs']} runs failed."
    )
    yield from (f"Left out: {text}" for text in summary["left_out"])
    yield from (f"Warning: {text}" for text in summary["warnings"])
    yield from (f"{kind.capitalize()}: {path}" for kind, path in summary["files"].items())


def _value_columns(summary: dict[str, Any]) -> list[Any]:
    from myelode.cli.tables import Column, numbers, texts

    entries = summary["parameters"].values()
    return [
        texts("parameter", summary["parameters"]),
        numbers("before", (entry["before"] for entry in entries)),
        numbers("fitted", (entry["value"] for entry in entries)),
        Column("interval", tuple(_interval(entry["interval"]) for entry in entries), True),
        texts("unit", (entry["unit"] for entry in entries)),
        texts("how known", (entry["note"] for entry in entries)),
    ]


def _interval(interval: tuple[float, float] | None) -> str:
    return "none" if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}"


def _error_columns(summary: dict[str, Any]) -> list[Any]:
    from myelode.cli.tables import numbers, texts

    entries = summary["series"].values()
    return [
        texts("series", summary["series"]),
        numbers("readings", (entry["n"] for entry in entries)),
        numbers("before", (entry["rms_before"] for entry in entries)),
        numbers("after", (entry["rms"] for entry in entries)),
        texts("instrument", (entry["instrument"] for entry in entries)),
    ]


def _row_columns(summary: dict[str, Any]) -> list[Any]:
    from myelode.cli.tables import numbers, texts

    rows = summary["rows"]
    words = {True: "hit", False: "miss", None: "not judged"}
    return [
        texts("id", (row["id"] for row in rows)),
        texts("verdict", (words[row["hit"]] for row in rows)),
        numbers("published", (row["published"] for row in rows)),
        numbers("before", (row["before"] for row in rows)),
        numbers("after", (row["simulated"] for row in rows)),
        texts("unit", (row["unit"] for row in rows)),
    ]
