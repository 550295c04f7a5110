"""Everything that can be wrong is said in one line, with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]
Change = Callable[[str, str], Path]


BAD_SCENARIOS = {
    "unknown model": ("model: ", "model: decai #", ["trial.yaml:3: model", "called 'decai'"]),
    "unknown perturbation": ("[none, ", "[none, quick, ", ["trial.yaml:4", "'quick'"]),
    "unknown species dosed": ("dose: drug", "dose: drog", ["trial.yaml:6", "'drog'", "'drug'?"]),
    "unknown species scaled": ("scale: {k:", "scale: {kk:", ["trial.yaml:4", "'kk'"]),
    "unknown output": ("outputs: [drug]", "outputs: [drugs]", ["trial.yaml:8", "'drug'?"]),
    "unknown endpoint": ("of: before", "of: befor", ["trial.yaml", "'befor'", "'before'?"]),
    "unknown key": ("label: wash", "lable: wash", ["trial.yaml:7", "'lable'", "'label'?"]),
    "unknown key on top": ("outcome:", "outcomes:", ["trial.yaml:13", "'outcome'?"]),
    "unknown label": ("at: wash-", "at: rinse-", ["trial.yaml:12", "'rinse'"]),
    "unknown name in expect": ("slow.before", "slow.bfore", ["trial.yaml:17", "'slow.before'"]),
    "missing unit": ("add: 1 uM", "add: 1", ["trial.yaml:6", "needs a unit"]),
    "missing unit of time": ("at: 2 h", "at: 2", ["trial.yaml:7", "needs a unit"]),
    "wrong unit": ("add: 1 uM", "add: 1 h", ["trial.yaml:6", "'h'", "umol/L"]),
    "unit that is none": ("add: 1 uM", "add: 1 mewm", ["trial.yaml:6", "'mewm'"]),
    "negative time": ("at: 2 h", "at: -2 h", ["trial.yaml:7", "'-2 h'", "before the start"]),
    "negative dose": ("add: 1 uM", "add: -1 uM", ["trial.yaml:6", "negative"]),
    "two changes at one instant": (
        "at: 0 h, label: pulse", "at: 0 h, dose: drug, add: 1 uM}\n  - {at: 2 h, label: pulse",
        ["'pulse'", "'wash'", "'drug'", "time 2"],
    ),
    "wash before any dose": ("at: 0 h", "at: 3 h", ["trial.yaml:7", "before any dose"]),
    "duplicate key": ("title:", "id: again\ntitle:", ["trial.yaml:2", "id"]),
    "malformed YAML": ("[none, ", "[none, ]]", ["trial.yaml:4:"]),
    "not a mapping": ("id: trial", "- id: trial", ["trial.yaml:"]),
    "not a number": ("scale: {k: 0.5}", "scale: {k: half}", ["trial.yaml:4", "'half'"]),
    "not a quantity": ("add: 1 uM", "add: one uM", ["trial.yaml:6", "'one uM'"]),
    "NaN": ("scale: {k: 0.5}", "scale: {k: .nan}", ["trial.yaml:4", "nan"]),
    "empty window": ("take: max}", "take: max, from: 3 h, until: 3 h}", ["trial.yaml:10", "empty"]),
    "time after the end": ("at: wash-", "at: 11 h", ["trial.yaml:12", "after the end"]),
    "negative scatter": (
        "endpoints:", "assays: {a: {of: drug, cv: -1}}\nendpoints:", ["trial.yaml:9", "assays.a.cv"],
    ),
    "no replicates": (
        "endpoints:", "assays: {a: {of: drug, replicates: 0}}\nendpoints:", ["trial.yaml:9: assays.a.replicates"],
    ),
    "limits in the wrong order": (
        "endpoints:", "assays: {a: {of: drug, detection_limit: 2 uM, upper_limit: 1 uM}}\nendpoints:",
        ["trial.yaml:9: assays.a", "the detection limit 2 is not below the upper limit 1"],
    ),
    "unknown name in a signal": (
        "endpoints:", "assays: {a: {of: drug, signal: 2 * drug}}\nendpoints:",
        ["trial.yaml:9: assays.a.signal", "'drug'", "knows only x"],
    ),
    "nothing to read an assay back with": (
        "endpoints:", "assays: {a: {of: drug}}\nendpoints:\n  x: {of: a_calibrated, take: max}",
        [".yaml:11: endpoints.x.of: assay 'a' has no calibrators", "add calibrators: {levels: [...]}"],
    ),
    "assay under a taken name": (
        "endpoints:", "assays: {peak: {of: drug}}\nendpoints:", ["trial.yaml:9: assays.peak", "endpoint"],
    ),
    "dose off the ladder": (
        "endpoints:\n  peak: {",
        "design: {dose: {of: pulse, values: [0 uM, 1 uM, 5 uM]}}\nendpoints:\n  peak: {dose: 2 uM, ",
        ["trial.yaml:11: endpoints.peak", "nearest to it: 1 uM and 5 uM"],
    ),
    "no expression": ("fold > 1.1", "fold >", ["trial.yaml:13", "'fold >'"]),
    "program in an expression": (
        "fold > 1.1", "__import__('os')", ["trial.yaml:13", "not allowed"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), BAD_SCENARIOS.values(), ids=BAD_SCENARIOS)
def test_what_is_wrong_in_a_scenario_is_said_in_one_line(
    complaint: Complaint, change: Change, old: str, new: str, expected: list[str]
) -> None:
    message = complaint("run", change(old, new))
    for fragment in expected:
        assert fragment in message


BAD_DOSES = {
    "no length": ("infuse: drug, amount: 1 umol, over: 0 h", "over is '0 h', and an infusion lasts longer"),
    "negative length": ("infuse: drug, amount: 1 umol, over: -2 h", "over is '-2 h'"),
    "negative amount": ("dose: drug, amount: -1 umol", "the dose '-1 umol' is negative"),
    "negative infusion": ("infuse: drug, amount: -1 umol, over: 1 h", "the amount '-1 umol' is negative"),
    "mass and level": (
        "infuse: drug, amount: 40 mg, to: 80 umol/L", "infuse does not take 'to': it takes amount",
    ),
    "amount twice": ("dose: drug, amount: 40 mg, amount: 80.25 umol", 'duplicate key "amount"'),
    "amounts in a list": (
        "dose: drug, amount: [40 mg, 80.25 umol]",
        "regimen.0.amount: ['40 mg', '80.25 umol'] is not a quantity such as '2 h': write one alone",
    ),
    "one amount equal to another": (
        "dose: drug, amount: 40 mg = 80.25 umol", "'40 mg = 80.25 umol' is more than one quantity: write one",
    ),
    "one amount behind another": (
        "dose: drug, amount: 40 mg (80.25 umol)", "'40 mg (80.25 umol)' is more than one quantity",
    ),
    "add and amount": ("dose: drug, add: 1 uM, amount: 1 umol", "one of to, add, amount, not add and amount"),
    "rate, amount and length": (
        "infuse: drug, amount: 2 umol, rate: 1 umol/h, over: 2 h",
        "two of amount, rate, over, not amount and rate and over",
    ),
    "mass without molar mass": (
        "dose: drug, amount: 40 mg", "'drug' is dosed in 'mg' but has no molar mass: write it in 'umol'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("step", "expected"), BAD_DOSES.values(), ids=BAD_DOSES)
def test_what_is_wrong_in_a_dose_is_said_in_one_line(
    complaint: Complaint, change: Change, step: str, expected: str
) -> None:
    message = complaint("run", change("dose: drug, add: 1 uM", step))
    assert "trial.yaml:6: " in message
    assert expected in message


BAD_MODELS = {
    "malformed Antimony": ("decay.ant", "model m()\n  loss: drug =>=> ;\nend\n", ["decay.ant:"]),
    "empty model": ("decay.ant", " \n", ["decay.ant: is empty"]),
    "malformed SBML": ("decay.xml", "<sbml><model", ["decay.xml"]),
    "no SBML": ("decay.xml", "<html></html>", ["decay.xml", "<html>"]),
    "a format that is no model": ("decay.csv", "a,b", ["decay.csv: a model ends in"]),
}


@pytest.mark.parametrize(("name", "text", "expected"), BAD_MODELS.values(), ids=BAD_MODELS)
def test_what_is_wrong_in_a_model_is_said_in_one_line(
    complaint: Complaint, change: Change, model: Path, name: str, text: str, expected: list[str]
) -> None:
    model.with_name(name).write_text(text)
    message = complaint("run", change("decay.ant", name))
    for fragment in ["trial.yaml:3: model", *expected]:
        assert fragment in message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "gama_h2ax_washout"], "did you mean 'gamma_h2ax_washout'"),
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "SCENARIO", "-o", "/nowhere/x.nc"], "/nowhere/x.nc: cannot be written"),
        (["run", "SCENARIO", "--plot", "/nowhere/x.png"], "/nowhere/x.png: cannot be written"),
        (["run", "SCENARIO", "--engine", "roadruner"], "did you mean 'roadrunner'?"),
        (["run", "SCENARIO", "--set", "k"], "--set 'k' is not written path=value"),
        (["run", "SCENARIO", "--set", "kk=1 1/h"], "unknown name 'kk'"),
        (["run", "SCENARIO", "--set", "k=1 h"], "'h', which cannot be converted to '1/h'"),
        (["run", "SCENARIO", "--nonsense"], "--nonsense"),
        (["run"], "SCENARIO"),
        (["rum"], "rum"),
        (["list", "drugs"], "'drugs'"),
        (["show", "melflufan"], "did you mean 'melflufen'?"),
        (["show", "melflufen", "--effective"], "--effective goes with a scenario"),
        (["validate", "melflufan"], "did you mean 'melflufen'?"),
        (["replay", "nowhere.nc"], "nowhere.nc: no such file"),
        (["replay", "SCENARIO"], "trial.yaml: is damaged, or no netCDF file"),
        (["export", "melflufen", "--to", "nonsense", "-o", "x.xml"], "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_argument_is_said_in_one_line(
    complaint: Complaint, scenario: Path, arguments: list[str], expected: str
) -> None:
    given = [str(scenario) if item == "SCENARIO" else item for item in arguments]
    assert expected in complaint(*given)


def test_with_json_an_error_is_an_object_on_standard_output(answer: Answer, change: Change) -> None:
    found = answer("run", change("add: 1 uM", "add: 1"), code=2)
    assert found["error"]["type"] == "ScenarioError"
    assert "trial.yaml:6" in found["error"]["message"]
    assert answer("run", code=2)["error"]["type"] == "UsageError"


def test_nothing_is_left_beside_a_result_that_could_not_be_written(
    scenario: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    assert main(["run", str(scenario), "-o", str(tmp_path / ("x" * 300))]) == 2
    assert sorted(tmp_path.iterdir()) == before


def test_a_message_cannot_command_the_terminal(complaint: Complaint, tmp_path: Path) -> None:
    message = complaint("run", f"{tmp_path}/\x1b[2J\n.yaml")
    assert "\x1b" not in message
