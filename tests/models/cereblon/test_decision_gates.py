"""The decision gates: right on the typical line, and no better than their instruments allow."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from myelode.model import Model
from myelode.outcomes import evaluate, evaluate_scenario
from myelode.regimens.steps import Context
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import simulate

GATES = ("source_rule", "source_figure", "mechanistic_gate")
SENSITIVE = ("none", "parent_again", "ikzf1_low", "competing_substrate")
DRAWS = 8
SHORT_LADDER = ["design.dose.points=4"]


@pytest.fixture(scope="module")
def typical() -> Scenario:
    return load_scenario("cereblon/decision_gates_typical", SHORT_LADDER)


@pytest.fixture(scope="module")
def noisy() -> Scenario:
    return load_scenario("cereblon/decision_gates", SHORT_LADDER)


@pytest.fixture(scope="module")
def trajectories(typical: Scenario) -> xr.Dataset:
    return simulate(typical)


@pytest.fixture(scope="module")
def exact(trajectories: xr.Dataset, typical: Scenario, dish: Model) -> xr.Dataset:
    """Every typical state, read without noise."""
    return evaluate_scenario(trajectories, typical, Context(dish))


@pytest.fixture(scope="module")
def draws(trajectories: xr.Dataset, noisy: Scenario, dish: Model) -> list[xr.Dataset]:
    """The same states with noise: the name of a scenario is part of what noise follows from."""
    renamed = (noisy.model_copy(update={"id": f"draw_{number}"}) for number in range(DRAWS))
    return [evaluate_scenario(trajectories, item, Context(dish)) for item in renamed]


def test_both_scenarios_differ_in_noise_and_lines_only(typical: Scenario, noisy: Scenario) -> None:
    same = {"perturbations", "compounds", "regimen", "observe", "endpoints", "outcome", "rules"}
    for part in (*same, "scores"):
        assert getattr(typical, part) == getattr(noisy, part)
    assert typical.design.dose == noisy.design.dose
    for name, assay in noisy.assays.items():
        assert assay.cv > 0
        assert assay.replicates == 3
        quiet = typical.assays[name]
        assert (quiet.cv, quiet.sd) == (0, None)
        assert (quiet.of, quiet.signal) == (assay.of, assay.signal)


def test_mechanistic_gate_is_right_in_every_typical_state(exact: xr.Dataset) -> None:
    labels = exact["mechanistic_gate"]
    assert float(exact["accuracy_mechanistic_gate"]) == 1, labels.to_series().to_string()


def test_gates_of_the_source_fail_where_they_have_no_word(exact: xr.Dataset) -> None:
    assert float(exact["accuracy_source_rule"]) < 0.75
    assert float(exact["accuracy_source_figure"]) < 0.75
    bypass = exact["confusion_source_rule"].sel(mechanism="bypass")
    assert not bypass.sel(label="sensitive").item()
    assert int(bypass.sum()) == 3
    assert _label(exact, "mdr1", "source_rule") == "affinity-driven"
    assert _label(exact, "exon10_skipped", "source_figure") == "B affinity"


@pytest.mark.parametrize("gate", GATES)
def test_every_state_is_counted_once(exact: xr.Dataset, gate: str) -> None:
    assert int(exact[f"confusion_{gate}"].sum()) == exact.sizes["perturbation"]
    found = [_label(exact, name, gate) for name in SENSITIVE]
    assert found == ["sensitive"] * len(SENSITIVE)


def test_noise_costs_the_mechanistic_gate_less_than_it_is_ahead(draws: list[xr.Dataset]) -> None:
    accuracy = {gate: np.mean([float(d[f"accuracy_{gate}"]) for d in draws]) for gate in GATES}
    assert 0.8 < accuracy["mechanistic_gate"] < 1
    assert accuracy["mechanistic_gate"] > accuracy["source_rule"] + 0.15
    assert accuracy["mechanistic_gate"] > accuracy["source_figure"] + 0.15


def test_parental_line_read_again_is_called_sensitive(draws: list[xr.Dataset]) -> None:
    assert all(_label(draw, "none", gate) == "sensitive" for draw in draws for gate in GATES)
    again = [_label(draw, "parent_again", "mechanistic_gate") for draw in draws]
    assert again.count("sensitive") >= DRAWS - 1


def test_iberdomide_is_said_to_lie_below_the_ladder(exact: xr.Dataset) -> None:
    parent = exact.sel(perturbation="none")
    assert parent["ic50_iber"].item() == 0
    assert parent["ic50_iber_flag"].item() == "below the lowest dose (10 nM)"
    assert parent["fold_iber_at_least"].item() == 1
    assert float(exact["fold_iber_at_least"].sel(perturbation="pocket_mutant")) > 20


def test_half_of_the_own_effect_says_nothing_of_a_lost_ligase(exact: xr.Dataset) -> None:
    """An EC50 below 1 uM, and next to no effect there."""
    lost = exact.sel(perturbation="crbn_silenced_10")
    assert lost["ec50_pom"].item() < 1000 < lost["ic50_pom"].item()
    assert lost["emax_pom"].item() < 0.5


def test_line_that_never_answered_has_no_acquired_resistance() -> None:
    scenario = load_scenario("cereblon/decision_gates_insensitive_line", SHORT_LADDER)
    result = evaluate(simulate(scenario)).sel(perturbation="crbn_silenced_10")
    assert result["outcome"].item() == "undetermined"
    assert "insensitive by nature" in result["reason"].item()
    assert result["gate"].item() == "undetermined"


def _label(result: xr.Dataset, perturbation: str, gate: str) -> str:
    return str(result[gate].sel(perturbation=perturbation).item())
