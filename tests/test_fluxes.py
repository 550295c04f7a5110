"""`fluxes`: shares that add up, the mass balance behind them, and what is no flux."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from myelode import fluxes, load_model
from myelode.equations import derive
from myelode.errors import MyelodeError, ScenarioError
from myelode.figures.flux_bars import draw_fluxes
from myelode.flux_shares import sentences
from myelode.model import Model
from myelode.scenario import Scenario, load_scenario

from .figure_texts import off_the_page, overlapping

# Loss of the payload is efflux (4/5) and cleavage (1/5, two for each turn); `swap` runs both ways.
TOY = """
model cell()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  unit amount_rate = 1e-6 mole / (3600 second);
  compartment c = 2; c has volume;
  species payload in c, outside in c, pieces in c, $held in c;
  payload = 10; outside = 0; pieces = 0; held = 1;
  k = 0.4; k has per_hour; supply = 3; supply has amount_rate;
  make: => payload; supply; make is "synthesis";
  out: payload -> outside ; c * k * payload; out is "efflux";
  cut: 2 payload -> pieces + payload; c * 0.25 * k * payload;
  swap: outside -> $held; c * k * (outside - held);
  ruled = 5; ruled has uM; ruled' = 2 * k * (held - ruled) + k * held - k * ruled;
  twice := 2 * payload;
end
"""
EVENTS = "end\n", "  top_up: at (time > 1): payload = 20;\nend\n"
TEXT = """\
id: turnover
title: what makes and removes it
model: {model}
perturbations: [none, {{pumped: {{scale: {{k: 4}}}}}}]
arms:
  once:
    - {{at: 0 h, label: pulse, dose: payload, add: 5 umol/L}}
    - {{at: 2 h, label: feed, infuse: payload, rate: 8 umol/h, over: 2 h}}
  never: []
design: {{dose: {{of: pulse, values: [0 uM, 1 uM, 2 uM]}}}}
observe: {{every: 1 h, until: 6 h, outputs: [payload]}}
endpoints: {{end: {{of: payload, take: value, at: 6 h}}}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The model's file."""
    found = tmp_path / "cell.ant"
    found.write_text(TOY)
    return found


@pytest.fixture
def model(path: Path) -> Model:
    """A payload that is made, pumped out and cleaved."""
    return load_model(path)


@pytest.fixture
def scenario(path: Path, tmp_path: Path) -> Scenario:
    """The model with a dose and an infusion."""
    found = tmp_path / "turnover.yaml"
    found.write_text(TEXT.format(model=path))
    return load_scenario(found)


def test_fluxes_of_a_model_have_their_stoichiometry_and_unit(model: Model) -> None:
    found = fluxes(model, "payload", 0)
    flux = dict(zip(found["reaction"].values, found["flux"].values, strict=True))
    assert flux == pytest.approx({"make": 3, "out": -8, "cut": -2})
    assert list(found["reaction_title"].values) == ["efflux", "synthesis", "cut"]
    assert found["flux"].attrs["units"] == "umol/h"
    assert list(found["share_of_loss"].values) == pytest.approx([0.8, 0, 0.2])
    assert float(found["net"]) == pytest.approx(-7)


def test_shares_add_up_and_balance_the_derivative(model: Model) -> None:
    found = fluxes(model, "payload", "1.5 h", changes={"k": 0.7})
    assert math.fsum(found["share_of_loss"].values) == pytest.approx(1, abs=1e-12)
    assert math.fsum(found["share_of_production"].values) == pytest.approx(1, abs=1e-12)
    equations = derive(model.sbml)
    _, constants = equations.start({"k": 0.7})
    state = model.simulate(
        [1.5], [f"amount({x})" for x in ("payload", "outside", "pieces")] + ["ruled"], {"k": 0.7}
    )
    values = {name.removeprefix("amount(").rstrip(")"): float(state[name][0]) for name in state}
    here = np.array([values[name] for name in equations.states])
    slopes = equations.right_hand_side()(1.5, here, constants)
    assert float(found["net"]) == pytest.approx(slopes[equations.states.index("payload")], rel=1e-7)


def test_a_reversible_reaction_counts_by_its_net_sign(model: Model) -> None:
    found = fluxes(model, "outside", 0)
    flux = dict(zip(found["reaction"].values, found["flux"].values, strict=True))
    assert flux == pytest.approx({"out": 8, "swap": 0.8})
    assert float(found["loss"]) == 0
    assert np.isnan(found["share_of_loss"].values).all()
    assert "both ways counts by the sign of its net flux" in found.attrs["counted"]


def test_a_rate_rule_is_split_into_its_terms(model: Model) -> None:
    found = fluxes(model, "ruled", 0)
    flux = dict(zip(found["rate"].values, found["flux"].values, strict=True))
    assert flux == pytest.approx(
        {"2 * k * (held - ruled)": -3.2, "-k * ruled": -2, "k * held": 0.4}
    )
    assert found["flux"].attrs["units"] == "umol/L/h"
    assert all(title.startswith("rate rule: ") for title in found["reaction_title"].values)


def test_an_infusion_is_a_source_and_a_dose_is_none(scenario: Scenario) -> None:
    found = fluxes(scenario, "payload", "3 h", perturbation="none", arm="once")
    flux = dict(zip(found["reaction_title"].values, found["flux"].values[0], strict=True))
    assert flux["infusion of payload"] == pytest.approx(8)
    assert flux["synthesis"] == pytest.approx(3)
    assert found.attrs["notes"] == ""
    dosed = fluxes(scenario, "payload", "pulse", arm="once")
    assert "a step of the regimen acts at this time" in dosed.attrs["notes"]
    assert dosed["flux"].sel(reaction="out").values == pytest.approx([-12, -48])


def test_events_of_the_model_are_named(path: Path) -> None:
    path.write_text(TOY.replace(*EVENTS))
    found = fluxes(load_model(path), "payload", 2)
    assert "event top_up of the model sets payload at once" in found.attrs["notes"]
    assert any(line.startswith("Note: event top_up") for line in sentences(found))


def test_it_is_said_in_words(model: Model, scenario: Scenario) -> None:
    loss, production = sentences(fluxes(model, "payload", 0))
    assert loss == "at 0 h, 80 % of payload loss is efflux, 20 % cut (in all 10 umol/h)."
    assert production == "at 0 h, 100 % of payload production is synthesis (in all 3 umol/h)."
    lines = list(sentences(fluxes(scenario, "outside", "0 h", arm="never")))
    assert lines[0] == "none: at 0 h, there is no loss of outside."
    assert lines[3].startswith("pumped: at 0 h, 91 % of outside production is efflux")


@pytest.mark.parametrize(
    ("species", "at", "message"),
    [
        ("pay", "1 h", "unknown species 'pay'.*'payload'"),
        ("held", "1 h", "'held' is held constant: no reaction changes it"),
        ("twice", "1 h", "'twice' is computed by the model at all times"),
        ("out", "1 h", "'out' is computed by the model at all times"),
        ("k", "1 h", "'k' is held constant"),
        ("payload", "-1 h", "before the start|from 0 on"),
        ("payload", "9", "needs a unit"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_what_has_no_fluxes_is_said_in_one_line(
    model: Model, scenario: Scenario, species: str, at: str, message: str, whole: bool
) -> None:
    options = {"arm": "once"} if whole else {}
    with pytest.raises(MyelodeError, match=message) as caught:
        fluxes(scenario if whole else model, species, at, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_arms_and_perturbations_are_chosen_by_name(scenario: Scenario) -> None:
    with pytest.raises(ScenarioError, match="choose one with --arm: once, never"):
        fluxes(scenario, "payload", "1 h")
    with pytest.raises(ScenarioError, match="no arm 'twice'"):
        fluxes(scenario, "payload", "1 h", arm="twice")
    with pytest.raises(ScenarioError, match="unknown perturbation 'pumpt'"):
        fluxes(scenario, "payload", "1 h", perturbation="pumpt", arm="once")
    with pytest.raises(ScenarioError, match="after the end"):
        fluxes(scenario, "payload", "9 h", arm="once")


def test_what_belongs_to_a_scenario_has_no_place_in_a_model(
    model: Model, scenario: Scenario
) -> None:
    with pytest.raises(ScenarioError, match="'once' goes with a scenario"):
        fluxes(model, "payload", 1, arm="once")
    with pytest.raises(ScenarioError, match="changes go with a model"):
        fluxes(scenario, "payload", "1 h", arm="once", changes={"k": 1})


def test_the_figure_can_be_read(model: Model, scenario: Scenario) -> None:
    shown = [fluxes(model, "payload", 1), fluxes(scenario, "payload", "3 h", arm="once")]
    shown.append(fluxes("gamma_h2ax_washout", "melphalan_cell", "3 h", perturbation="none"))
    for found in shown:
        figure = draw_fluxes(found)
        assert overlapping(figure) == []
        assert off_the_page(figure) == []
        shares = sum(patch.get_width() for patch in figure.axes[0].patches)
        assert shares == pytest.approx(100 * len(figure.axes[0].get_yticks()))
