"""Directives that put what the program knows into pages when the site is built.

    ```{model} parameters melflufen
    :folded: Numbers
    ```
    ```{scenario-figure} gamma_h2ax_washout
    :set: design.lines.number=2
    ```
    ```{command-figure} fluxes gamma_h2ax_washout --of melphalan_cell --at '3 h'
    ```
    ```{sweep-figure} melflufen_apn_and_others --of fold
    ```

A third word after `model` names a variant, and after `model labels` a scenario whose table of
labels stands beside the model; `folded` hides the part behind a title; `set` changes a scenario as
`--set` does. A command is one of `myelode` that takes `--plot`; a
sweep is run, and shown with the options behind its name.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import calibration_pages
import clinical_pages
import label_pages
import model_pages
import schemes
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from myelode.claims import read_claims
from myelode.cli import main
from myelode.compounds import Compound
from myelode.descriptions import list_items
from myelode.equations import Equations, derive
from myelode.figures import plot_scenario
from myelode.library import find_scenario, models
from myelode.model import Model, load_model
from myelode.outcomes import evaluate
from myelode.perturbations import cell_lines, perturbations
from myelode.provenance import statements_on
from myelode.regimens.named import read_regimens
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.trials import read_trials
from myelode.validation import Row, validate


@lru_cache
def _model(name: str, variant: str | None) -> Model:
    return load_model(name, variant)


@lru_cache
def _equations(name: str, variant: str | None) -> Equations:
    return derive(_model(name, variant).sbml)


@lru_cache
def _validated(name: str) -> tuple[Row, ...]:
    return tuple(validate(name))


def _title(name: str, variant: str | None) -> str:
    return model_pages.prose(_model(name, variant).title)


def _parameters(name: str, variant: str | None) -> str:
    return model_pages.parameters(_model(name, variant).parameters.values())


def _evidence(name: str, variant: str | None) -> str:
    return model_pages.evidence(_model(name, variant).parameters.values())


def _perturbations(name: str, variant: str | None) -> str:
    known = perturbations(_model(name, variant))
    return model_pages.changes(item for item in known.values() if item.set or item.scale)


def _compounds(name: str, variant: str | None) -> str:
    return model_pages.compounds(_model(name, variant).compounds)


def _regimens(name: str, variant: str | None) -> str:
    folder = _model(name, variant).folder
    return model_pages.regimens(read_regimens(folder).values()) if folder else ""


def _cell_lines(name: str, variant: str | None) -> str:
    return model_pages.changes(cell_lines(_model(name, variant)).values())


def _claims(name: str, variant: str | None) -> str:
    folder = _model(name, variant).folder
    return model_pages.claims(read_claims(folder)) if folder else ""


def _trials(name: str, variant: str | None) -> str:
    return clinical_pages.trials(read_trials(_model(name, variant).folder))


def _regulatory(name: str, variant: str | None) -> str:
    model = _model(name, variant)
    items = model.compounds.items.values()
    usable = [item.name for item in items if not item.refused and _is_for(item, model.variant)]
    return clinical_pages.statements(statements_on(model, usable))


def _is_for(compound: Compound, variant: str) -> bool:
    return not compound.variants or variant in compound.variants


def _observations(name: str, variant: str | None) -> str:
    return model_pages.observations(_validated(name))


def _misses(name: str, variant: str | None) -> str:
    return model_pages.observations(row for row in _validated(name) if row.hit is False)


def _score(name: str, variant: str | None) -> str:
    return model_pages.score(_validated(name))


def _calibrations(name: str, variant: str | None) -> str:
    folder = _model(name, variant).folder
    return calibration_pages.calibrations(folder) if folder else ""


def _labels(name: str, scenario: str | None) -> str:
    return label_pages.labels(models()[name], load_scenario(f"{name}/{scenario}"))


def _scenarios(name: str, variant: str | None) -> str:
    return model_pages.scenarios(item for item in list_items("scenarios") if item["model"] == name)


def _scheme(name: str, variant: str | None) -> str:
    return f'<div class="picture">{schemes.scheme_svg(_equations(name, variant))}</div>'


def _reactions(name: str, variant: str | None) -> str:
    return model_pages.reactions_html(_model(name, variant), _equations(name, variant))


def _derivatives(name: str, variant: str | None) -> str:
    return model_pages.derivatives_html(_equations(name, variant))


def _assignments(name: str, variant: str | None) -> str:
    return model_pages.assignments_html(_equations(name, variant))


Part = Callable[[str, str | None], str]
_MARKDOWN: Mapping[str, Part] = {
    "title": _title, "parameters": _parameters, "evidence": _evidence,
    "compounds": _compounds, "regimens": _regimens, "perturbations": _perturbations,
    "cell-lines": _cell_lines, "claims": _claims, "observations": _observations,
    "misses": _misses, "score": _score, "calibration": _calibrations, "scenarios": _scenarios,
    "trials": _trials, "regulatory": _regulatory, "labels": _labels,
}  # fmt: skip
_HTML: Mapping[str, Part] = {
    "scheme": _scheme, "reactions": _reactions,
    "derivatives": _derivatives, "assignments": _assignments,
}  # fmt: skip


class ModelDirective(SphinxDirective):
    """A part of a model page."""

    required_arguments = 2
    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"folded": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The part as nodes; the page is made again when a file of the model changes."""
        part, name = self.arguments[:2]
        variant = self.arguments[2] if len(self.arguments) > 2 else None
        for file in sorted(models()[name].iterdir()):
            self.env.note_dependency(str(file))
        found = self._part(part, name, variant)
        title = self.options.get("folded")
        if title is None:
            return found
        opening = f"<details><summary>{escape(title)}</summary>"
        return [_html(opening), *found, _html("</details>")]

    def _part(self, part: str, name: str, variant: str | None) -> list[nodes.Node]:
        if part in _HTML:
            return [_html(_HTML[part](name, variant))]
        return self.parse_text_to_nodes(_MARKDOWN[part](name, variant))


class FigureDirective(SphinxDirective):
    """The figure of a shipped scenario."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"set": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The figure as SVG inside the page."""
        name = self.arguments[0]
        self.env.note_dependency(str(find_scenario(name)))
        settings = tuple(self.options.get("set", "").split())
        return [_html(f'<div class="picture">{_figure_svg(name, settings)}</div>')]


class CommandFigureDirective(SphinxDirective):
    """The figure that a command of `myelode` draws."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The figure as SVG inside the page."""
        return [_html(f'<div class="picture">{_command_svg(self.arguments[0])}</div>')]


class SweepFigureDirective(SphinxDirective):
    """The figure of a shipped sweep, with options of `myelode sweep show`."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The figure as SVG inside the page."""
        return [_html(f'<div class="picture">{_sweep_svg(self.arguments[0])}</div>')]


@lru_cache
def _figure_svg(name: str, settings: tuple[str, ...]) -> str:
    dataset = simulate(load_scenario(name, settings))
    title = str(dataset.attrs["title"])
    return _svg(title, lambda path: plot_scenario(dataset, evaluate(dataset), path))


@lru_cache
def _command_svg(command: str, title: str = "") -> str:
    def run(path: Path) -> None:
        if main([*shlex.split(command), "--quiet", "--plot", str(path)]) != 0:
            raise ExtensionError(f"myelode {command} draws nothing")

    return _svg(title or f"myelode {command}", run)


@lru_cache
def _sweep_svg(command: str) -> str:
    name, *options = shlex.split(command)
    with TemporaryDirectory() as folder:
        store = str(Path(folder) / "store.zarr")
        if main(["sweep", "run", name, "-o", store, "--quiet"]) != 0:
            raise ExtensionError(f"the sweep {name} does not run")
        return _command_svg(shlex.join(["sweep", "show", store, *options]), command)


def _svg(title: str, draw: Callable[[Path], None]) -> str:
    """What is drawn into a file, as a part of a page."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        draw(path)
        text = path.read_text(encoding="utf-8")
    label = escape(f"Figure: {title}")
    drawing = text.partition("<svg")[2]
    # A narrow figure is not blown up to the width of the page: its letters would be headings.
    natural = drawing.partition(' width="')[2].partition('"')[0]
    return f'<svg role="img" aria-label="{label}" style="max-width: {natural}"{drawing}'


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def setup(app: Any) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("model", ModelDirective)
    app.add_directive("scenario-figure", FigureDirective)
    app.add_directive("command-figure", CommandFigureDirective)
    app.add_directive("sweep-figure", SweepFigureDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
