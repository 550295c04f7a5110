"""Every assay reproduces its own calibration curve, and reads a standard back as what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from myelode.assays.calibrators import Curve, fit_curve
from myelode.assays.instruments import Instrument, instruments, read_back, with_readings
from myelode.errors import ScenarioError
from myelode.figures import scenario_figure
from myelode.outcomes import evaluate
from myelode.plan import make_plan
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

MODEL = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit uM = 1e-6 mole / litre; unit item = 1 dimensionless;
  compartment c = 1; c has volume;
  species A in c; A = 0;
  share := A / (A + top); share has dimensionless; top = 1; top has uM;
end
"""
LEVELS = (0.5, 2.0, 8.0, 32.0, 128.0, 512.0)
TEXT = """\
id: {id}
title: readings of known samples
model: {model}
regimen: [{{at: 0 h, label: sample, dose: A, to: 1 uM}}]
design: {{dose: {{of: sample, values: [{doses}]}}}}
observe: {{at: [0 h], until: 1 h, outputs: [A]}}
assays: {{assay: {{of: A, {assay}}}}}
{more}
"""
Reader = Callable[..., xr.Dataset]
SHAPES = {
    "proportional": "0.8 * x", "linear": "0.06 + 0.8 * x", "log_log": "10**0.4 * x**0.98",
    "four_parameter": "0.05 + 2.4 / (1 + (30 / x)**1.3)",
}  # fmt: skip
FALLING = "2.45 - 2.4 / (1 + (30 / x)**1.3)"


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calibrators") / "toy.ant"
    path.write_text(MODEL, "utf-8")
    return path


def _text(model: Path, assay: str, doses: object, more: str = "", name: str = "known") -> str:
    said = ", ".join(f"{dose} uM" for dose in doses)  # type: ignore[attr-defined]
    return TEXT.format(model=model, assay=assay, doses=said, more=more, id=name)


@pytest.fixture(scope="module")
def read(model_file: Path) -> Reader:
    """What an assay reads of samples with these levels."""

    def make(assay: str, doses: object = LEVELS, name: str = "known") -> xr.Dataset:
        scenario = scenario_from_text(_text(model_file, assay, doses, name=name), "f")
        return with_readings(simulate(scenario), scenario).isel(perturbation=0, time=0)

    return make


@pytest.fixture(scope="module")
def instrument_of(model_file: Path) -> Callable[..., Instrument]:
    def make(assay: str, name: str = "known") -> Instrument:
        scenario = scenario_from_text(_text(model_file, assay, [1], name=name), "f")
        return instruments(scenario, make_plan(scenario).model.unit_of)["assay"]

    return make


def _calibrators(fit: str, more: str = "") -> str:
    levels = ", ".join(f"{level} uM" for level in LEVELS)
    return f"calibrators: {{levels: [{levels}], fit: {fit}{more}}}"


@pytest.mark.parametrize(
    ("fit", "signal"), [*SHAPES.items(), ("four_parameter", FALLING), ("linear", "9 - x / 60")]
)
def test_without_noise_what_lies_between_the_standards_is_read_back(
    read: Reader, fit: str, signal: str
) -> None:
    samples = (*LEVELS, 0.7, 3, 33, 500)
    found = read(f"signal: {signal}, unit: au, {_calibrators(fit)}", sorted(samples))
    for name in ("assay_calibrated", "assay_calibrated_noiseless"):
        np.testing.assert_allclose(found[name], sorted(samples), rtol=1e-9)
    assert found["assay_calibrated"].attrs["units"] == "umol/L"
    assert found["assay"].attrs["units"] == "au"


@pytest.mark.parametrize(("fit", "signal"), SHAPES.items())
@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_a_standard_is_read_back_within_the_stated_error(
    instrument_of: Callable[..., Instrument], fit: str, signal: str, name: str
) -> None:
    noise = "cv: 0.03, replicates: 3"
    instrument = instrument_of(f"signal: {signal}, {noise}, {_calibrators(fit)}", name)
    calibration = instrument.calibration
    assert calibration is not None
    assert calibration.read.coefficients != calibration.noiseless.coefficients
    levels = np.array(LEVELS[1:-1])
    signals = calibration.read.at(levels)
    clean = instrument.signal_of(levels)
    np.testing.assert_allclose(signals, clean, rtol=4 * 0.03 / np.sqrt(3))
    back = [read_back(instrument, float(one)) for one in signals]
    np.testing.assert_allclose(back, levels, rtol=1e-9)


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_samples_are_read_back_within_the_error_of_sample_and_curve(
    read: Reader, name: str
) -> None:
    samples = np.geomspace(1, 400, 60)
    assay = f"signal: {SHAPES['log_log']}, cv: 0.05, {_calibrators('log_log')}"
    found = read(assay, samples, name)["assay_calibrated"]
    error = np.log(found.values / samples)
    assert np.abs(error).max() < 5 * 0.05
    assert error.std() == pytest.approx(0.05, rel=0.35)
    # The curve errs the same way for all samples, by less than a single reading does.
    assert abs(error.mean()) < 4 * 0.05 / np.sqrt(len(LEVELS))


def test_a_curve_belongs_to_its_assay_and_scenario_alone(
    instrument_of: Callable[..., Instrument],
) -> None:
    assay = f"signal: 0.8 * x, cv: 0.1, {_calibrators('linear')}"
    one, again, other = (instrument_of(assay, name).calibration for name in ("one", "one", "other"))
    assert one == again != other


def test_beads_of_known_levels_turn_fluorescence_into_molecules(read: Reader) -> None:
    beads = "levels: [474, 5359, 23843, 62336], signal: 10**0.4 * x**0.98, unit: PE, fit: log_log"
    flow = f"signal: '10**0.4 * (1000 * x + 150)**0.98', unit: MFI, calibrators: {{{beads}}}"
    found = read(flow, (0.1, 1, 10, 60, 100))["assay_calibrated"]
    np.testing.assert_allclose(found, [0, 1150, 10150, 60150, 62336], rtol=1e-9)
    assert found.attrs["units"] == "PE"
    assert found.attrs["range"] == "474 to 62336; below it 0, not quantifiable; above it 62336"


def test_calibrators_without_a_signal_of_their_own_are_converted(read: Reader) -> None:
    found = read("signal: 3 * x, calibrators: {levels: [100, 2 mM, 5], unit: nM}", [1, 2.5])
    assert found["assay_calibrated"].attrs["units"] == "nM"
    np.testing.assert_allclose(found["assay_calibrated"], [1000, 2500])


@pytest.mark.parametrize(("own", "bias"), [("", 1.0), (", signal: x", 0.7)])
def test_calibrators_that_skip_the_capture_do_not_correct_its_recovery(
    read: Reader, own: str, bias: float
) -> None:
    found = read(f"signal: 0.7 * x, {_calibrators('proportional', own)}", [2, 20, 200])
    np.testing.assert_allclose(found["assay_calibrated"], np.array([2, 20, 200]) * bias)


HOOK = "signal: 0.05 + 2.4 / (1 + (30 / x)**1.3) / (1 + (x / 4000)**2), upper_limit: 2.4"


def test_above_the_hook_a_sample_reads_low_until_it_is_diluted(read: Reader) -> None:
    neat = read(f"{HOOK}, {_calibrators('four_parameter')}", [20, 20_000])
    diluted = read(f"{HOOK}, dilution: 200, {_calibrators('four_parameter')}", [20, 20_000])
    low, high = neat["assay_calibrated"].values
    assert low == pytest.approx(20, rel=0.03)
    assert high < 20
    assert diluted["assay_calibrated"].values[0] == 0
    assert diluted["assay_calibrated"].values[1] == pytest.approx(20_000, rel=0.03)
    assert diluted["assay_calibrated"].attrs["range"].startswith("100 to 102400;")


def test_readings_beyond_the_calibrators_are_not_extrapolated(read: Reader) -> None:
    samples = [0, 0.3, 0.5, 100, 512, 2000]
    for fit, signal in (*SHAPES.items(), ("four_parameter", FALLING)):
        found = read(f"signal: {signal}, {_calibrators(fit)}", samples)["assay_calibrated"]
        np.testing.assert_allclose(found, [0, 0, 0.5, 100, 512, 512], rtol=1e-9)


def test_calibrators_beyond_the_limits_are_not_used(
    read: Reader, instrument_of: Callable[..., Instrument]
) -> None:
    limits = "detection_limit: 1.5 uM, upper_limit: 200 uM"
    found = read(f"{limits}, {_calibrators('linear')}", [0.5, 1, 1.8, 5, 180, 300])
    np.testing.assert_allclose(found["assay_calibrated"], [0, 0, 0, 5, 128, 128])
    instrument = instrument_of(f"{limits}, {_calibrators('linear')}")
    for signal in (1.8, 180.0, np.nan, np.inf):
        with pytest.raises(ScenarioError, match="outside the calibrated range from 2 to 128"):
            read_back(instrument, signal)


def test_without_calibrators_nothing_is_read_back(
    instrument_of: Callable[..., Instrument],
) -> None:
    with pytest.raises(ScenarioError, match="'assay' has no calibrators"):
        read_back(instrument_of("cv: 0.1"), 1.0)


def test_endpoints_and_figures_use_calibrated_readings(model_file: Path) -> None:
    assay = f"signal: 0.06 + 0.8 * x, unit: OD, cv: 0.05, {_calibrators('linear')}"
    more = (
        "endpoints: {amount: {of: assay_calibrated, take: value, at: 0 h},"
        " clean: {of: assay_calibrated_noiseless, take: value, at: 0 h}}"
    )
    scenario = scenario_from_text(_text(model_file, assay, LEVELS, more), "f")
    dataset = simulate(scenario)
    found = evaluate(dataset)
    assert found["amount"].attrs["units"] == "umol/L"
    np.testing.assert_allclose(found["clean"].values[0], LEVELS)
    assert not np.allclose(found["amount"], found["clean"], rtol=1e-3)
    assert scenario_figure(dataset, found).axes


def test_sequencing_counts_what_it_can_see(read: Reader) -> None:
    shares = np.array([0.001, 0.05, 0.3])
    doses = shares / (1 - shares)
    deep, old = (
        read(f"signal: x / (1 + x), {limit}", doses)["assay"].values
        for limit in ("depth: 5000, detection_limit: 0.005", "depth: 5000, detection_limit: 0.2")
    )
    assert deep[0] == 0
    np.testing.assert_allclose(deep[1:], shares[1:], atol=0.02)
    np.testing.assert_array_equal(old, [0, 0, deep[2]])


def test_depth_needs_a_share(read: Reader) -> None:
    with pytest.raises(ScenarioError, match=r"f:\d+: assays.assay: depth counts .* not 3"):
        read("depth: 100", [3])


@given(
    st.sampled_from(["proportional", "linear", "log_log", "four_parameter"]),
    st.lists(st.floats(0.5, 2.0), min_size=6, max_size=6),
)
def test_a_curve_read_forwards_and_backwards_ends_where_it_began(
    fit: str, noise: list[float]
) -> None:
    levels = np.array(LEVELS)
    signals = levels / (levels + 40) * np.array(noise)
    curve = fit_curve(fit, levels, signals, signals)
    back = curve.back(curve.at(levels))
    np.testing.assert_allclose(back, levels, rtol=1e-4)


def test_a_four_parameter_curve_knows_its_ends() -> None:
    curve = Curve("four_parameter", (0.1, 2.0, 10.0, 1.0), (0.0, 1.0, 5.0, 50.0))
    np.testing.assert_array_equal(curve.back(np.array([0.0, 2.0, 3.0])), [-np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(curve.quantified(np.array([0.0, 3.0, np.nan])), [0, 50, np.nan])


def _only(text: str) -> str:
    return f"signal: 2 * x, calibrators: {{{text}}}"


@pytest.mark.parametrize(
    ("assay", "message"),
    [
        (_only("fit: linear"), "assays.assay.calibrators: 'levels' is missing"),
        (_only("levels: []"), "assays.assay.calibrators.levels: List should have at least 1 item"),
        (_only("levels: [1 uM], fit: linear"), "calibrators: linear needs 2 levels or more, not 1"),
        (
            _only("levels: [1 uM, 2 uM, 3 uM], fit: four_parameter"),
            "assays.assay.calibrators: four_parameter needs 4 levels or more, not 3",
        ),
        (_only("levels: [1 uM, 2 uM], fit: loglog"), "'loglog' is none of"),
        (_only("levels: [1 uM, 2 uM], fitt: linear"), "unknown key 'fitt': did you mean 'fit'"),
        (_only("levels: [0 uM, 2 uM], fit: log_log"), "log_log needs levels above 0"),
        (_only("levels: [-1 uM, 2 uM]"), "a level may not be negative: -1"),
        (_only("levels: [1 uM, 1000 nM]"), "assays.assay.calibrators: two levels are equal"),
        (_only("levels: [1, 2]"), "a level needs a unit: write '1 umol/L', not 1"),
        (_only("levels: [1 h, 2 h]"), "a level is in 'h', which cannot be converted to 'umol/L'"),
        (_only("levels: [1, 2], unit: h"), "a level is in 'h', which cannot be converted"),
        (_only("levels: [0 uM], fit: proportional"), "assays.assay.calibrators: the calibrators have no signal"),
        (_only("levels: [1 uM, 2 uM], signal: 3 * y"), "unknown name 'y': a signal knows only x"),
        (_only("levels: [1 uM, 2 uM], signal: 3 *"), "calibrators.signal: '3 *' is not an expression"),
        (
            "signal: abs(x - 3), calibrators: {levels: [1 uM, 2 uM, 9 uM]}",
            "the signal does not always rise, or always fall, from calibrator to calibrator",
        ),
        (
            "upper_limit: 2 uM, calibrators: {levels: [1 uM, 3 uM, 9 uM]}",
            "1 of the calibrators can be read, and the fit linear needs 2",
        ),
    ],
)  # fmt: skip
def test_calibrators_without_meaning_are_refused(
    model_file: Path, assay: str, message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        make_plan(scenario_from_text(_text(model_file, assay, [1]), "f"))
    assert message in str(caught.value)
    assert str(caught.value).startswith("f:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["assay_calibrated", "assay_calibrated_noiseless"])
def test_an_assay_without_calibrators_has_nothing_to_be_read_back(
    model_file: Path, name: str
) -> None:
    more = f"endpoints: {{x: {{of: {name}, take: max}}}}"
    message = (
        r"f:8: endpoints.x.of: assay 'assay' has no calibrators, so nothing can be read back: "
        r"add calibrators: {levels: \[...\]}"
    )
    with pytest.raises(ScenarioError, match=message):
        make_plan(scenario_from_text(_text(model_file, "cv: 0.1", [1], more), "f"))


def test_what_an_assay_reads_back_has_a_name_of_its_own(model_file: Path) -> None:
    more = "endpoints: {assay_calibrated: {of: A, take: max}}"
    with pytest.raises(ScenarioError, match="'assay_calibrated' is the name of an endpoint"):
        scenario_from_text(_text(model_file, _only("levels: [1 uM, 2 uM]"), [1], more), "f")
