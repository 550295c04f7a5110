"""`run`: simulate a scenario, judge it, and write what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelode.cli.answers import closing_lines, print_summary
from myelode.cli.console import console, progress, require_writable
from myelode.cli.options import (
    DataOption,
    DrawsOption,
    EngineOption,
    JsonOption,
    PlotOption,
    QuietOption,
    ScenarioArgument,
    SettingsOption,
)

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import RenderableType

    from myelode.scenario import Scenario
    from myelode.user_data.readings import Readings

UNMET = 3


def run_command(
    scenario: ScenarioArgument,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write all trajectories (netCDF)."),
    ] = None,
    plot: PlotOption = None,
    data: DataOption = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="Write the labels of all rules (tsv)."),
    ] = None,
    settings: SettingsOption = None,
    engine: EngineOption = "auto",
    uncertainty: DrawsOption = None,
    assumptions: Annotated[
        bool,
        typer.Option("--assumptions", help="Name the assumed numbers that matter most."),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate a scenario and judge every perturbation in it.

    Exit code 0: all expectations hold; 1: a simulation failed; 2: bad input; 3: an expectation
    does not hold.
    """
    require_writable(output, plot, labels)
    chosen = [*(settings or []), *_draws(uncertainty)]
    wanted = {"result": output, "plot": plot, "labels": labels}
    files = {kind: path for kind, path in wanted.items() if path is not None}
    _require_plot(data, plot)
    summary = _run(scenario, chosen, engine, files, data, show_progress=not quiet)
    if assumptions:
        summary["assumptions"] = _assumptions(scenario, settings or [])
    print_summary(summary, _report(summary, console().width), quiet, as_json)
    if not all(line["passed"] for line in summary["expect"]):
        raise typer.Exit(UNMET)


def _require_plot(data: Path | None, plot: Path | None) -> None:
    """Refuse data that no figure would show."""
    if data is not None and plot is None:
        from myelode.errors import ScenarioError

        raise ScenarioError("--data shows readings in a figure: give --plot FILE (or see: fit)")


def _draws(number: int | None) -> list[str]:
    """The settings that ask for draws of the uncertain numbers."""
    return [] if number is None else [f"design.uncertainty.number={number}"]


def _run(
    name: str,
    settings: list[str],
    engine: str,
    files: Mapping[str, Path],
    data: Path | None,
    show_progress: bool,
) -> dict[str, Any]:
    """The summary of a run, once its files are written."""
    from myelode.cli.summaries import summarise_run
    from myelode.engines import Tolerances
    from myelode.outcomes import check_expectations, evaluate_scenario
    from myelode.regimens.steps import Context
    from myelode.scenario import load_scenario
    from myelode.simulation import plan_scenario, simulate_plan

    scenario = load_scenario(name, settings)
    if "labels" in files:
        from myelode.labels import label_columns

        label_columns(scenario)
    readings = None
    if data is not None:
        scenario, readings = _with_readings(scenario, data)
    with progress(f"running {scenario.id}", show_progress) as show:
        plan = plan_scenario(scenario, engine)
        dataset = simulate_plan(plan, engine, Tolerances(), show)
    result = evaluate_scenario(dataset, scenario, Context(plan.model))
    summary = summarise_run(result, scenario, check_expectations(result, scenario))
    if scenario.design.uncertainty:
        from myelode.cli.draws import ledger

        summary["uncertainty"] |= ledger(dataset)
    _write(files, dataset, result, scenario, readings)
    return {
        **summary,
        "warnings": list(plan.model.warnings),
        "files": {kind: str(path) for kind, path in files.items()},
    }


def _with_readings(scenario: Scenario, path: Path) -> tuple[Scenario, Readings]:
    """The scenario with what was measured among its outputs, and the readings."""
    from myelode.subjects import model_of
    from myelode.user_data.readings import read_readings

    readings = read_readings(path, scenario, model_of(scenario))
    outputs = [*scenario.observe.outputs, *(item.output for item in readings.items)]
    observe = scenario.observe.model_copy(update={"outputs": list(dict.fromkeys(outputs))})
    return scenario.model_copy(update={"observe": observe}), readings


def _write(
    files: Mapping[str, Path],
    dataset: xr.Dataset,
    result: xr.Dataset,
    scenario: Scenario,
    readings: Readings | None,
) -> None:
    """Write each file that was asked for."""
    if "result" in files:
        from myelode.results import write_result

        write_result(dataset, files["result"])
    if "plot" in files:
        from myelode.figures import plot_scenario

        plot_scenario(dataset, result, files["plot"], readings)
    if "labels" in files:
        from myelode.labels import write_labels

        write_labels(result, scenario, files["labels"])


def _assumptions(name: str, settings: list[str]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from myelode.assumptions import influential_assumptions
    from myelode.scenario import load_scenario

    return [asdict(item) for item in influential_assumptions(load_scenario(name, settings))]


def _report(summary: dict[str, Any], width: int) -> Iterator[RenderableType]:
    from myelode.cli.activities import activity_tables
    from myelode.cli.beside import combination_tables, published_tables
    from myelode.cli.clinic import response_tables
    from myelode.cli.draws import dominant_tables
    from myelode.cli.tables import (
        endpoint_notes,
        expectation_line,
        run_tables,
        score_tables,
        subject_notes,
    )
    from myelode.regulatory import statement_lines

    yield from run_tables(summary, width)
    yield from subject_notes(summary)
    yield from endpoint_notes(summary)
    yield from dominant_tables(summary, width)
    yield from activity_tables(summary, width)
    yield from response_tables(summary, width)
    yield from combination_tables(summary, width)
    yield from score_tables(summary, width)
    yield from published_tables(summary, width)
    yield from (expectation_line(**line) for line in summary["expect"])
    yield from _engine(summary)
    yield _evidence(summary)
    yield from (
        f"Assumed: {item['parameter']}; 1 % more of it moves {item['endpoint']} "
        f"by {item['elasticity']:+.2f} %."
        for item in summary.get("assumptions", ())
    )
    yield from (f"Warning: {text}" for text in summary["warnings"])
    yield from statement_lines(summary["regulatory"])
    yield from closing_lines(summary)


def _engine(summary: dict[str, Any]) -> Iterator[str]:
    """Which engine ran and why, where that was not plain from the start."""
    engine, because = summary["engine"], summary["engine_because"]
    if engine != "roadrunner" or "ensemble" in because:
        yield f"Engine: {engine} ({because})." if because else f"Engine: {engine}."


def _evidence(summary: dict[str, Any]) -> str:
    share = summary["assumed_share"]
    if share != share:
        return "Evidence: none stated; the model has no parameter table."
    return f"Evidence: lowest grade {summary['evidence']}; {share:.0%} of the numbers are assumed."


COMMANDS = (
    (
        "run",
        run_command,
        "myelode run gamma_h2ax_washout --set regimen.pulse.to='2 uM' --plot gamma_h2ax.png",
    ),
)
