"""Numbers of other scenarios in expressions: beside the endpoints, stored, and shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myelode.cli import main
from myelode.errors import ScenarioError
from myelode.outcomes import check_expectations, evaluate
from myelode.results import read_result, replay, write_result
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import rehearse, simulate

from .toys import DECAY, DECAY_TABLE, write_files

VARIANTS = """\
dish: {title: dish, parts: [decay.ant], model: decay, default: true}
patient: {title: patient, parts: [decay.ant, tissue.ant], model: tissue}
"""
TISSUE = """
model tissue()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second);
  compartment body = 4; body has volume;
  species drug in body; drug = 0; k = 0.5; k has per_hour;
  loss: drug => ; body*k*drug;
end
"""
BODY = "body\t4\tlitre\tvolume\tfixed\t\t\t\tassumed\tno\t\tan example\n"
LINES = "weak: {scale: {k: 2}, note: an example}\n"
DISH = """\
id: dish
title: in the dish
model: {folder}
cell_line: weak
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
regimen: [{{at: 0 h, dose: drug, add: 1 uM}}]
observe: {{every: 15 min, until: 20 h, outputs: [drug]}}
endpoints:
  auc: {{of: drug, take: auc}}
  auc_ratio: {{expr: auc / none.auc}}
"""
PATIENT = """\
id: patient
title: in the patient
model: {folder}
variant: patient
perturbations: [none, {{slow: {{scale: {{k: 0.25}}}}}}, {{odd: {{scale: {{k: 2}}}}}}]
inputs:
  dish_ratio: {{from: dish.yaml, of: auc_ratio}}
  dish_auc: {{from: dish.yaml, of: auc}}
regimen: [{{at: 0 h, dose: drug, amount: 4 umol}}]
observe: {{every: 15 min, until: 40 h, outputs: [drug]}}
endpoints:
  auc: {{of: drug, take: auc}}
  auc_ratio: {{expr: auc / none.auc}}
  lost: {{expr: auc_ratio / dish_ratio}}
rules:
  more: [{{label: more, if: dish_ratio > 1.5}}, {{label: less}}]
expect:
  - abs(slow.dish_ratio - 2) < 0.05
  - slow.more == 'more'
  - slow.lost > 1.9
"""
Writes = Callable[..., Scenario]


@pytest.fixture
def patient(tmp_path: Path) -> Writes:
    """Writes both scenarios on a model with two variants, and reads that of the patient."""
    table = DECAY_TABLE + BODY
    files = {"decay.ant": DECAY, "tissue.ant": TISSUE, "variants.yaml": VARIANTS}
    more = {"parameters.tsv": table, "cell_lines.yaml": LINES}
    folder = write_files(tmp_path / "decay", {**files, **more})

    def read(old: str = "", new: str = "") -> Scenario:
        text = PATIENT.format(folder=folder)
        assert old in text
        (tmp_path / "dish.yaml").write_text(DISH.format(folder=folder))
        (tmp_path / "patient.yaml").write_text(text.replace(old, new))
        return load_scenario(tmp_path / "patient.yaml")

    return read


def test_an_input_stands_beside_the_endpoints(patient: Writes) -> None:
    scenario = patient()
    result = evaluate(simulate(scenario))
    ratio = result["dish_ratio"]
    assert ratio.dims == ("perturbation",)
    np.testing.assert_allclose(ratio, [1, 2, np.nan], rtol=0.02)
    assert ratio.attrs["units"] == "dimensionless"
    assert ratio.attrs["long_name"] == "auc_ratio of dish"
    assert result["dish_auc"].attrs["units"] == "umol/L*h"
    np.testing.assert_allclose(result["lost"], result["auc_ratio"] / ratio)
    assert list(result["more"].values) == ["less", "more", "less"]
    assert all(line.passed for line in check_expectations(result, scenario))


def test_a_stored_result_needs_the_other_scenario_no_more(patient: Writes, tmp_path: Path) -> None:
    dataset = simulate(patient())
    write_result(dataset, tmp_path / "patient.nc")
    (tmp_path / "dish.yaml").unlink()
    stored = read_result(tmp_path / "patient.nc")
    assert evaluate(stored).identical(evaluate(dataset))
    assert replay(stored).passed


def test_a_result_without_inputs_holds_none(patient: Writes, tmp_path: Path) -> None:
    patient()
    assert "inputs" not in simulate(load_scenario(tmp_path / "dish.yaml")).attrs


def test_inputs_that_are_used_are_shown(
    patient: Writes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient()
    assert main(["run", str(tmp_path / "patient.yaml"), "--json"]) == 0
    endpoints = json.loads(capsys.readouterr().out)["perturbations"]["slow"]["endpoints"]
    assert list(endpoints) == ["dish_ratio", "auc", "auc_ratio", "lost"]
    assert endpoints["dish_ratio"]["input_from"] == "dish"
    assert endpoints["dish_ratio"]["input_of"] == "auc_ratio"
    assert main(["run", str(tmp_path / "patient.yaml")]) == 0
    assert "dish_ratio (of dish)" in capsys.readouterr().out


def test_a_check_needs_no_run_of_the_other_scenario(patient: Writes, tmp_path: Path) -> None:
    scenario = patient()
    (tmp_path / "dish.yaml").unlink()
    plan, dataset = rehearse(scenario)
    assert plan.inputs["dish_ratio"] == {"none": 1.0, "slow": 1.0, "odd": 1.0}
    assert "lost" in evaluate(dataset)


def test_each_compound_has_its_own_number(patient: Writes, tmp_path: Path) -> None:
    patient()
    folder = tmp_path / "decay"
    (folder / "compounds.yaml").write_text("default: a\ncompounds: {a: {title: A}, b: {title: B}}")
    text = (tmp_path / "dish.yaml").read_text()
    (tmp_path / "dish.yaml").write_text(text.replace("cell_line: weak", "compounds: [a, b]"))
    both = load_scenario(tmp_path / "patient.yaml", ["compounds=[b, a]"])
    result = evaluate(simulate(both))
    assert result["dish_auc"].dims == ("perturbation", "compound")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  lost:", "  dish_auc:", r"patient.yaml:\d+: endpoints.dish_auc: 'dish_auc' is the name of an input already"),
        ("  more:", "  dish_auc:", r"rules.dish_auc: 'dish_auc' is the name of an input already"),
        ("  dish_auc:", "  outcome:", r"inputs.outcome: 'outcome' is a name that the result itself uses"),
        ("/ dish_ratio", "/ dish_rato", r"endpoints.lost.* unknown name 'dish_rato'.*'dish_ratio'"),
    ],
)  # fmt: skip
def test_a_name_that_is_taken_or_unknown_is_refused(
    patient: Writes, old: str, new: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        evaluate(simulate(patient(old, new)))
    assert "\n" not in str(caught.value)
