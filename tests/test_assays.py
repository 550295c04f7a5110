"""An instrument shows what its calibration says, with noise that belongs to the sample it reads."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from myelode.assays.instruments import with_readings
from myelode.assumptions import influential_assumptions
from myelode.errors import ScenarioError
from myelode.figures import scenario_figure
from myelode.outcomes import check_expectations, evaluate
from myelode.plan import make_plan
from myelode.results import read_result, replay, write_result
from myelode.scenario import Scenario, scenario_from_text
from myelode.simulation import simulate

MODEL = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species A in c; A = 0;
  k = 0.5; k has per_hour; half = 3; half has uM;
  remaining := 1 / (1 + A / half); remaining has dimensionless;
  loss: A -> ; c * k * A;
end
"""
TEXT = """\
id: read
title: readings of a decay
model: {model}
perturbations: [none, {{fast: {{scale: {{k: 4}}}}}}]
regimen: [{{at: 0 h, label: pulse, dose: A, to: 4 uM}}]
observe: {{every: 0.5 h, until: 10 h, outputs: [A]}}
"""
ScenarioOf = Callable[..., Scenario]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("assays") / "toy.ant"
    path.write_text(MODEL, "utf-8")
    return path


@pytest.fixture(scope="module")
def scenario_of(model_file: Path) -> ScenarioOf:
    """The scenario with further lines, or with others in their place."""

    def make(*lines: str) -> Scenario:
        base = TEXT.format(model=model_file).splitlines()
        keys = {line.partition(":")[0] for line in lines}
        kept = [line for line in base if line.partition(":")[0] not in keys]
        return scenario_from_text("\n".join([*kept, *lines]), "f")

    return make


def _readings(scenario: Scenario) -> xr.Dataset:
    return with_readings(simulate(scenario), scenario)


def _assay(text: str) -> str:
    return f"assays: {{elisa: {{of: A, {text}}}}}"


def test_a_signal_is_arithmetic_on_the_output_in_its_own_unit(scenario_of: ScenarioOf) -> None:
    found = _readings(scenario_of(_assay("signal: '0.1 + 2 * max(x, 0.5) ** 2', unit: OD")))
    np.testing.assert_allclose(found["elisa"], 0.1 + 2 * np.maximum(found["A"], 0.5) ** 2)
    assert found["elisa"].dims == found["A"].dims
    assert found["elisa"].attrs == {"units": "OD", "long_name": "elisa"}


def test_without_calibration_and_noise_an_assay_reads_the_output(scenario_of: ScenarioOf) -> None:
    found = _readings(scenario_of(_assay("title: drug by ELISA")))
    np.testing.assert_array_equal(found["elisa"], found["A"])
    np.testing.assert_array_equal(found["elisa_noiseless"], found["A"])
    assert found["elisa"].attrs == {"units": "umol/L", "long_name": "drug by ELISA"}


def test_below_the_detection_limit_nothing_is_seen_and_above_the_range_its_end(
    scenario_of: ScenarioOf,
) -> None:
    found = _readings(scenario_of(_assay("detection_limit: 500 nM, upper_limit: 2 uM")))
    drug, read = found["A"].values, found["elisa"].values
    np.testing.assert_array_equal(read[drug < 0.5], 0)
    np.testing.assert_array_equal(read[drug > 2], 2)
    inside = (drug >= 0.5) & (drug <= 2)
    np.testing.assert_array_equal(read[inside], drug[inside])
    assert min(inside.sum(), (drug < 0.5).sum(), (drug > 2).sum()) > 0


def test_a_bare_limit_is_in_the_unit_of_the_signal_percent_too(scenario_of: ScenarioOf) -> None:
    found = _readings(scenario_of(_assay("signal: 10 * x, unit: percent, upper_limit: 20")))
    np.testing.assert_array_equal(found["elisa"], np.minimum(10 * found["A"], 20))


def test_noise_cannot_show_what_lies_beyond_the_limits(scenario_of: ScenarioOf) -> None:
    found = _readings(scenario_of(_assay("cv: 0.3, detection_limit: 0.5 uM, upper_limit: 2 uM")))
    read = found["elisa"].values
    assert ((read == 0) | ((read >= 0.5) & (read <= 2))).all()
    np.testing.assert_array_equal(
        found["elisa_noiseless"], np.where(found["A"] < 0.5, 0, np.minimum(found["A"], 2))
    )


CONSTANT = "perturbations: [{still: {scale: {k: 0}}}]"
OFTEN = "observe: {every: 0.002 h, until: 20 h, outputs: [A]}"


@pytest.mark.parametrize(
    ("noise", "mean", "sd"),
    [
        ("cv: 0.25", 4, 1),
        ("sd: 300 nM", 4, 0.3),
        ("cv: 0.25, sd: 0.75 uM", 4, 1.25),
        ("cv: 0.25, replicates: 4", 4, 0.5),
        ("signal: 3 * x, unit: OD, cv: 0.1, sd: 0.5", 12, 1.3),
    ],
)
def test_mean_and_spread_of_many_readings_are_those_stated(
    scenario_of: ScenarioOf, noise: str, mean: float, sd: float
) -> None:
    read = _readings(scenario_of(_assay(noise), CONSTANT, OFTEN))["elisa"].values.ravel()
    assert read.size > 10_000
    assert read.mean() == pytest.approx(mean, abs=4 * sd / math.sqrt(read.size))
    assert read.std() == pytest.approx(sd, rel=0.04)
    assert len(np.unique(read)) == read.size


def test_readings_that_follow_each_other_know_nothing_of_each_other(
    scenario_of: ScenarioOf,
) -> None:
    two = "assays: {one: {of: A, sd: 1 uM}, two: {of: A, sd: 1 uM}}"
    found = _readings(scenario_of(two, CONSTANT, OFTEN))
    one, two_ = found["one"].values.ravel() - 4, found["two"].values.ravel() - 4
    for pair in ((one[1:], one[:-1]), (one, two_)):
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.04


def test_a_lognormal_factor_never_makes_a_signal_negative(scenario_of: ScenarioOf) -> None:
    assert (_readings(scenario_of(_assay("cv: 2"), CONSTANT, OFTEN))["elisa"] > 0).all()


NOISY = _assay("signal: 10 * x, unit: OD, cv: 0.2, sd: 0.1, replicates: 3")
LADDER = "design: {dose: {of: pulse, values: [0 uM, 0.1 uM, 1 uM, 10 uM]}}"


def test_the_same_sample_gives_the_same_reading_in_any_company(scenario_of: ScenarioOf) -> None:
    still = "perturbations: [{one: {scale: {k: 0}}}, {two: {scale: {k: 0}}}, none]"
    every = _readings(scenario_of(NOISY, LADDER, still))["elisa"]
    few = _readings(
        scenario_of(
            NOISY, "design: {dose: {of: pulse, values: [1 uM, 10 uM]}}",
            "perturbations: [{two: {scale: {k: 0}}}, {one: {scale: {k: 0}}}]",
            "observe: {every: 2 h, until: 10 h, outputs: [A]}",
        )
    )["elisa"]  # fmt: skip
    place = {name: few[name] for name in few.dims}
    np.testing.assert_array_equal(few, every.sel(place))
    assert len(np.unique(few)) == few.size == 24


def test_doses_that_differ_by_rounding_are_one_dose(scenario_of: ScenarioOf) -> None:
    still = "perturbations: [{one: {scale: {k: 0}}}]"
    spaced = "design: {dose: {of: pulse, from: 0.1 uM, to: 10 uM, points: 3, zero: true}}"
    one, other = (_readings(scenario_of(NOISY, still, ladder)) for ladder in (LADDER, spaced))
    np.testing.assert_allclose(one["elisa"], other["elisa"], rtol=1e-12)


def test_another_scenario_assay_or_perturbation_is_another_sample(scenario_of: ScenarioOf) -> None:
    first = _readings(scenario_of(NOISY, "perturbations: [none, {same: {}}]"))["elisa"]
    other = _readings(scenario_of(NOISY, "id: again"))["elisa"].sel(perturbation="none")
    renamed = _readings(scenario_of(NOISY.replace("elisa", "blot")))["blot"]
    for one in (first.sel(perturbation="same"), other, renamed.sel(perturbation="none")):
        assert not (one.values == first.sel(perturbation="none").values).any()


def test_readings_do_not_depend_on_the_order_of_dimensions(scenario_of: ScenarioOf) -> None:
    scenario = scenario_of(NOISY, LADDER)
    dataset = simulate(scenario)
    turned = with_readings(dataset.transpose("time", "dose", "perturbation"), scenario)["elisa"]
    here = with_readings(dataset, scenario)["elisa"]
    np.testing.assert_array_equal(here, turned.transpose(*here.dims))


def test_endpoints_use_readings_like_outputs(scenario_of: ScenarioOf) -> None:
    scenario = scenario_of(
        _assay("signal: 10 * x, unit: OD, cv: 0.1, replicates: 2"),
        "endpoints: {peak: {of: elisa, take: max}, clean: {of: elisa_noiseless, take: max},"
        " low: {of: elisa_noiseless, take: time_to, below: 10 OD}, exposure: {of: elisa, take: auc}}",
        "expect: [none.clean == 40, abs(none.peak / none.clean - 1) < 0.5, none.peak != 40]",
    )
    found = evaluate(simulate(scenario))
    assert all(item.passed for item in check_expectations(found, scenario))
    assert found["peak"].attrs["units"] == "OD"
    assert found["exposure"].attrs["units"] == "OD*h"
    assert found["low"].values[0] == pytest.approx(2 * math.log(4), rel=0.02)


def test_an_output_that_only_an_assay_looks_at_is_recorded(scenario_of: ScenarioOf) -> None:
    scenario = scenario_of(
        "assays: {mtt: {of: remaining, signal: 1.2 * x + 0.05}}",
        "observe: {every: 1 h, until: 2 h, outputs: [mtt]}",
    )
    found = simulate(scenario)
    assert list(found.data_vars) == ["remaining", "status"]
    axes = scenario_figure(found, evaluate(found)).axes
    assert [ax.get_ylabel() for ax in axes] == ["mtt (dimensionless)"]
    assert {line.get_linestyle() for line in axes[0].lines if len(line.get_xdata()) > 2} == {"None"}


def test_an_ic50_may_be_read_with_noise(scenario_of: ScenarioOf) -> None:
    scenario = scenario_of(
        "assays: {mtt: {of: remaining, signal: 1.2 * x, cv: 0.05, replicates: 3}}",
        "design: {dose: {of: pulse, from: 0.01 uM, to: 100 uM, points: 9, zero: true}}",
        "endpoints: {truth: {of: remaining, take: ic50, at: 0 h}, read: {of: mtt, take: ic50, at: 0 h}}",
    )
    found = evaluate(simulate(scenario))
    assert found["truth"].values[0] == pytest.approx(3, rel=1e-6)
    assert found["read"].values[0] == pytest.approx(3, rel=0.3)
    assert found["read"].values[0] != found["truth"].values[0]
    assert scenario_figure(simulate(scenario), found).axes


def test_readings_are_no_part_of_a_stored_run(scenario_of: ScenarioOf, tmp_path: Path) -> None:
    scenario = scenario_of(NOISY, "endpoints: {x: {of: elisa, take: value, at: 2 h}}")
    dataset = simulate(scenario)
    write_result(dataset, tmp_path / "run.nc")
    stored = read_result(tmp_path / "run.nc")
    assert "elisa" not in stored
    assert replay(stored).passed
    np.testing.assert_array_equal(evaluate(stored)["x"], evaluate(dataset)["x"])


ENDPOINTS = "endpoints: {x: {of: elisa, take: max}}"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([_assay("cv: -0.1")], "assays.elisa.cv: Input should be greater than or equal to 0"),
        ([_assay("replicates: 0")], "assays.elisa.replicates: Input should be greater than or equal to 1"),
        ([_assay("cvv: 0.1")], "assays.elisa.cvv: unknown key 'cvv': did you mean 'cv'"),
        ([_assay("signal: 2 * y")], "assays.elisa.signal: unknown name 'y': a signal knows only x, which is A"),
        ([_assay("signal: 2 * x >")], "assays.elisa.signal: '2 * x >' is not an expression"),
        ([_assay("signal: x > 2")], "assays.elisa.signal: 'x > 2' stands where a number is due"),
        ([_assay("detection_limit: 3 uM, upper_limit: 2 uM")], "the detection limit 3 is not below the upper limit 2"),
        ([_assay("detection_limit: -3 uM")], "the detection limit may not be negative: -3"),
        ([_assay("sd: -1 uM")], "assays.elisa: sd may not be negative: -1"),
        ([_assay("sd: 1")], "assays.elisa.sd: sd needs a unit: write '1 umol/L', not 1"),
        ([_assay("sd: 1 h")], "sd is in 'h', which cannot be converted to 'umol/L'"),
        ([_assay("signal: 2 * x, unit: OD, sd: 1 h")], "assays.elisa.sd: sd is in 'h', the signal in 'OD'"),
        ([_assay("dilution: 0.5")], "assays.elisa.dilution: Input should be greater than or equal to 1"),
        ([_assay("depth: 0")], "assays.elisa.depth: Input should be greater than or equal to 1"),
        ([_assay("depth: 100, cv: 0.1")], "assays.elisa: an assay scatters by depth, or by cv and sd, not both"),
        (["assays: {elisa: {of: B}}"], "assays.elisa.of: "),
        (["assays: {k: {of: A}}"], "assays.k: 'k' is the name of a value of the model already"),
        (["assays: {A: {of: A}}"], "assays.A: 'A' is an output already"),
        (["assays: {x: {of: A}}", ENDPOINTS], "assays.x: 'x' is the name of an endpoint or rule too"),
        (["assays: {dose: {of: A}}"], "assays.dose: 'dose' is a name that the result itself uses"),
        (
            ["assays: {a: {of: A}, a_noiseless: {of: A}}"],
            "assays.a_noiseless: 'a_noiseless' is what the assay 'a' gives already",
        ),
        ([_assay("cv: 0.1"), ENDPOINTS.replace("elisa", "elisaa")], "endpoints.x.of: "),
    ],
)  # fmt: skip
def test_an_assay_without_meaning_is_refused(
    scenario_of: ScenarioOf, lines: list[str], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        make_plan(scenario_of(*lines))
    assert message in str(caught.value)
    assert str(caught.value).startswith("f:")
    assert "\n" not in str(caught.value)


def test_what_moves_an_endpoint_is_asked_without_noise() -> None:
    text = """\
id: asked
title: Cross-links as an assay reads them
model: melflufen
regimen: [{at: 0 h, dose: melflufen_medium, to: 1 uM}]
observe: {every: 1 h, until: 4 h, outputs: [gamma_h2ax]}
assays: {blot: {of: gamma_h2ax, signal: x, cv: 0.3, calibrators: {levels: [0, 100], fit: linear}}}
endpoints: {late: {of: OF, take: value, at: 4 h}}
"""
    read, back, true = (
        scenario_from_text(text.replace("OF", name))
        for name in ("blot", "blot_calibrated", "gamma_h2ax")
    )
    assert influential_assumptions(read) == influential_assumptions(true) != []
    found = [round(item.elasticity, 6) for item in influential_assumptions(back)]
    assert found == [round(item.elasticity, 6) for item in influential_assumptions(true)]


LAW = "absorbance: {coefficient: 9900 L/(mol*cm), path_length: 0.30 cm, blank: 0.08}"


def test_absorbance_follows_beer_and_lambert(scenario_of: ScenarioOf) -> None:
    found = _readings(scenario_of(_assay(LAW)))
    np.testing.assert_allclose(found["elisa"], 0.08 + 9900 * 0.30 * 1e-6 * found["A"], rtol=1e-12)
    assert found["elisa"].attrs["units"] == "OD"
    other = LAW.replace("9900 L/(mol*cm)", "0.99 m^2/mmol").replace("0.30 cm", "3 mm")
    np.testing.assert_allclose(_readings(scenario_of(_assay(other)))["elisa"], found["elisa"])


def test_noise_limits_and_calibrators_of_absorbance_are_in_od(scenario_of: ScenarioOf) -> None:
    blind = LAW.replace(", blank: 0.08", "")
    rest = "cv: 0.02, sd: 0.001, upper_limit: 0.01 OD, detection_limit: 0.001, replicates: 3"
    standards = "calibrators: {levels: [0.5 uM, 2 uM, 3 uM], fit: linear}"
    found = _readings(scenario_of(_assay(f"{blind}, {rest}, {standards}")))
    read, true = found["elisa"], found["elisa_noiseless"]
    assert float(read.max()) == float(true.max()) == 0.01
    assert (true.values == 0).any()
    back = found["elisa_calibrated_noiseless"].values
    inside = (found["A"].values > 0.5) & (found["A"].values < 3)
    np.testing.assert_allclose(back[inside], found["A"].values[inside], rtol=1e-9)


DYING = """
regimen: [{at: 0 h, dose: A, to: 4 uM}]
assays: {lc_ms: {of: A, cv: 0.1, needs: {remaining: 0.5, A: 0.05 uM}}, free: {of: A, cv: 0.1}}
"""


def _needy(scenario_of: ScenarioOf, *lines: str) -> Scenario:
    return scenario_of(*DYING.strip().splitlines(), *lines)


def test_where_nothing_is_left_to_sample_there_is_no_reading(scenario_of: ScenarioOf) -> None:
    found = _readings(_needy(scenario_of, "observe: {every: 1 h, until: 10 h, outputs: [A]}"))
    lost = (found["remaining"] < 0.5) | (found["A"] < 0.05)
    assert lost.any()
    assert not lost.all()
    for name in ("lc_ms", "lc_ms_noiseless"):
        np.testing.assert_array_equal(np.isnan(found[name]), lost)
    assert not np.isnan(found["free"]).any()


def _value_at(time: str, *rest: str) -> str:
    return f"endpoints: {{x: {{of: lc_ms, take: value, at: {time}}}{''.join(rest)}}}"


def test_a_value_that_cannot_be_read_is_refused_in_one_line(scenario_of: ScenarioOf) -> None:
    with pytest.raises(ScenarioError) as caught:
        evaluate(simulate(_needy(scenario_of, _value_at("0 h"))))
    assert str(caught.value).endswith(
        "endpoints.x: assay 'lc_ms' reads at 0 h in none, but remaining is 0.429 there and it needs "
        "0.5: nothing is left to sample; read earlier"
    )
    with pytest.raises(
        ScenarioError, match=r"in none, but A is 0\.027 umol/L there and it needs 0"
    ):
        evaluate(simulate(_needy(scenario_of, _value_at("10 h"))))
    evaluate(simulate(_needy(scenario_of, _value_at("1.5 h"))))


def test_among_many_samples_what_cannot_be_read_stays_empty(scenario_of: ScenarioOf) -> None:
    many = "design: {cross: {half: [1 uM, 3 uM, 30 uM]}}"
    found = evaluate(simulate(_needy(scenario_of, _value_at("0 h"), many)))
    np.testing.assert_array_equal(
        np.isnan(found["x"].sel(perturbation="none")), [True, True, False]
    )


def test_a_window_with_a_reading_that_is_missing_has_no_number(scenario_of: ScenarioOf) -> None:
    of = "of: lc_ms_noiseless, take:"
    wanted = [f"{take}: {{{of} {take}}}" for take in ("max", "argmax", "auc", "mean")]
    wanted += [
        f"early: {{{of} max, from: 1 h, until: 3 h}}", f"over: {{{of} time_above, above: 1 uM}}",
        f"seen: {{{of} time_to, below: 2 uM, from: 1 h}}",
        f"unseen: {{{of} time_to, below: 0.01 uM, from: 1 h}}",
        f"too_late: {{{of} time_to, below: 1 uM}}",
    ]  # fmt: skip
    found = evaluate(simulate(_needy(scenario_of, f"endpoints: {{{', '.join(wanted)}}}")))
    slow = found.sel(perturbation="none")
    for name in ("max", "argmax", "auc", "mean", "over", "unseen", "too_late"):
        assert np.isnan(slow[name]), name
    assert float(slow["early"]) == pytest.approx(4 * math.exp(-0.5), rel=1e-6)
    assert float(slow["seen"]) == pytest.approx(2 * math.log(2), rel=0.02)


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ("{remainin: 0.5}", "assays.elisa.needs.remainin: unknown output 'remainin'"),
        ("{A: 0.5}", "assays.elisa.needs.A: A needs a unit: write '0.5 umol/L', not 0.5"),
        ("{A: 0.5 h}", "assays.elisa.needs.A: A is in 'h', which cannot be converted"),
    ],
)
def test_a_need_without_meaning_is_refused(
    scenario_of: ScenarioOf, needs: str, message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        make_plan(scenario_of(_assay(f"needs: {needs}")))
    assert message in str(caught.value)
