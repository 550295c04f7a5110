"""`check`, `validate` and `replay`: is a file sound, is a model right, does a result come again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.console import console, print_all, print_json
from myelode.cli.options import JsonOption

if TYPE_CHECKING:
    from myelode.cli.checks import Findings

BAD_INPUT, NOT_REPRODUCED = 2, 3
MOST_WARNINGS = 10


def check_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Models, model folders or scenarios.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Look for errors in models and scenarios without running them."""
    from dataclasses import asdict

    from myelode.cli.checks import check_file

    found = [check_file(name) for name in files]
    if as_json:
        print_json({"files": [asdict(item) for item in found]})
    else:
        for item in found:
            print_all(_finding_lines(item))
    if not all(item.is_sound for item in found):
        raise typer.Exit(BAD_INPUT)


def _finding_lines(found: Findings) -> Iterator[str]:
    """The verdict on a file, its errors, and the first of its warnings."""
    errors, warnings = found.errors, found.warnings
    verdict = f"{len(errors)} errors, {len(warnings)} warnings" if errors or warnings else "fine"
    yield f"{found.path}: {verdict}"
    yield from (f"  error: {text}" for text in errors)
    yield from (f"  warning: {text}" for text in warnings[:MOST_WARNINGS])
    if len(warnings) > MOST_WARNINGS:
        yield f"  and {len(warnings) - MOST_WARNINGS} more warnings, which --json shows"


def validate_command(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A model; all of them without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a model with published results, hits and misses alike."""
    from myelode.cli.summaries import summarise_validation
    from myelode.library import find_model, models
    from myelode.validation import validate

    names = [model] if model else list(models())
    found = [summarise_validation(find_model(name).name, validate(name)) for name in names]
    if as_json:
        print_json(found[0] if model else {"models": found})
        return
    from myelode.cli.tables import validation_tables

    for summary in found:
        print_all(validation_tables(summary, console().width))
        print_all(_score_lines(summary))


def _score_lines(summary: dict[str, Any]) -> list[str]:
    check, calibrate = summary["check"], summary["calibrate"]
    return [
        f"Checks: {check['hits']} hits, {check['misses']} misses.",
        f"Calibration, no evidence: {calibrate['hits']} hits, {calibrate['misses']} misses.",
        f"Not computed: {summary['not_computed']} rows, whose note in observations.tsv says why.",
    ]


def replay_command(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A file that run -o wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Run a stored result again and compare."""
    from dataclasses import asdict

    from myelode.results import replay

    found = replay(result)
    if as_json:
        print_json(asdict(found))
    else:
        word = "the same" if found.passed else "NOT the same"
        largest = f"largest difference {found.max_difference:.3g} of the maximum of {found.output}"
        print_all([f"{word}: {largest} (allowed: {found.tolerance:g})"])
    if not found.passed:
        raise typer.Exit(NOT_REPRODUCED)


COMMANDS = (
    ("check", check_command, "myelode check my_scenario.yaml my_model.ant"),
    ("validate", validate_command, "myelode validate melflufen"),
    ("replay", replay_command, "myelode replay result.nc"),
)
