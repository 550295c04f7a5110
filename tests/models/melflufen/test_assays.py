"""The instruments of the melflufen scenarios: their standards, their noise, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest
import xarray as xr
from scipy.special import lambertw

from myelode import library, specific_activity
from myelode.assays.instruments import Instrument, instruments, read_back, with_readings
from myelode.errors import ScenarioError
from myelode.outcomes import evaluate
from myelode.scenario import Scenario, load_scenario, scenario_from_text
from myelode.simulation import simulate

pytestmark = pytest.mark.xdist_group("melflufen assays")  # one worker simulates for all of them

ASSAYS = sorted(name for name in library.scenarios() if name.startswith("melflufen/assay_"))
CALIBRATED = [
    (name, assay)
    for name in ASSAYS
    for assay, item in load_scenario(name).assays.items()
    if item.calibrators
]
NOISY = [
    (name, next(iter(scenario.assays)))
    for name in ASSAYS
    if (scenario := load_scenario(name)).assays
]
OD_PER_MOLAR = 9900 * 0.30


@lru_cache
def _trajectories(name: str) -> xr.Dataset:
    return simulate(load_scenario(name))


@lru_cache
def _result(name: str) -> xr.Dataset:
    return evaluate(_trajectories(name))


@lru_cache
def _instruments(name: str) -> dict[str, Instrument]:
    units = _trajectories(name)
    return instruments(load_scenario(name), lambda output: units[output].attrs.get("units") or None)


def _text(name: str, *edits: tuple[str, str]) -> str:
    text = library.find_scenario(name).read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def _edited(name: str, *edits: tuple[str, str]) -> Scenario:
    return scenario_from_text(_text(name, *edits), "edited.yaml")


def _run(name: str, *edits: tuple[str, str]) -> xr.Dataset:
    return evaluate(simulate(_edited(name, *edits)))


# ---------------------------------------------------------------- calibration curves


def _standards(instrument: Instrument) -> np.ndarray:
    """Levels well inside of the calibrators, where noise leaves no reading outside."""
    assert instrument.calibration is not None
    low, high = instrument.calibration.noiseless.levels[:: len(_levels(instrument)) - 1]
    return np.linspace(low, high, 9)[1:-1] if low == 0 else np.geomspace(low, high, 9)[1:-1]


def _levels(instrument: Instrument) -> tuple[float, ...]:
    assert instrument.calibration is not None
    return instrument.calibration.noiseless.levels


@pytest.mark.parametrize(("name", "assay"), CALIBRATED)
def test_an_assay_reproduces_its_own_curve(name: str, assay: str) -> None:
    instrument = _instruments(name)[assay]
    assert instrument.calibration is not None
    curve, levels = instrument.calibration.noiseless, np.array(_levels(instrument))
    np.testing.assert_allclose(curve.quantified(curve.at(levels)), levels, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("name", "assay"), CALIBRATED)
def test_a_standard_is_read_back_within_the_stated_error(name: str, assay: str) -> None:
    """The curve through noisy calibrators gives a standard back, four deviations at most away."""
    instrument = _instruments(name)[assay]
    assert instrument.calibration is not None
    curve = instrument.calibration.noiseless
    for level in _standards(instrument):
        signal = curve.at(np.array(level))
        step = 1e-4 * level
        slope = (curve.at(np.array(level + step)) - curve.at(np.array(level - step))) / (2 * step)
        error = float(instrument.noise.spread(signal) / abs(slope))
        found = read_back(instrument, float(signal)) / instrument.dilution
        assert abs(found - level) < 4 * error


@pytest.mark.parametrize(("name", "assay"), CALIBRATED)
def test_samples_in_range_are_read_back_as_what_they_are(name: str, assay: str) -> None:
    """Without noise, for all instruments whose calibrators take every step that samples take."""
    scenario = load_scenario(name)
    calibrators = scenario.assays[assay].calibrators
    if calibrators is None or calibrators.signal is not None:
        return
    found, data = with_readings(_trajectories(name), scenario), _trajectories(name)
    true = data[scenario.assays[assay].of].transpose(*found[assay].dims).values
    read = found[f"{assay}_calibrated_noiseless"].values
    levels, dilution = _levels(_instruments(name)[assay]), scenario.assays[assay].dilution
    inside = (true > levels[0] * dilution) & (true < levels[-1] * dilution) & ~np.isnan(read)
    assert inside.any()
    np.testing.assert_allclose(read[inside], true[inside], rtol=1e-5)


def test_a_signal_beyond_the_calibrators_is_refused() -> None:
    dye = _instruments("melflufen/assay_glutathione")["dye"]
    with pytest.raises(ScenarioError, match="outside the calibrated range"):
        read_back(dye, 64_000)


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize(("name", "assay"), NOISY)
def test_noise_belongs_to_the_name_of_the_assay(name: str, assay: str) -> None:
    scenario = load_scenario(name)
    data = _trajectories(name)
    same = with_readings(data, scenario)
    again = with_readings(data, load_scenario(name))
    items = {f"{assay}_2" if key == assay else key: item for key, item in scenario.assays.items()}
    other = with_readings(data, scenario.model_copy(update={"assays": items}))
    np.testing.assert_array_equal(same[assay], again[assay])
    np.testing.assert_array_equal(same[f"{assay}_noiseless"], other[f"{assay}_2_noiseless"])
    read, renamed = same[assay].values, other[f"{assay}_2"].values
    inside = (read != 0) & ~np.isnan(read) & (read < _instruments(name)[assay].upper_limit)
    assert (read[inside] != renamed[inside]).all()


def test_a_sample_reads_the_same_without_the_other_lines() -> None:
    name = "melflufen/assay_comet"
    lines = "[none, cross_link_repair_absent, cross_link_repair_slow, repair_fa_high, efflux_high]"
    text = _text(name, (lines, "[none, efflux_high]")).partition("expect:")[0]
    few = evaluate(simulate(scenario_from_text(text, "few.yaml")))
    many = _result(name).sel(perturbation=few["perturbation"])
    np.testing.assert_array_equal(few["at_6"], many["at_6"])


def test_a_fold_in_flow_scatters_by_twelve_per_cent() -> None:
    known = _instruments("melflufen/assay_gamma_h2ax_flow")
    signal = known["gated"].signal_of(np.array([1.0, 12.0]))
    background = known["isotype"].signal_of(np.array([1.0]))
    reading = known["gated"].noise.spread(signal)
    control = known["isotype"].noise.spread(background)
    shares = np.hypot(reading, control) / (signal - background)
    assert np.hypot(*shares) == pytest.approx(0.12, abs=0.01)


# ---------------------------------------------------------------- Leu-pNA


def _product(level: float, protein: float = 0.01, minutes: float = 30.0) -> float:
    """p-Nitroaniline in umol/L after Michaelis and Menten, by Lambert's function."""
    start, half, largest = 1000.0, 500.0, 2.7 * protein * level / 1e-4
    argument = start / half * np.exp((start - largest * minutes / 60) / half)
    return float(start - half * lambertw(argument).real)


@pytest.mark.parametrize(
    ("line", "arm", "level", "protein"),
    [
        ("none", "lysate", 1.0, 0.01),
        ("none", "with_bestatin", 0.1, 0.01),
        ("none", "with_APN_inhibitor", 0.55, 0.01),
        ("none", "intact_cells", 0.5, 0.01),
        ("none", "concentrated", 1.0, 0.05),
        ("apn_lost", "lysate", 0.5, 0.01),
        ("all_halved", "lysate", 0.5, 0.01),
        ("all_halved", "intact_cells", 0.25, 0.01),
        ("peptidase_low", "lysate", 0.05, 0.01),
        ("apn_overexpressed", "lysate", 3.0, 0.01),
    ],
)
def test_activities_are_those_of_the_rate_law(
    line: str, arm: str, level: float, protein: float
) -> None:
    expected = 0.1 * _product(level, protein) / (30 * protein)
    found = _result("melflufen/assay_leu_pna")["apn_noiseless"].sel(perturbation=line, arm=arm)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_scenario_computes_what_the_function_computes() -> None:
    name = "melflufen/assay_leu_pna"
    read = with_readings(_trajectories(name), load_scenario(name))["plate"].sel(perturbation="none")
    reading, blank = (float(read.sel(arm=arm).sel(time=0.5)) for arm in ("lysate", "no_lysate"))
    by_hand = specific_activity(
        reading, blank, 30, "10 ug", "0.30 cm", "100 uL", coefficient="9900 L/(mol*cm)"
    )
    found = _result(name).sel(perturbation="none", arm="lysate")
    assert float(found["apn"]) == pytest.approx(by_hand.nmol_per_min_per_mg)
    assert float(found["apn_od"]) == pytest.approx(by_hand.od_per_mg_min)
    assert by_hand.od_per_mg_min * 1e5 / OD_PER_MOLAR == pytest.approx(by_hand.nmol_per_min_per_mg)


def test_a_lysate_cannot_tell_lost_apn_from_a_halved_total_and_intact_cells_can() -> None:
    found = _result("melflufen/assay_leu_pna")["apn_noiseless"]
    lost, halved = (found.sel(perturbation=line) for line in ("apn_lost", "all_halved"))
    assert float(lost.sel(arm="lysate")) == pytest.approx(float(halved.sel(arm="lysate")))
    assert float(lost.sel(arm="intact_cells")) == pytest.approx(0, abs=1e-9)
    assert float(halved.sel(arm="intact_cells")) > 5


def test_a_cuvette_gives_another_absorbance_and_the_same_activity() -> None:
    found = _result("melflufen/assay_leu_pna").sel(arm="lysate")
    np.testing.assert_allclose(found["apn_cuvette_noiseless"], found["apn_noiseless"])
    known = _instruments("melflufen/assay_leu_pna")
    change = [np.diff(known[name].signal_of(np.array([0.0, 90.0])))[0] for name in known]
    assert change[1] / change[0] == pytest.approx(1 / 0.30)


# ---------------------------------------------------------------- further numbers


def test_absorbance_of_thiols_follows_beer_and_lambert() -> None:
    dtnb = _instruments("melflufen/assay_glutathione")["dtnb"]
    expected = 0.05 + 14150 * 0.60 * 3000e-6 / 33.333333
    np.testing.assert_allclose(dtnb.signal_of(np.array([3000.0])), expected)


def test_glutathione_hardly_falls_at_doses_that_are_used() -> None:
    left = _result("melflufen/assay_glutathione")["true_left"].sel(perturbation="none")
    assert float(left.sel(arm="at_ic50")) == pytest.approx(0.994, abs=0.001)
    assert float(left.sel(arm="at_30_uM")) == pytest.approx(0.84, abs=0.01)


def test_the_curve_takes_background_and_saturation_out_of_an_ic50() -> None:
    found = _result("melflufen/assay_viability")
    np.testing.assert_allclose(found["read_ic50_noiseless"], found["true_ic50"], rtol=0.01)
    assert (found["raw_ic50_noiseless"] > 1.1 * found["true_ic50"]).all()
    assert (abs(np.log(found["error"])) < 0.35).all()


def test_the_profile_gives_the_order_of_what_venetoclax_adds() -> None:
    found = _result("melflufen/assay_bh3")
    difference = (found["true_bad"] - found["true_ms1"]).values
    shifts = found["venetoclax_shift"].values
    told = [
        (shifts[a] - shifts[b]) * (difference[a] - difference[b])
        for a, b in _pairs(len(shifts))
        if abs(difference[a] - difference[b]) > 1e-6
    ]
    assert len(told) == 9  # stroma changes no ratio, so one pair is not told apart
    assert max(told) < 0


def _pairs(number: int) -> Iterator[tuple[int, int]]:
    return ((a, b) for a in range(number) for b in range(a))


def test_a_comet_says_nothing_of_cross_links_that_the_tail_cannot_show() -> None:
    found = _result("melflufen/assay_comet").sel(perturbation="none", arm="too_much")
    assert float(found["at_6"]) == 100
    assert float(found["true_removed"]) > 0.7 > 0.1 > float(found["removed"])


# ---------------------------------------------------------------- what is refused

LEU = "melflufen/assay_leu_pna"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", path_length: 0.30 cm", "", r"path_length: a 1 cm cuvette .* differ 3\.3-fold"),
        ("path_length: 0.30 cm", "path_length: 0 cm", "path_length must be above 0"),
        ("path_length: 0.30 cm", "path_length: 0.30 mL", "path_length.*mL"),
        ("coefficient: 9900 L/(mol*cm)", "coefficient: 9900 1/cm", "coefficient"),
        ("    blank: no_lysate", "    blank: no_lysat", "unknown arm 'no_lysat'.*'no_lysate'"),
        ("    of: plate", "    of: plat", "no assay is called 'plat'.*'plate'"),
        ("    of: pna", "    of: lysate_protein", "absorbance needs a molar concentration"),
        ("below: 0.1}", "below: 0.6}", "the classes .* overlap"),
        ("    protein: lysate_protein", "    protein: 0 mg", "protein must be above 0"),
        ("    volume: 100 uL", "    volume: 100 mg", "volume"),
    ],
)  # fmt: skip
def test_an_enzyme_test_refuses_what_it_cannot_read(old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        _run(LEU, (old, new))
    assert "\n" not in str(caught.value)
    assert "edited.yaml" in str(caught.value)


def test_a_blank_above_its_sample_is_not_the_blank() -> None:
    edits = (
        ("lysate_protein: 0 mg", "lysate_protein: 0.001 mg"),
        ("blank: no_lysate", "blank: lysate"),
    )
    with pytest.raises(ScenarioError, match=r"blank .* above .* arm 'no_lysate'"):
        _run(LEU, *edits)


def test_an_arm_without_protein_has_no_activity() -> None:
    edit = ("set: {I_best: 0.9}", "set: {I_best: 0.9, lysate_protein: 0 mg}")
    with pytest.raises(ScenarioError, match=r"no protein in arm 'with_bestatin'"):
        _run(LEU, edit)


def test_cells_that_are_gone_cannot_be_sampled() -> None:
    late = (("until: 2 h", "until: 96 h"), ("1 h, 2 h]", "1 h, 96 h]"), ("at: 2 h", "at: 96 h"))
    dose = (("melflufen_medium, to: 1 umol/L", "melflufen_medium, to: 100 umol/L"),)
    with pytest.raises(
        ScenarioError, match=r"live_cells is .* needs 0\.5: nothing is left"
    ) as caught:
        _run("melflufen/assay_lc_ms", *late, *dose)
    assert "reads at 96 h in none.melflufen" in str(caught.value).replace("hour", "h")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("lc_ms", "{live_cells: 0.5}", "{live_cell: 0.5}", "'live_cell'.*'live_cells'"),
        ("lc_ms", "of: desethyl_pellet", "of: desetyl_pellet", "unknown output 'desetyl_pellet'"),
        ("lc_ms", "0.05 pmol, 0.2 pmol", "0.05 pmol, 0.05 pmol", "two levels are equal"),
        ("comet", "detection_limit: 3", "detection_limit: 300", "not below the upper limit"),
        ("viability", "[0.01, 0.03, 0.1, 0.3, 1, 3, 10]", "[0.1, 1, 3]", "four_parameter needs 4"),
        ("glutathione", "    dilution: 33.333333", "    dilution: 0.5", "dilution"),
        ("glutathione", ", path_length: 0.60 cm", "", "absorbance needs path_length"),
        ("bh3", "levels: [0, 1]", "levels: [0]", "linear needs 2 levels"),
        ("gamma_h2ax_flow", "signal: 20 + 100 * x", "signal: 20 + 100 * y", "unknown name 'y'"),
    ],
)  # fmt: skip
def test_an_instrument_refuses_what_it_cannot_be(name: str, old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        _run(f"melflufen/assay_{name}", (old, new))
    assert "\n" not in str(caught.value)
    assert "edited.yaml" in str(caught.value)
