"""`new`: a file to begin with, made from what a scenario has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from myelode.cli.console import print_json, require_writable
from myelode.cli.options import JsonOption, SettingsOption

KINDS = ("data",)


def new_command(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What to write: data, a table of readings.")
    ],
    source: Annotated[
        str, typer.Option("--from", metavar="SCENARIO", help="A shipped name or a file.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where (csv).")],
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a table for readings: a row for every output, dose and time of a scenario."""
    from myelode.errors import ScenarioError, best_matches
    from myelode.files import write_atomically
    from myelode.scenario import load_scenario
    from myelode.subjects import model_of
    from myelode.user_data.templates import template_text

    if kind not in KINDS:
        raise ScenarioError(f"{kind!r} is nothing that can be written{best_matches(kind, KINDS)}")
    require_writable(output)
    if output.suffix != ".csv":
        raise ScenarioError(f"{output}: a template is a .csv file")
    if output.exists():
        raise ScenarioError(f"{output}: is there already, and a template replaces no file")
    scenario = load_scenario(source, settings or [])
    text = template_text(scenario, model_of(scenario))
    write_atomically(output, lambda file: _write(file, text))
    summary: dict[str, Any] = {"scenario": scenario.id, "files": {"template": str(output)}}
    if as_json:
        print_json(summary)
    else:
        typer.echo(f"Template: {output}")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")


COMMANDS = (("new", new_command, "myelode new data --from viability_72h -o readings.csv"),)
