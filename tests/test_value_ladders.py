"""Ladders over a parameter of the model: its base value at every dose, in its own unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.figures import plot_scenario
from myelode.outcomes import check_expectations, evaluate
from myelode.results import replay
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate
from tests.toys import swapped

# An inhibitor in the medium slows the loss of a drug; half of the loss is left at 2 umol/L.
MODEL = """\
model inhibited()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment medium = 1; medium has volume; species drug in medium; drug = 0;
  k = 0.5; k has per_hour; inhibitor = 0; inhibitor has uM; half = 2; half has uM;
  loss: drug => ; medium * k / (1 + inhibitor / half) * drug;
end
"""
TEXT = """\
id: slowed
title: a drug whose loss is inhibited
model: {model}
perturbations: [none, {{fast: {{scale: {{k: 2}}}}}}]
regimen:
  - {{at: 0 h, label: pulse, dose: drug, to: 1 umol/L}}
design:
  dose: {{of: pulse, values: [1 umol/L, 2 umol/L]}}
  dose2: {{of: inhibitor, values: [500 nmol/L, 2 umol/L], zero: true}}
observe: {{every: 1 h, until: 4 h, outputs: [drug]}}
endpoints:
  left: {{of: drug, take: value, at: 4 h}}
  half_inhibited: {{of: drug, take: value, at: 4 h, dose: 2 umol/L, dose2: 2 umol/L}}
expect:
  - abs(none.half_inhibited - 2 * exp(-1)) < 1e-6
"""


def scenario(tmp_path: Path, *swaps: tuple[str, str]):  # type: ignore[no-untyped-def]
    (tmp_path / "inhibited.ant").write_text(MODEL, "utf-8")
    text = TEXT.format(model=tmp_path / "inhibited.ant")
    return scenario_from_text(swapped(text, swaps), "slowed.yaml")


def test_each_dose_is_the_base_value_of_its_runs(tmp_path: Path) -> None:
    dataset = simulate(scenario(tmp_path))
    np.testing.assert_allclose(dataset["dose2"], [0, 0.5, 2])
    assert dataset["dose2"].attrs == {"units": "umol/L", "long_name": "dose2", "dosed": "inhibitor"}
    left = evaluate(dataset)["left"]
    assert left.dims == ("perturbation", "dose", "dose2")
    rates = np.outer([0.5, 1.0], 1 / (1 + np.array([0, 0.5, 2]) / 2))
    expected = np.exp(-4 * rates)[:, np.newaxis] * np.array([1, 2])[np.newaxis, :, np.newaxis]
    np.testing.assert_allclose(left, expected, rtol=1e-6)


def test_expectations_and_replay_and_figure_know_it(tmp_path: Path) -> None:
    one = scenario(tmp_path)
    dataset = simulate(one)
    result = evaluate(dataset)
    assert all(line.passed for line in check_expectations(result, one))
    assert replay(dataset).passed
    plot_scenario(dataset, result, tmp_path / "slowed.png")


def test_one_ladder_may_be_over_a_value_alone(tmp_path: Path) -> None:
    swap = (
        "  dose: {of: pulse, values: [1 umol/L, 2 umol/L]}\n  dose2: {of: inhibitor, values: [500 nmol/L, 2 umol/L], zero: true}",
        "  dose: {of: inhibitor, from: 0.1 umol/L, to: 10 umol/L, points: 3, zero: true}",
    )
    one = scenario(tmp_path, swap, (", dose: 2 umol/L, dose2: 2 umol/L", ", dose: 1 umol/L"))
    dataset = simulate(one.model_copy(update={"expect": []}))
    np.testing.assert_allclose(dataset["dose"], [0, 0.1, 1, 10])
    assert isinstance(evaluate(dataset), xr.Dataset)


def test_a_label_comes_before_a_value_of_the_same_name(tmp_path: Path) -> None:
    one = scenario(tmp_path, ("label: pulse", "label: half"), ("of: pulse", "of: half"))
    dataset = simulate(one)
    np.testing.assert_allclose(dataset["drug"].isel(time=0, perturbation=0, dose2=0), [1, 2])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: slowed", "set: {inhibitor: 1 umol/L}\nid: slowed", "'inhibitor' is set, but the design varies it"),
        ("id: slowed", "final: {inhibitor: 1 umol/L}\nid: slowed", "'inhibitor' is set, but the design varies it"),
        ("\ndesign:", "\n  - {at: 1 h, set: {inhibitor: 1 umol/L}}\ndesign:", "design.dose2.of: 'inhibitor' has a ladder, but the regimen sets it"),
        ("scale: {k: 2}", "set: {inhibitor: 1 umol/L}", "design.dose2.of: 'inhibitor' has a ladder, but the perturbation 'fast' sets it"),
        ("  dose2:", "  cross: {inhibitor: [1 umol/L]}\n  dose2:", "'inhibitor' has a ladder, and the design varies it too"),
        ("of: inhibitor", "of: inhibitr", "no dose is labelled 'inhibitr': did you mean 'inhibitor'"),
        ("of: inhibitor", "of: drug", "'drug' is a species: dose it in a step, and label that step"),
        ("[500 nmol/L, 2 umol/L]", "[500, 2000]", "inhibitor needs a unit"),
        ("[500 nmol/L, 2 umol/L]", "[2 umol/L, 500 nmol/L]", "the doses of a ladder must increase"),
        ("[500 nmol/L, 2 umol/L]", "[-1 umol/L, 2 umol/L]", "may not be negative"),
        ("dose2: 2 umol/L", "dose2: 3 umol/L", "no dose of the ladder is '3 umol/L': nearest to it: 2 uM"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        evaluate(simulate(scenario(tmp_path, (old, new))))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
