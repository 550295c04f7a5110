"""Exports mean the same thing in the programs that read them.

python-libsedml and tellurium change how libSBML works, so they read in a process of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

from myelode import library
from myelode.datasets import NOTICE
from myelode.equations import derive
from myelode.errors import MyelodeError, ScenarioError
from myelode.exports import FORMATS, export
from myelode.model import load_model
from myelode.sbml import describe, findings, from_antimony
from myelode.scenario import load_scenario, perturbation_names
from myelode.simulation import simulate

AGREEMENT = 5e-6
"""Months of exponential growth leave an error above the 1e-6 of hours."""

ROUNDING = 1e-13

MODEL = """
model dish()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  unit rate = 1e-6 mole / (litre * 3600 second);
  share = 0.01; share has dimensionless;
  compartment medium = 2; medium has litre;
  compartment cells = medium * share; cells has litre;
  species drug in medium, inside in cells, target in cells;
  substanceOnly species bound in cells;
  k_in = 3; k_in has per_hour; k_out = 2; k_out has per_hour; k_bind = 0.4; k_bind has per_hour;
  k_turn = 0.5; k_turn has per_hour; target_0 = 4; target_0 has uM;
  open = 1; open has dimensionless;
  drug = 0; inside = 0; bound = 0; target = target_0 * open;
  load := inside / (inside + target); load has dimensionless;
  entry: drug -> inside; cells * (k_in * drug - k_out * inside);
  binding: inside + target => bound; cells * k_bind * open * inside * load;
  synthesis: => target; cells * k_turn * target_0;
  loss: target => ; cells * k_turn * target;
  release: bound => ; k_turn * bound;
  clearance: drug => ; medium * k_clear * drug; k_clear = 0.3; k_clear has per_hour;
end
"""

OBSERVED = (
    "observe: {every: 0.08 h, until: 12 h, outputs: [drug, inside, target, bound, load, entry]}"
)

REGIMENS = {
    "doses": """
  - {at: 0 h, label: pulse, dose: drug, to: 3 uM}
  - {at: 2 h, label: wash, wash: medium, dilute: 10, times: 3}
  - {at: 3 h, label: repeat, dose: drug, amount: 5 umol, every: 2 h, times: 3, lag: 0.5 h}
  - {at: 6 h, renew: medium, fraction: 0.5}
  - {at: 7.1 h, dose: bound, add: 0.01 umol}""",
    "a dose before another": """
  - {at: 1 h, label: pulse, dose: drug, add: 3 uM}
  - {at: 1 h, dose: drug, add: 2 uM}""",
    "infusions": """
  - {at: 0 h, infuse: drug, amount: 6 umol, over: 1 h, every: 3 h, times: 4}
  - {at: 5.5 h, label: more, infuse: drug, rate: 2 umol/h, over: 2 h}""",
    "an inhibitor from the start": """
  - {at: 0 h, dose: drug, add: 2 uM}
  - {at: 0 h, set: {open: 0.25}, for: 3 h}
  - {at: 5 h, set: {open: 0.5}, until: 6 h}""",
    "a reset": """
  - {at: 0 h, dose: drug, add: 2 uM}
  - {at: 5 h, reset: true}
  - {at: 6 h, dose: drug, add: 1 uM}""",
    "a steady state at the start": """
  - {at: 0 h, dose: drug, add: 2 uM, every: 3 h, times: 4, steady_state: true}""",
    "a steady state later": """
  - {at: 2 h, infuse: drug, amount: 2 umol, over: 1 h, every: 3 h, times: 3, steady_state: true}""",
    "a larger vessel": """
  - {at: 0 h, dose: drug, amount: 6 umol}
  - {at: 2 h, dose: drug, amount: 6 umol}
set: {medium: 5 L}""",
    "equilibration": """
  - {at: 1 h, dose: drug, add: 2 uM}
equilibrate: {for: 200 h, hold: [drug]}
set: {target_0: 7 uM, k_turn: 1 1/h}""",
}  # fmt: skip

ORACLES = {
    "libsedml": """
import json, sys, libsedml
document = libsedml.readSedMLFromFile(sys.argv[1])
document.getErrorLog()
print(json.dumps({
    "version": [document.getLevel(), document.getVersion()],
    "errors": [document.getError(n).getMessage() for n in range(document.getNumErrors())],
    "sources": [model.getSource() for model in document.getListOfModels()],
    "tasks": document.getNumTasks(),
    "labels": [data.getLabel() for data in document.getOutput("report").getListOfDataSets()],
    "plots": document.getNumOutputs() - 1,
}))
""",
    "libcombine": """
import json, sys, libcombine
archive = libcombine.CombineArchive()
read = archive.initializeFromArchive(sys.argv[1])
print(json.dumps({
    "read": bool(read),
    "locations": [archive.getEntry(n).getLocation() for n in range(archive.getNumEntries())],
    "master": archive.getMasterFile().getLocation(),
    "description": archive.getMetadataForLocation(".").getDescription(),
}))
""",
    "tellurium": """
import json, sys, warnings
warnings.simplefilter("ignore")
import tellurium
[results] = tellurium.executeCombineArchive(sys.argv[1], createOutputs=False).values()
found = results["dataGenerators"]
print(json.dumps({name: values.ravel().tolist() for name, values in found.items()}))
""",
    "basico": """
import json, sys, basico
basico.load_model(sys.argv[1])
times = json.loads(sys.argv[2])
table = basico.run_time_course(
    values=times, use_initial_values=True, use_numbers=False, use_sbml_id=True,
    r_tol=1e-10, a_tol=1e-14,
)
print(json.dumps({name: table[name].tolist() for name in table}))
""",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dish.ant").write_text(MODEL)
    return tmp_path


def _scenario(folder: Path, regimen: str, more: str = "") -> str:
    path = folder / "trial.yaml"
    head = f"id: trial\ntitle: a trial\nmodel: {folder / 'dish.ant'}"
    path.write_text(f"{head}\nregimen:{REGIMENS[regimen]}\n{OBSERVED}\n{more}")
    return str(path)


def _exported(name: str, to: str, folder: Path, settings: tuple[str, ...] = ()) -> Path:
    path = folder / f"exported.{to}"
    export(name, to, path, settings)
    return path


def _ask(oracle: str, *arguments: object) -> dict:
    """What the oracle answers, in a process of its own."""
    if find_spec(oracle) is None:
        pytest.skip(f"needs {oracle}")
    command = [sys.executable, "-c", ORACLES[oracle], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _away_from_events(result: xr.Dataset) -> xr.Dataset:
    """Samples whose value does not depend on which side of an event they lie."""
    times = result["time"].values
    events = [time for run in json.loads(result.attrs["runs"]) for time in _event_times(run)]
    far = [all(abs(time - event) > 1e-7 * max(1, event) for event in events) for time in times]
    return result.isel(time=np.flatnonzero(far))


def _event_times(run: dict) -> list[float]:
    return [instant["time"] for instant in run["instants"]]


def _run(sbml: str, times: np.ndarray, outputs: list[str]) -> np.ndarray:
    """The SBML in plain libRoadRunner."""
    import roadrunner

    runner = roadrunner.RoadRunner(sbml)
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.maximum_num_steps = 100_000
    # One tolerance for all is scaled by what is there at each event: by nothing, weeks after a dose.
    entities = describe(sbml).entities
    ruled = [entity.id for entity in entities.values() if entity.rule == "rate"]
    for name in (*runner.model.getFloatingSpeciesIds(), *ruled):
        runner.integrator.setIndividualTolerance(name, 1e-14)
    runner.timeCourseSelections = [
        f"[{name}]" if entities[name].kind == "species" and not entities[name].is_amount else name
        for name in outputs
    ]
    grid = np.unique([0.0, *times])
    rows = np.asarray(runner.simulate(times=grid.tolist()))
    return rows[np.searchsorted(grid, times)]


def _difference(
    found: np.ndarray, expected: np.ndarray, size: np.ndarray | float = ROUNDING
) -> float:
    """The largest difference, as a share of the largest value of each output, or of `size`.

    An output that is nothing but rounding everywhere has no size of its own: it counts as one.
    """
    size = np.maximum(np.abs(expected).max(axis=0), size)
    size = np.where(size < ROUNDING, 1.0, size)
    return float((np.abs(found - expected) / size).max())


def _table(result: xr.Dataset, outputs: list[str]) -> np.ndarray:
    return np.stack(
        [result[name].values.reshape(-1, result.sizes["time"])[0] for name in outputs], -1
    )


def _outputs(result: xr.Dataset) -> list[str]:
    return [str(name) for name in result.data_vars if name != "status" and "(" not in str(name)]


@pytest.mark.parametrize("regimen", REGIMENS)
@pytest.mark.parametrize("to", ["sbml", "antimony"])
def test_the_exported_run_gives_the_same_trajectories_elsewhere(
    folder: Path, regimen: str, to: str
) -> None:
    name = _scenario(folder, regimen)
    text = _exported(name, to, folder).read_text()
    sbml = from_antimony(text, to) if to == "antimony" else text
    result = _away_from_events(simulate(load_scenario(name)))
    outputs = _outputs(result)
    found = _run(sbml, result["time"].values, outputs)
    assert _difference(found, _table(result, outputs)) < AGREEMENT


@pytest.mark.parametrize("regimen", REGIMENS)
def test_libsbml_finds_nothing_to_say_about_the_exported_run(folder: Path, regimen: str) -> None:
    text = _exported(_scenario(folder, regimen), "sbml", folder).read_text()
    assert findings(text) == ([], [])


def test_the_value_right_after_each_event_is_the_one_of_the_regimen(folder: Path) -> None:
    name = _scenario(folder, "doses")
    result = simulate(load_scenario(name))
    events = np.array(
        [time for time in _event_times(json.loads(result.attrs["runs"])[0]) if time > 0]
    )
    text = _exported(name, "sbml", folder).read_text()
    # CVODE finds an event up to its tolerance: a moment later it has happened in any program.
    found = _run(text, events + 1e-7, ["drug", "bound"])
    assert _difference(found, _table(result.sel(time=events), ["drug", "bound"])) < AGREEMENT


def test_copasi_runs_the_exported_scenario_alike(folder: Path) -> None:
    name = _scenario(folder, "doses")
    result = _away_from_events(simulate(load_scenario(name)))
    result = result.isel(time=slice(None, None, 7))
    path = _exported(name, "sbml", folder)
    table = _ask("basico", path, json.dumps(result["time"].values.tolist()))
    outputs = ["drug", "inside", "target"]
    found = np.stack([table[name] for name in outputs], -1)
    assert _difference(found, _table(result, outputs)) < AGREEMENT


def test_events_carry_the_labels_of_the_regimen(folder: Path) -> None:
    text = _exported(_scenario(folder, "doses"), "sbml", folder).read_text()
    assert re.findall(r'<event id="(\w+)" name="(\w+)"', text) == [("regimen_1", "wash")]


def test_what_was_computed_is_said_in_the_notes(folder: Path) -> None:
    text = _exported(_scenario(folder, "equilibration"), "sbml", folder).read_text()
    assert "state after 200 time units without drug, computed by myelode" in text
    steady = _exported(_scenario(folder, "a steady state later"), "sbml", folder).read_text()
    assert "steady state at time 2 was computed by myelode" in steady


def test_another_perturbation_and_dose_are_chosen_by_settings(folder: Path) -> None:
    name = _scenario(folder, "doses", "perturbations: [none, {leaky: {scale: {k_out: 3}}}]\n")
    settings = ("reference=leaky", "regimen.pulse.to=8 uM")
    text = _exported(name, "sbml", folder, settings).read_text()
    assert 'id="k_out" value="6"' in text
    assert 'id="drug" compartment="medium" initialConcentration="8"' in text


def test_a_dose_ladder_does_not_change_the_dose_of_the_reference(folder: Path) -> None:
    ladder = "design: {dose: {of: pulse, from: 1 uM, to: 100 uM, points: 3, zero: true}}\n"
    plain = _exported(_scenario(folder, "doses"), "sbml", folder).read_text()
    assert _exported(_scenario(folder, "doses", ladder), "sbml", folder).read_text() == plain


def test_a_model_is_exported_as_its_canonical_sbml(folder: Path) -> None:
    path = folder / "dish.ant"
    assert _exported(str(path), "sbml", folder).read_text() == load_model(path).sbml


def test_a_setting_changes_an_exported_model(folder: Path) -> None:
    text = _exported(str(folder / "dish.ant"), "sbml", folder, ("k_in=5 1/h",)).read_text()
    assert 'id="k_in" value="5"' in text


def test_a_setting_chooses_the_variant_of_a_model(tmp_path: Path) -> None:
    text = _exported("melflufen", "sbml", tmp_path, ("variant=plasma",)).read_text()
    expected = load_model("melflufen", "plasma").entities.keys()
    assert describe(text).entities.keys() == expected


def test_the_sed_ml_is_valid_and_names_its_model(folder: Path) -> None:
    path = folder / "trial.sedml"
    export(_scenario(folder, "doses"), "sedml", path)
    found = _ask("libsedml", path)
    assert found["errors"] == []
    assert found["version"] == [1, 4]
    assert found["sources"] == ["trial.xml"]
    assert found["labels"] == ["time", "drug", "inside", "target", "bound", "load", "entry"]
    assert findings((folder / "trial.xml").read_text()) == ([], [])


def test_a_sed_ml_file_does_not_overwrite_its_own_model(folder: Path) -> None:
    with pytest.raises(ScenarioError, match=r"name the SED-ML trial\.sedml"):
        export(_scenario(folder, "doses"), "sedml", folder / "trial.xml")


def test_names_in_the_sed_ml_cannot_end_a_text_in_generated_code(folder: Path) -> None:
    path = Path(_scenario(folder, "doses"))
    path.write_text(path.read_text().replace("title: a trial", 'title: it\'s "a" trial'))
    text = _exported(str(path), "sedml", folder).read_text()
    assert 'name="its a trial"' in text


def test_amounts_are_written_as_concentration_times_volume(folder: Path) -> None:
    path = Path(_scenario(folder, "doses"))
    changed = path.read_text().replace("[drug,", "[amount(drug), concentration(bound),")
    path.write_text(changed)
    tree = ElementTree.parse(_exported(str(path), "sedml", folder))
    math = "{http://www.w3.org/1998/Math/MathML}"
    signs = [apply[0].tag.removeprefix(math) for apply in tree.iter(f"{math}apply")]
    assert signs == ["times", "divide"]


LADDER = """perturbations: [none, {leaky: {scale: {k_out: 3}}}]
design: {dose: {of: pulse, values: [1 uM, 3 uM]}}
"""


def test_the_archive_holds_all_runs_and_reads_back(folder: Path) -> None:
    path = _exported(_scenario(folder, "doses", LADDER), "omex", folder)
    found = _ask("libcombine", path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        archive.extractall(folder / "unpacked")
    listed = {location.removeprefix("./") for location in found["locations"]} - {"."}
    assert found["read"]
    assert found["master"] == "./simulation.sedml"
    assert listed | {"manifest.xml", "metadata.rdf"} == names
    assert found["description"] == f"a trial. {NOTICE}"
    sed = _ask("libsedml", folder / "unpacked" / "simulation.sedml")
    assert sed["errors"] == []
    assert sed["sources"] == [f"run_{number}.xml" for number in range(1, 5)]
    assert set(sed["sources"]) <= names


def test_the_scenario_in_the_archive_is_the_one_that_was_exported(folder: Path) -> None:
    name = _scenario(folder, "doses", LADDER)
    path = _exported(name, "omex", folder, ("k_in=5 1/h",))
    with zipfile.ZipFile(path) as archive:
        archive.extract("scenario.yaml", folder)
    expected = load_scenario(name, ("k_in=5 1/h",))
    assert load_scenario(folder / "scenario.yaml").model_dump() == expected.model_dump()


def test_the_table_of_runs_says_which_file_is_which(folder: Path) -> None:
    path = _exported(_scenario(folder, "doses", LADDER), "omex", folder)
    with zipfile.ZipFile(path) as archive:
        rows = [line.split("\t") for line in archive.read("runs.tsv").decode().splitlines()]
    assert rows[0] == ["file", "perturbation", "dose", "values"]
    assert rows[4] == ["run_4.xml", "leaky", "3.0", "k_out = 6"]


def test_equal_scenarios_give_equal_archives(folder: Path) -> None:
    name = _scenario(folder, "doses", LADDER)
    digests = {
        hashlib.sha256(_exported(name, "omex", folder).read_bytes()).hexdigest() for _ in range(2)
    }
    assert len(digests) == 1


def test_a_large_ladder_does_not_go_into_an_archive(folder: Path) -> None:
    ladder = "design: {dose: {of: pulse, from: 1 uM, to: 100 uM, points: 1000, zero: true}}\n"
    with pytest.raises(ScenarioError, match="has 1001 runs, more than the 1000"):
        _exported(_scenario(folder, "doses", ladder), "omex", folder)


def test_a_regimen_of_thousands_of_events_is_refused(folder: Path) -> None:
    path = Path(_scenario(folder, "a dose before another"))
    changed = path.read_text().replace("add: 2 uM", "add: 2 uM, every: 0.001 h, times: 3000")
    path.write_text(changed)
    with pytest.raises(ScenarioError, match="more than the 2000"):
        _exported(str(path), "sbml", folder)


def test_tellurium_runs_the_archive_with_the_same_result(folder: Path) -> None:
    name = _scenario(folder, "doses")
    path = Path(name)
    path.write_text(path.read_text().replace("target, bound", "target"))
    found = _ask("tellurium", _exported(name, "omex", folder))
    result = simulate(load_scenario(name))
    times = np.array(found["run_1_time"])
    keep = _away_from_events(result)["time"].values
    near = [at for at, time in enumerate(times) if np.abs(keep - time).min() < 1e-9]
    assert len(near) > 100
    outputs = ["drug", "inside", "target", "load", "entry"]
    columns = np.stack([found[f"run_1_output_{n}"] for n in range(1, 6)], -1)[near]
    expected = _table(result.sel(time=times[near], method="nearest"), outputs)
    assert _difference(columns, expected) < AGREEMENT


TO_TELLURIUM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from myelode import load_model
runner = load_model(sys.argv[1]).to_tellurium()
print(json.dumps(runner.simulate(0, 10, 11, ["time", "[target]"]).tolist()))
"""


def test_a_model_simulates_in_tellurium(folder: Path) -> None:
    if find_spec("tellurium") is None:
        pytest.skip("needs tellurium")
    path = folder / "dish.ant"
    command = [sys.executable, "-c", TO_TELLURIUM, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = np.array(json.loads(done.stdout.strip().splitlines()[-1]))
    expected = load_model(path).simulate(rows[:, 0], ["target"])["target"].values
    np.testing.assert_allclose(rows[:, 1], expected, rtol=1e-5)


def test_exporting_leaves_libsbml_as_it_was(folder: Path) -> None:
    name = _scenario(folder, "doses")
    for to in FORMATS:
        _exported(name, to, folder)
    assert derive(load_model(folder / "dish.ant").sbml).text()


def _require_balanced(text: str) -> None:
    opened: list[str] = []
    for act, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if act == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\[\\{}$&%#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0


def test_the_latex_holds_equations_values_and_regimen(folder: Path) -> None:
    text = _exported(_scenario(folder, "doses"), "latex", folder).read_text()
    _require_balanced(text)
    assert text.count(r"\frac{\mathrm{d}") == 4
    assert r"\texttt{drug} & $3$ & umol/L & drug \\" in text
    assert r"$2$ h & \texttt{drug} becomes $0.001$ \texttt{drug} \\" in text


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("sbm", "did you mean 'sbml'"),
        ("sheet", "formats: sbml, antimony, sedml, omex, latex"),
    ],
)
def test_an_unknown_format_is_refused_with_the_known_ones(
    folder: Path, wanted: str, hint: str
) -> None:
    with pytest.raises(ScenarioError, match=re.escape(hint)):
        export(_scenario(folder, "doses"), wanted, folder / "x")
    assert not (folder / "x").exists()


def test_an_unknown_name_is_refused(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="no model, scenario or file is called 'melfulfen'"):
        export("melfulfen", "sbml", folder / "x.xml")


def test_a_folder_that_does_not_exist_is_reported(folder: Path) -> None:
    with pytest.raises(MyelodeError, match="cannot be written"):
        export(str(folder / "dish.ant"), "sbml", folder / "missing" / "x.xml")


def test_everything_shipped_exports_to_antimony_that_reads_back(
    shipped: str, tmp_path: Path
) -> None:
    text = _exported(shipped, "antimony", tmp_path).read_text()
    assert findings(from_antimony(text, shipped))[0] == []


def test_everything_shipped_exports_to_latex(shipped: str, tmp_path: Path) -> None:
    _require_balanced(_exported(shipped, "latex", tmp_path).read_text())


def test_everything_shipped_exports_to_an_archive(shipped: str, tmp_path: Path) -> None:
    path = _exported(shipped, "omex", tmp_path, _few_runs(shipped))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert {"simulation.sedml", "runs.tsv", "scenario.yaml", "parameters.tsv"} <= set(names)
    assert any(name.startswith("run_") for name in names)


def _few_runs(name: str) -> tuple[str, ...]:
    """Settings that leave one perturbation, one line or patient and two doses of a scenario."""
    if name not in library.scenarios():
        return ()
    scenario = load_scenario(name)
    dose, first = scenario.design.dose, scenario.perturbations[0]
    found = ["scores={}", "figure={}"]
    if isinstance(first, str):
        found += [f"perturbations=[{first}]", f"reference={first}"]
    if scenario.design.subjects is not None:
        found.append(f"design.{scenario.design.subjects.key}.number=1")
    if dose is not None and dose.values is not None:
        found.append(f"design.dose.values={dose.values[-2:]}".replace("'", '"'))
    elif dose is not None:
        found.append("design.dose.points=2")
    return tuple(found)


@pytest.mark.parametrize("name", library.models())
def test_shipped_models_export_to_sed_ml(name: str, tmp_path: Path) -> None:
    assert _ask("libsedml", _exported(name, "sedml", tmp_path))["errors"] == []
    assert findings(tmp_path.joinpath("exported.xml").read_text()) == ([], [])


def test_steps_that_depend_on_the_run_are_refused_in_an_archive(
    conditional_scenario: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError, match="depends on the state of the run"):
        _exported(conditional_scenario, "omex", tmp_path, _few_runs(conditional_scenario))


def test_shipped_scenarios_give_the_same_trajectories_elsewhere(
    exportable_scenario: str, tmp_path: Path
) -> None:
    assert _ask("libsedml", _exported(exportable_scenario, "sedml", tmp_path))["errors"] == []
    text = tmp_path.joinpath("exported.xml").read_text()
    assert findings(text) == ([], [])
    scenario = load_scenario(exportable_scenario, ("design={}", "combinations={}"))
    names = perturbation_names(scenario)
    reference = scenario.reference if scenario.reference in names else names[0]
    result = _away_from_events(simulate(scenario)).sel(perturbation=[reference])
    outputs = _outputs(result)
    found = _run(text, result["time"].values, outputs)
    in_any_arm = np.array([float(abs(result[name]).max()) for name in outputs])
    assert _difference(found, _table(result, outputs), in_any_arm) < AGREEMENT
