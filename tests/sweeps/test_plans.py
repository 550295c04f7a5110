"""The points of a sweep are the runs of its scenario, whatever is moved and however it is cut."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as some

from myelode.errors import ScenarioError
from myelode.outcomes import evaluate
from myelode.scenario import load_scenario
from myelode.simulation import simulate
from myelode.sweeps import timelines
from myelode.sweeps.apart import apart
from myelode.sweeps.blocks import DONE, FAILED, REFUSED, Block, joined
from myelode.sweeps.costs import idle_axes, measure_costs
from myelode.sweeps.plans import SweepPlan, plan_again, usual_chunk
from tests.sweeps.decay import plan_of, write_decay

RATES = "k: {from: 0.1 1/h, to: 3 1/h, points: 7, spacing: log}"


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_decay(tmp_path_factory.mktemp("decay"))


@pytest.fixture(scope="module")
def rates(scenario: Path) -> SweepPlan:
    return plan_of(scenario, f"grid: {{{RATES}}}", "record: [drug]\nengine: ensemble\nchunk: 4\n")


def ran(scenario: Path, *settings: str) -> xr.Dataset:
    return evaluate(simulate(load_scenario(scenario, settings), engine="ensemble"))


def whole(plan: SweepPlan) -> Block:
    return joined([plan.compute(number) for number in range(plan.layout.chunks)])


def same(one: Block, other: Block) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[n], other[n], equal_nan=one[n].dtype.kind == "f")
        for n in one.keys() - {"seconds"}
    )


def test_a_point_has_the_endpoints_of_a_run_with_its_values(
    scenario: Path, rates: SweepPlan
) -> None:
    block = whole(rates)
    for number in (0, 3, 6):
        single = ran(scenario, f"k={float(block['k'][number])!r} 1/h")
        for name in ("left", "area", "share", "fold"):
            np.testing.assert_array_equal(block[name][number], single[name].values)
    assert (block["status"] == DONE).all()


def test_an_endpoint_is_the_closed_form(rates: SweepPlan) -> None:
    block = whole(rates)
    rate = block["k"][:, None] * np.array([1.0, 4.0])
    np.testing.assert_allclose(block["left"], 2 * np.exp(-2 * rate), rtol=1e-6, atol=1e-12)


def test_verdicts_are_codes_that_their_attributes_explain(rates: SweepPlan) -> None:
    block, layout = whole(rates), rates.layout
    [labels] = [item for item in layout.variables if item.name == "exposure"]
    words = labels.attributes["flag_meanings"].split()
    low = labels.attributes["flag_values"][words.index("low")]
    np.testing.assert_array_equal(block["exposure"] == low, block["area"] < 2)


def test_trajectories_are_kept_in_single_precision_on_request(rates: SweepPlan) -> None:
    block = whole(rates)
    times = rates.layout.fixed["time"][1]
    assert block["drug"].dtype == np.float32
    at_pulse = int(np.flatnonzero(times == 1.0)[0])
    np.testing.assert_array_equal(block["drug"][..., at_pulse], np.float32(2.0))


@given(some.lists(some.integers(0, 6), min_size=1, max_size=7, unique=True).map(sorted))
def test_points_are_the_same_in_whatever_company(rates: SweepPlan, numbers: list[int]) -> None:
    everything = whole(rates)
    some_points = rates.compute_points(numbers)
    assert same(some_points, {name: array[numbers] for name, array in everything.items()})


def test_threads_change_nothing(rates: SweepPlan) -> None:
    assert same(rates.compute(0, threads=1), rates.compute(0, threads=3))


def test_a_plan_is_made_again_from_its_document(rates: SweepPlan) -> None:
    again = plan_again(rates.document)
    assert again.document == rates.document
    assert same(again.compute(1), rates.compute(1))


@pytest.mark.parametrize(
    ("axis", "value", "setting"),
    [
        ("regimen.pulse.to", "0.5 uM", "regimen.pulse.to=0.5 uM"),
        ("final.k", "0.7 1/h", "final.k=0.7 1/h"),
        ("cell_line", "quick_line", "cell_line=quick_line"),
        ("regimen.wash.at", "4 h", "regimen.wash.at=4 h"),
        ("regimen.wash.dilute", "3.0", "regimen.wash.dilute=3.0"),
        ("medium", "1 litre", "medium=1 litre"),
    ],
)
def test_every_kind_of_axis_does_what_the_setting_does(
    scenario: Path, axis: str, value: str, setting: str
) -> None:
    plan = plan_of(scenario, f"grid: {{{axis}: ['{value}']}}", "engine: ensemble\n")
    block, single = whole(plan), ran(scenario, setting)
    np.testing.assert_array_equal(block["left"][0], single["left"].values)
    np.testing.assert_array_equal(block["area"][0], single["area"].values)


def test_a_perturbation_is_an_axis_and_is_compared_with_the_reference(scenario: Path) -> None:
    plan = plan_of(scenario, "grid: {perturbation: [none, fast, fixed]}", "engine: ensemble\n")
    block = whole(plan)
    single = ran(scenario, "perturbations=[none, fast, fixed]")
    np.testing.assert_array_equal(block["area"], single["area"].values)
    np.testing.assert_array_equal(block["fold"], single["fold"].values)
    assert block["perturbation"].tolist() == ["none", "fast", "fixed"]


def test_a_perturbation_multiplies_what_the_axis_sets(rates: SweepPlan) -> None:
    block = whole(rates)
    np.testing.assert_allclose(
        block["left"][:, 1], 2 * np.exp(-8 * block["k"]), rtol=1e-6, atol=1e-12
    )


def test_a_timeline_is_compiled_once_for_points_that_share_it(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(scenario, f"grid: {{regimen.pulse.to: [1 uM, 2 uM], {RATES}}}", "chunk: 14\n")
    assert plan.layout.count == 14
    made: list[int] = []
    compile_one = timelines.Timelines._one
    monkeypatch.setattr(
        timelines.Timelines, "_one", lambda self, n: made.append(n) or compile_one(self, n)
    )
    whole(plan)
    assert len(made) == 2 * 2  # two doses, two perturbations


def test_a_failed_point_keeps_its_place_and_says_why(scenario: Path) -> None:
    plan = plan_of(scenario, "grid: {k: [0.1 1/h, 1e300 1/h, 0.2 1/h]}", "engine: ensemble\n")
    block = whole(plan)
    assert block["status"].tolist() == [DONE, FAILED, DONE]
    assert np.isnan(block["left"][1]).all()
    assert (block["exposure"][1] == -1).all()
    assert block["reason"][1]
    assert np.isfinite(block["left"][[0, 2]]).all()


def test_limits_are_kept_for_each_run(scenario: Path) -> None:
    plan = plan_of(
        scenario, "grid: {k: [0.1 1/h, 0.2 1/h]}", "engine: ensemble\nlimits: {steps: 3}\n"
    )
    assert plan.remarks == ()
    block = plan.compute(0)
    assert (block["status"] == 2).all()
    assert "not enough" in block["reason"][0]


def test_a_point_that_the_regimen_refuses_is_refused_alone(scenario: Path) -> None:
    text = scenario.read_text("utf-8")
    own = scenario.parent / "ratio.yaml"
    own.write_text(text.replace("to: 2 uM", "amount: 2 umol"), "utf-8")
    plan = plan_of(own, "grid: {medium: [1e-3 litre, 1 litre]}", "chunk: 2\n")
    block = plan.compute(0)
    assert (block["status"] != REFUSED).all()
    np.testing.assert_allclose(block["left"][0] / block["left"][1], 1000, rtol=1e-6)


def test_an_axis_that_changes_nothing_is_found(scenario: Path) -> None:
    plan = plan_of(
        scenario, f"grid: {{final.k: [0.3 1/h], {RATES}, regimen.pulse.to: [1 uM, 2 uM]}}"
    )
    assert list(idle_axes(plan)) == ["k"]
    without_dose = plan_of(scenario, f"grid: {{regimen.pulse.to: [0 uM, 2 uM], {RATES}}}")
    assert list(idle_axes(without_dose)) == []  # at the first point, without a dose, k is idle


def test_the_cost_is_told_before_the_run(rates: SweepPlan) -> None:
    costs = measure_costs(rates, seconds=0.1)
    assert costs.points == 7
    assert costs.us_per_point > 0
    assert costs.core_hours == pytest.approx(7 * costs.us_per_point / 3.6e9)
    assert costs.gigabytes == pytest.approx(7 * rates.layout.bytes_per_point / 1e9)


def one_by_one(scenario: Path) -> SweepPlan:
    text = "engine: roadrunner\nendpoints: [left]\n"
    return plan_of(scenario, f"grid: {{final.k: [0.3 1/h], {RATES}}}", text)


def test_an_engine_that_may_kill_is_measured_apart(scenario: Path) -> None:
    plan = one_by_one(scenario)
    costs = measure_costs(plan, seconds=0.1)
    assert (costs.points, costs.idle) == (7, ("k",))
    assert costs.us_per_point > 0
    assert idle_axes(plan) == ["k"]


def test_points_that_kill_do_not_take_the_plan_along(scenario: Path) -> None:
    said = r"have ended their process \(Killed\): a run of the sweep finds"
    with pytest.raises(ScenarioError, match=said):
        apart(one_by_one(scenario), f"{__name__}:killed")
    with pytest.raises(ScenarioError, match="not so"):
        apart(one_by_one(scenario), f"{__name__}:refused")


def killed(plan: SweepPlan) -> None:
    signal.raise_signal(signal.SIGKILL)


def refused(plan: SweepPlan) -> None:
    raise ScenarioError("not so")


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ("grid: {kk: [1]}", "'kk' is no value of decay and no place of a scenario"),
        ("grid: {drug: [1 mole]}", "drug"),
        ("grid: {loss: [1]}", "computed by the model"),
        ("grid: {regimen.puls.to: [1 uM]}", "did you mean 'pulse'"),
        ("grid: {regimen.pulse.add: [1 uM]}", "its 'to', not 'add'"),
        ("grid: {regimen.pulse.to: [-1 uM]}", "negative"),
        ("grid: {cell_line: [slow_lin]}", "did you mean 'slow_line'"),
        ("grid: {perturbation: [fats]}", "did you mean 'fast'"),
    ],
)
def test_a_wrong_axis_is_one_line_with_its_place(scenario: Path, design: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan_of(scenario, design).layout  # noqa: B018
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("endpoints: [lef]\n", "toy.yaml:6: endpoints.0: pulse has no endpoint 'lef'"),
        ("record: [dug]\n", "dug"),
        ("engine: roadruner\n", "did you mean 'roadrunner'"),
        (
            "with: {observe.every: 1 min}\nrecord: [drug]\nchunk: 999983\n",
            "toy.yaml:8: chunk: chunk 999983: drug has",
        ),
        ("with: {design.cross.k: [1 1/h]}\n", "a sweep's points are its own design"),
    ],
)
def test_wrong_sections_are_one_line(scenario: Path, more: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan_of(scenario, "grid: {k: [0.1 1/h]}", more).layout  # noqa: B018
    assert said in str(caught.value)


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        plan_again("{}")


@pytest.mark.parametrize(
    ("points", "is_threaded", "chunk"),
    [(10, True, 1024), (10**6, True, 8192), (10, False, 1), (1000, False, 8), (10**6, False, 256)],
)
def test_a_chunk_grows_with_the_sweep_up_to_a_size(
    points: int, is_threaded: bool, chunk: int
) -> None:
    assert usual_chunk(points, is_threaded) == chunk


def test_the_noise_of_an_assay_is_that_of_the_point_however_the_sweep_is_cut(
    scenario: Path,
) -> None:
    own = scenario.parent / "noisy.yaml"
    text = scenario.read_text("utf-8").replace("{of: drug, take: auc}", "{of: seen, take: mean}")
    own.write_text(text + "assays:\n  seen: {of: drug, cv: 0.2}\n", "utf-8")
    volumes = "grid: {medium: {from: 1 litre, to: 4 litre, points: 7}}"  # the level is the same
    whole_one, cut = (
        whole(plan_of(own, volumes, f"engine: ensemble\nchunk: {size}\n")) for size in (7, 2)
    )
    assert same(whole_one, cut)
    assert len(np.unique(whole_one["area"])) == whole_one["area"].size
    assert np.ptp(whole_one["left"], axis=0).max() < 1e-9


def test_a_point_that_cannot_be_evaluated_is_refused_alone(scenario: Path) -> None:
    own = scenario.parent / "reads.yaml"
    text = scenario.read_text("utf-8").replace(
        "{of: drug, take: auc}", "{of: share_seen, take: max}"
    )
    seen = "assays:\n  share_seen: {of: drug, signal: x / 3, unit: share, depth: 1000}\n"
    own.write_text(text + seen, "utf-8")
    plan = plan_of(own, "grid: {regimen.pulse.to: [1 uM, 2 uM, 9 uM, 3 uM]}", "chunk: 4\n")
    block = plan.compute(0)
    assert block["status"].tolist() == [DONE, DONE, REFUSED, DONE]
    assert "its share, from 0 to 1" in block["reason"][2]
    assert np.isnan(block["left"][2]).all()
    assert np.isfinite(block["left"][[0, 1, 3]]).all()


def test_limits_that_an_engine_does_not_keep_are_told(scenario: Path) -> None:
    plan = plan_of(scenario, "grid: {k: [0.1 1/h]}", "engine: roadrunner\nlimits: {steps: 3}\n")
    assert plan.remarks == ("roadrunner keeps no limits",)


def test_threads_that_need_one_simulator_take_turns(scenario: Path) -> None:
    plan = plan_of(scenario, f"grid: {{{RATES}}}", "engine: roadrunner\nchunk: 1\n")
    assert not plan.is_threaded
    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(plan.compute, range(7)))
    assert same(joined(blocks), whole(plan))
