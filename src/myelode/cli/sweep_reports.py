"""What commands on sweeps answer: one JSON object, or a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from myelode.cli.sweep_progress import duration, pace

if TYPE_CHECKING:
    from myelode.sweeps.costs import Costs
    from myelode.sweeps.plans import SweepPlan
    from myelode.sweeps.stores.store import Store

MOST_REASONS = 10


def warn(text: str) -> None:
    """Say on stderr what the user should know before the work is done."""
    typer.echo(f"warning: {text}", err=True)


def summarise_store(store: Store, **more: Any) -> dict[str, Any]:
    """What has become of the points of a store, and what else the command has to say."""
    from myelode.datasets import NOTICE
    from myelode.sweeps.stores.ledgers import read_ledger
    from myelode.sweeps.stores.store import ID

    ledger = read_ledger(store)
    attributes = store.layout.attributes
    return {
        "sweep": attributes.get(ID),
        "title": attributes.get("title"),
        "engine": attributes.get("engine"),
        "points": ledger.points,
        "done": ledger.done,
        "failed": ledger.failed,
        "missing": ledger.missing,
        "seconds": ledger.seconds,
        "rate": ledger.rate,
        "reasons": _most_frequent(ledger.reasons),
        **more,
        "notice": attributes.get("notice", NOTICE),
        "files": {"store": str(store.path)},
    }


def _most_frequent(reasons: Mapping[str, int]) -> dict[str, int]:
    """The reasons that many points share, and all others as one."""
    shown = dict(list(reasons.items())[:MOST_REASONS])
    others = sum(reasons.values()) - sum(shown.values())
    return shown | ({"other reasons": others} if others else {})


def store_lines(summary: dict[str, Any]) -> Iterator[str]:
    """The report on a store."""
    yield f"{summary['sweep']}: {summary['title']}"
    yield (
        f"Points: {summary['points']:,}: {summary['done']:,} done, {summary['failed']:,} failed, "
        f"{summary['missing']:,} missing."
    )
    for reason, count in summary["reasons"].items():
        yield f"  {count:,} {reason}"
    yield from _chunk_lines(summary)
    if summary.get("writer"):
        yield f"Being written by {summary['writer']}."
    if summary.get("remaining_seconds") is not None:
        left = duration(summary["remaining_seconds"])
        yield f"Rate: {pace(summary['rate'])}; {left} left."
    yield f"Computing time: {duration(summary['seconds'])} on one core."


def _chunk_lines(summary: dict[str, Any]) -> Iterator[str]:
    """What a run has found and done."""
    if "computed" in summary:
        took = duration(summary["elapsed_seconds"])
        yield f"This run: {summary['computed']:,} points in {took}."
    if "chunks_there" in summary:
        there = summary["chunks_there"]
        yield f"{there:,} of {summary['chunks']:,} chunks were there already."
    if older := summary.get("chunks_older"):
        verb = "were" if "computed" in summary else "are"
        yield f"{older:,} chunks {verb} of an older model or scenario."
    if summary.get("chunks_elsewhere"):
        yield f"{summary['chunks_elsewhere']:,} chunks are in the hands of other processes."


def report_store(summary: dict[str, Any]) -> Iterator[str]:
    """The report with whom it is for and where the numbers are."""
    from myelode.cli.answers import closing_lines

    yield from store_lines(summary)
    if summary["missing"] and not summary.get("writer"):
        yield f"To compute what is missing: myelode sweep resume {summary['files']['store']}"
    yield from closing_lines(summary)


def summarise_costs(plan: SweepPlan, costs: Costs) -> dict[str, Any]:
    """What a sweep is going to take."""
    from myelode.datasets import NOTICE

    return {
        "sweep": plan.sweep.id,
        "title": plan.sweep.title,
        "engine": plan.engine,
        "chunks": plan.layout.chunks,
        **asdict(costs),
        "remarks": list(plan.remarks),
        "notice": plan.layout.attributes.get("notice", NOTICE),
        "files": {},
    }


def cost_lines(summary: dict[str, Any]) -> Iterator[str]:
    """The report on what a sweep is going to take."""
    from myelode.cli.answers import closing_lines
    from myelode.sweeps.foreseen import IDLE

    yield f"{summary['sweep']}: {summary['title']}"
    yield (
        f"Points: {summary['points']:,} in {summary['chunks']:,} chunks; "
        f"engine: {summary['engine']}."
    )
    yield (
        f"Time: {summary['us_per_point']:,.0f} us for each point on one core (measured on "
        f"{summary['measured']:,}), {_hours(summary['core_hours'])} for all."
    )
    yield (
        f"Space: {_bytes(summary['gigabytes'])} before compression; "
        f"memory: {_bytes(summary['memory_gigabytes'])} for each worker."
    )
    if summary["failed"]:
        yield f"{summary['failed']:,} of the {summary['measured']:,} measured points failed."
    yield from (f"Warning: {remark}." for remark in summary["remarks"])
    for axis in summary["idle"]:
        yield f"Warning: {IDLE.format(axis=axis)}."
    yield from closing_lines(summary)


def _hours(hours: float) -> str:
    return f"{hours:,.3g} core-hours" if hours >= 1 else f"{duration(3600 * hours)} of one core"


def _bytes(gigabytes: float) -> str:
    return f"{gigabytes:.3g} GB" if gigabytes >= 0.1 else f"{1000 * gigabytes:.3g} MB"
