"""A module imports only from modules to its left, so the program can be read from left to right."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "myelode"

ORDER = """
    errors
    units conversion expressions dimensions
    files hardware portable faults library lookups settings claims
    equations.functions equations.mathml
    sbml.units sbml.empty sbml sbml.dependencies sbml.infusions sbml.algebra
    preflight.loading preflight.isolation preflight.tree preflight.scopes preflight.findings
    preflight.dependencies preflight.formulas preflight.references preflight.statements
    preflight.antimony preflight preflight.repeats preflight.externals sbml.flattening
    parameters trials
    regulatory entries compounds compound_fit
    distributions correlations
    model_folder engines.summary simulated model grams perturbations precedence line_files
    equations.system equations.conservation equations.numeric equations.typesetting equations
    regimens.timeline regimens.acts regimens.steps regimens.conditions regimens.occasions
    regimens.dose_sizes regimens.doses regimens.compilation regimens.named regimens
    sections arm_sections assays.absorbance assays.sections assays.activity_sections clinic.sections figure_sections scenario
    drugs subjects quotations wholes inputs regimens.counts
    engines.protocol engines.sizes engines.choices engines.steadiness engines.walk engines.roadrunner engines.scipy
    engines.ensemble.operations engines.ensemble.scalars engines.ensemble.tape engines.ensemble.derivatives
    engines.ensemble.formulas engines.ensemble.elimination engines.ensemble.tableau
    engines.ensemble.oracle engines.ensemble.program engines.ensemble.evaluation
    engines.ensemble.clocks engines.ensemble.holding engines.ensemble.content
    engines.ensemble.meanings engines.ensemble.chance engines.ensemble.refusals engines.ensemble.starts
    engines.ensemble.reading engines.ensemble.events engines.ensemble.lanes engines.ensemble.assembly
    engines.ensemble.elementary engines.ensemble.instructions engines.ensemble.values
    engines.ensemble.matrices engines.ensemble.stages engines.ensemble.kernels
    engines.ensemble.machine engines.ensemble.compiling
    engines.ensemble.passages engines.ensemble.searches engines.ensemble.tallies
    engines.ensemble.driver engines.ensemble.watch engines.ensemble.reasons engines.ensemble.scales engines.ensemble.fleet
    engines.ensemble.changes engines.ensemble.recurrence engines.ensemble.journey
    engines.ensemble.summaries engines.ensemble.ensemble engines.ensemble.engine engines.ensemble
    engines engines.sampled engines.doubts engines.bulk engines.warming cohorts scores labels
    dose_ladders design sampling assays.noise assays.calibrators assays.signals assays.needs
    assays.instruments assays.enzymes assays activities
    clinic.criteria clinic.survival clinic.visits collisions recordings plan
    half_crossings metrics clinic.results clinic responses responses.doses endpoints
    interactions interactions.indices combinations outcomes
    provenance datasets results
    simulation run_requests model_runs
    sweeps.blocks sweeps.designs.sections sweeps.sections sweeps.designs.scales sweeps.designs.spaces
    sweeps.designs.sequences sweeps.designs.points sweeps.designs.tables sweeps.designs.orders
    sweeps.designs.reading sweeps.designs sweeps.standing sweeps.axes sweeps.timelines sweeps.structures
    sweeps.documents sweeps.cores sweeps.verdicts sweeps.readouts sweeps.layouts sweeps.keys
    sweeps.stores.packing sweeps.plans sweeps.apart sweeps.costs sweeps.foreseen
    sweeps.stores.libraries sweeps.stores.files sweeps.stores.skeletons sweeps.stores.locks
    sweeps.stores.comparing sweeps.stores.replacements sweeps.stores.store
    sweeps.stores.ledgers sweeps.stores
    sweeps.backends.jobs sweeps.backends.processes sweeps.backends.culprits sweeps.backends.suspects sweeps.backends.crews sweeps.backends.local
    sweeps.backends.dask_files sweeps.backends.dask_clusters sweeps.backends.with_dask
    sweeps.backends.running sweeps.backends.slurm_scripts sweeps.backends.with_slurm
    sweeps.backends sweeps.sweeping
    sweeps.exports.table_columns sweeps.exports.netcdf_files sweeps.exports.parquet_files
    sweeps.exports sweeps
    user_data.columns user_data.readings user_data.templates
    user_data responses.curves responses.growth responses.hill responses.ladders responses.readings
    responses.draws responses.resistance responses.titrations responses.curve_numbers
    responses.dose_responses responses.templates responses.across responses.matrices
    interactions.equal_effects interactions.additivity interactions.wells interactions.boards
    interactions.verdicts interactions.searches interactions.layouts interactions.tables
    interactions.checkerboards quantile_bands flux_terms flux_shares attribution.shapley
    attribution.scales attribution.sides attribution.differences attribution.mixtures
    attribution.explanation attribution.words attribution
    sensitivities.samples sensitivities.libraries sensitivities.splits sensitivities.regions
    sensitivities.gaps sensitivities.variances sensitivities.screening sensitivities.elasticities
    sensitivities.chance sensitivities.densities sensitivities.methods sensitivities.doubts
    sensitivities.tables sensitivities.finished sensitivities.analysis sensitivities
    validation assumptions
    descriptions
    calibration fitting.measurements fitting.predictions fitting.targets fitting.rows
    fitting.free_values fitting.residuals fitting.problems fitting.own_data fitting.identifiability
    fitting.search fitting.profiles fitting.fits fitting.courses fitting.table fitting.saved_lines fitting
    figures.styles figures.events figures.panel figures.measured figures.combined figures.page figures.matrices
    figures.published figures.clinic figures.signature figures.partners figures.bar_values figures.bars
    figures.dose_axis figures.responses figures.arrangement figures.waterfall figures.index_bars figures.tornado figures.flux_bars
    figures.isobolograms figures.sweeps.across figures.sweeps.colours figures.sweeps.data figures.sweeps.frame figures.sweeps.ticks
    figures.sweeps.axes figures.sweeps.grids figures.sweeps.maps figures.sweeps.slices figures.sweeps.scatter figures.sweeps
    figures.story figures.dose_responses figures.heat_maps figures.fits figures
    exports.selection exports.standalone exports.sedml exports.latex exports.archive exports
    cli.checks cli.tables cli.beside cli.activities cli.clinic cli.pages cli.curves cli.draws
    cli.fits cli.summaries cli.console cli.options cli.answers cli.responses cli.attribution cli.interactions cli.turnover
    cli.running cli.looking cli.checking cli.exporting cli.fitting cli.warming cli.templates
    cli.sweep_progress cli.sweep_reports cli.sensitivities cli.sweep_runs cli.sweeps cli.sweep_results cli.cluster_jobs cli __main__
""".split()

# `Model.simulate` and its like are a convenience: they hand over to the module that knows how.
EXCEPTIONS = {("simulated", "model_runs"), ("simulated", "model")}


def _module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def _modules() -> dict[str, Path]:
    """Every module but the package itself, whose public names are lazy."""
    names = {_module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
    return {name: path for name, path in names.items() if name}


def _imported_modules(path: Path) -> set[str]:
    """Every module of ours that a module imports, inside functions too."""
    names = {name.removeprefix("myelode.") for name in _imports(path)}
    return {name for name in names if name in _modules()}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (_origin(str(node.module), alias.name) for alias in node.names)


def _origin(module: str, name: str) -> str:
    """The module that ``from module import name`` needs: `name` may be a module itself."""
    whole = f"{module}.{name}"
    return whole if whole.removeprefix("myelode.") in _modules() else module


def test_every_module_has_its_place_in_the_order() -> None:
    assert set(_modules()) <= set(ORDER), "add the new module to ORDER, left of what imports it"


def test_every_place_in_the_order_is_taken() -> None:
    assert set(ORDER) <= set(_modules()), "remove the module that is gone from ORDER"


@pytest.mark.parametrize("name", _modules())
def test_a_module_imports_only_from_its_left(name: str) -> None:
    allowed = set(ORDER[: ORDER.index(name)])
    strangers = _imported_modules(_modules()[name]) - allowed - {name}
    assert {(name, other) for other in strangers} <= EXCEPTIONS


def test_the_exception_stands_inside_the_methods() -> None:
    tree = ast.parse((SOURCE / "simulated.py").read_text(encoding="utf-8"))
    [part] = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Simulated"]
    methods = [n for n in part.body if isinstance(n, ast.FunctionDef)]
    inside = [n for m in methods for n in ast.walk(m) if isinstance(n, ast.ImportFrom)]
    everywhere = [
        n for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module == "myelode.model_runs"
    ]  # fmt: skip
    assert {n.module for n in inside} == {"myelode.model_runs"}
    assert everywhere == inside


def test_the_package_itself_imports_only_the_errors_at_once() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    at_once = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) and "myelode" in ast.unparse(node)
    ]
    assert at_once == ["from myelode import errors"]
