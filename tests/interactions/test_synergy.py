"""Synergy on models whose agents have closed forms: indices, excesses, limits, verdicts, faults."""

from __future__ import annotations

import importlib
import json
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import xarray as xr

import myelode
from myelode.cli import main
from myelode.cli.interactions import summarise_synergy
from myelode.engines import Tolerances
from myelode.errors import ScenarioError
from myelode.figures.isobolograms import draw_synergy
from myelode.interactions.boards import Board
from myelode.interactions.verdicts import ANTAGONISM, NO_INTERVAL, SYNERGY, UNDETERMINED, judge
from myelode.interactions.wells import Wells
from myelode.results import read_result, write_result
from myelode.scenario import load_scenario
from myelode.sections import Endpoint
from myelode.subjects import model_of
from tests.interactions.conftest import TEXT, Make
from tests.toys import write_files

A, B = np.array([0.5, 1, 2, 4]), np.array([10.0, 30, 90])
EA, HA, EB, HB = 2.0, 1.5, 30.0, 0.8
LEFT_A, LEFT_B = 1 / (1 + (A / EA) ** HA), 1 / (1 + (B / EB) ** HB)


def inner(found: xr.Dataset, name: str) -> np.ndarray:
    """Wells with both agents, of the only treatment."""
    return np.asarray(found[name].squeeze().values[1:, 1:])


def alone(effect: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    odds = effect / (1 - effect)
    return EA * odds ** (1 / HA), EB * odds ** (1 / HB)


def test_independent_agents_have_their_closed_form(pair: Make) -> None:
    found = myelode.synergy(pair())
    left = np.outer(LEFT_A, LEFT_B)
    first, second = alone(1 - left)
    np.testing.assert_allclose(inner(found, "effect"), 1 - left, rtol=1e-12)
    np.testing.assert_allclose(inner(found, "bliss_excess"), 0, atol=1e-15)
    better = np.minimum(LEFT_A[:, np.newaxis], LEFT_B)
    np.testing.assert_allclose(inner(found, "hsa_excess"), better - left, atol=1e-12)
    index = A[:, np.newaxis] / first + B / second
    np.testing.assert_allclose(inner(found, "combination_index"), index, rtol=1e-9)
    assert (inner(found, "undefined") == "").all()


def test_one_drug_in_two_bottles_is_additive(pair: Make) -> None:
    # Alone both have one slope here, and so the sum of the shares of their halves counts.
    found = myelode.synergy(pair(of="additive"))
    np.testing.assert_allclose(inner(found, "combination_index"), 1, atol=1e-9)
    np.testing.assert_allclose(inner(found, "loewe_excess"), 0, atol=1e-9)
    np.testing.assert_allclose(found["level_index"], 1, atol=1e-9)
    np.testing.assert_allclose(found["sham_combination_index"], 1, atol=1e-9)


def test_the_mixture_has_the_stated_effect_at_the_stated_ratio(pair: Make) -> None:
    found = myelode.synergy(pair(), levels=(0.4, 0.6, 0.8), ratio=5.0).isel(perturbation=0)
    mixed, mixed2 = found["mixed"].values[:, 0], found["mixed2"].values[:, 0]
    np.testing.assert_allclose(mixed2 / mixed, 5.0, rtol=1e-12)
    effect = 1 - 1 / (1 + (mixed / EA) ** HA) / (1 + (mixed2 / EB) ** HB)
    np.testing.assert_allclose(effect, [0.4, 0.6, 0.8], rtol=1e-9)
    first, second = alone(effect)
    np.testing.assert_allclose(found["alone"], first, rtol=1e-9)
    np.testing.assert_allclose(found["level_index"][:, 0], mixed / first + mixed2 / second)


@pytest.mark.parametrize(("of", "power"), [("stronger", -1), ("protected", 1)])
def test_an_agent_without_effect_of_its_own_gives_a_limit_and_no_index(
    pair: Make, of: str, power: int
) -> None:
    found = myelode.synergy(pair(of=of))
    assert np.isnan(inner(found, "combination_index")).all()
    assert np.isnan(inner(found, "loewe_excess")).all()
    limit = np.broadcast_to((1 + B / EB) ** power, (4, 3))
    np.testing.assert_allclose(inner(found, "combination_index_limit"), limit, rtol=1e-9)
    assert set(inner(found, "undefined").ravel()) == {"b alone never reaches the effect"}
    assert set(found["level_call"].values.ravel()) == {UNDETERMINED}
    assert np.isnan(found["sham_combination_index"].values[0, 1])


def test_an_effect_beyond_one_agent_is_counted_with_its_reason(pair: Make) -> None:
    found = myelode.synergy(pair(of="weak"), bracket=1e4)
    effect, index = inner(found, "effect"), inner(found, "combination_index")
    beyond = effect > 0.3
    assert beyond.any()
    assert not beyond.all()
    assert (np.isnan(index) == beyond).all()
    told = summarise_synergy(found)["undefined"]["none"]
    assert told == {
        "wells": 12,
        "undefined": int(beyond.sum()),
        "why": {"b alone never reaches the effect": int(beyond.sum())},
    }


def test_more_left_than_untreated_is_a_negative_effect(pair: Make) -> None:
    found = myelode.synergy(pair(("[0.5, 1, 2, 4]", "[0.01, 4]"), of="growing"))
    assert (inner(found, "undefined")[0] == "negative effect").all()
    assert np.isnan(inner(found, "combination_index")[0]).all()


def test_nothing_left_untreated_has_no_index(pair: Make) -> None:
    found = myelode.synergy(pair(of="empty"))
    assert set(inner(found, "undefined").ravel()) == {"the control is zero"}
    assert np.isnan(found["bliss_excess"]).all()


def test_counts_are_read_as_shares(pair: Make) -> None:
    shares, counts = (myelode.synergy(pair(of=of)) for of in ("independent", "counts"))
    np.testing.assert_allclose(
        counts["combination_index"], shares["combination_index"], rtol=1e-9, equal_nan=True
    )


def test_a_shipped_board_has_what_its_description_says() -> None:
    found = myelode.synergy("melflufen/checkerboard_bortezomib").isel(perturbation=0)
    np.testing.assert_allclose(found["sham_combination_index"], 1, atol=1e-3)
    index, limit = (
        float(found[name][level, 0]) for name, level in (("level_index", 0), ("level_limit", 1))
    )
    assert index == pytest.approx(0.615, abs=0.02)
    assert limit == pytest.approx(0.489, abs=0.02)
    assert np.isnan(found["level_index"][1, 0])
    assert 0.1 < float(found["bliss_excess"].max()) < 0.16
    # What is computed at a level is that level when it is run.
    scenario = load_scenario("melflufen/checkerboard_bortezomib")
    read = Endpoint(of="live_cells", take="value", at="72 h")
    wells = Wells(scenario, model_of(scenario), read, "roadrunner", Tolerances())
    first, second = (np.append(found[name][:, 0], [0.0]) for name in ("mixed", "mixed2"))
    read_back = wells.responses(np.zeros(3, dtype=int), first, second)
    np.testing.assert_allclose(1 - read_back[:2] / read_back[2], [0.5, 0.75], atol=1e-7)


@pytest.fixture(scope="module")
def oracle() -> ModuleType:
    """The package `synergy`, which others wrote: Hill curves, Loewe, Bliss and HSA."""
    pytest.importorskip("synergy", reason="needs the package synergy")
    return importlib.import_module("synergy.combination")


def test_another_program_finds_the_same_indices(pair: Make, oracle: ModuleType) -> None:
    hill = importlib.import_module("synergy.single").Hill
    drugs = {
        "drug1_model": hill(E0=1, Emax=0, h=HA, C=EA), "drug2_model": hill(E0=1, Emax=0, h=HB, C=EB),
    }  # fmt: skip
    found = myelode.synergy(pair())
    first, second = (part.ravel() for part in np.meshgrid(A, B, indexing="ij"))
    left = 1 - inner(found, "effect").ravel()
    for ours, theirs, tolerance in (
        ("combination_index", oracle.Loewe(mode="CI", **drugs), 1e-9),
        # It minimises a square, and so has half of the digits.
        ("loewe_excess", oracle.Loewe(mode="delta_nan", **drugs), 1e-4),
        ("bliss_excess", oracle.Bliss(**drugs), 1e-12),
        ("hsa_excess", oracle.HSA(**drugs), 1e-12),
    ):
        with warnings.catch_warnings():
            # It divides by zero on its way at the ends of its bounds.
            warnings.simplefilter("ignore", RuntimeWarning)
            expected = theirs.fit(first, second, left.copy())
        np.testing.assert_allclose(
            inner(found, ours).ravel(), expected, atol=tolerance, err_msg=ours
        )


@pytest.mark.parametrize("engine", ["roadrunner", "ensemble"])
def test_the_order_of_the_wells_changes_no_bit(pair: Make, engine: str) -> None:
    scenario = pair()
    model = model_of(scenario)
    read = Endpoint(of="independent", take="value", at=1)
    wells = Wells(scenario, model, read, engine, Tolerances())
    first, second = np.repeat(A, 3), np.tile(B, 4)
    cases, order = np.zeros(12, dtype=int), np.random.default_rng(1).permutation(12)
    whole = wells.responses(cases, first, second)
    mixed = wells.responses(cases, first[order], second[order])
    assert mixed.tobytes() == whole[order].tobytes()


def test_a_part_of_the_board_is_what_the_whole_has_there(pair: Make) -> None:
    whole = myelode.synergy(pair(), engine="roadrunner")
    part = myelode.synergy(
        pair(("[0.5, 1, 2, 4]", "[0.5, 2, 4]"), ("[10, 30, 90]", "[10, 90]")), engine="roadrunner"
    )
    rows, columns = [0, 2, 3], [0, 2]
    for name in ("effect", "bliss_excess"):
        assert inner(part, name).tobytes() == inner(whole, name)[np.ix_(rows, columns)].tobytes()
    index = inner(whole, "combination_index")[np.ix_(rows, columns)]
    np.testing.assert_allclose(inner(part, "combination_index"), index, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "call", "said"),
    [
        ([0.7], UNDETERMINED, NO_INTERVAL),
        ([0.7, 0.8, 0.9, 0.95], SYNERGY, "below 1"),
        ([0.7, 0.8, 0.9, 1.01], UNDETERMINED, "holds 1"),
        ([0.7, 0.8, 0.9, 0.9995], UNDETERMINED, "holds 1"),
        ([1.1, 1.2, 1.3, 1.4], ANTAGONISM, "above 1"),
        ([0.7, 0.8, 0.9, np.nan], UNDETERMINED, "1 of 4 draws"),
        ([np.nan, np.nan], UNDETERMINED, "b alone never"),
    ],
)
def test_synergy_is_called_only_where_the_whole_interval_is_below_one(
    values: list[float], call: str, said: str
) -> None:
    found = judge(np.array(values), "b alone never reaches the effect")
    assert found.call == call
    assert said in found.reason


VARIANTS = "only: {title: two agents, parts: [unsure.ant], model: unsure}\n"
UNSURE = """\
model unsure()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second);
  compartment well = 1; well has volume;
  species cells in well; cells = 0; k = 0; k has per_hour; idle: cells => ; well * k * cells;
  a = 0; b = 0; ea = 2; ha = 1.5; eb = 30; one = 1; a has dimensionless; b has dimensionless;
  ea has dimensionless; ha has dimensionless; eb has dimensionless; one has dimensionless;
  left := one / (one + (a * (one + b / eb) / ea)^ha); left has dimensionless;
  x = 3; x has dimensionless; joint has dimensionless;
  joint := one / (one + (a / ea + b / eb + x * a * b / (ea * eb) / (one + a / ea + b / eb))^ha);
end
"""
_ROW = "{0}\t{1}\t{2}\t{0}\t{3}\t\t\t\tassumed\tno\t\tan example\n"
TABLE = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange\tevidence"
    "\tread\tsource\tnote\n"
    + _ROW.format("ea", 2, "dimensionless", "lognormal(gsd=1.5)")
    + _ROW.format("well", 1, "litre", "fixed")
    + _ROW.format("k", 0, "1/h", "fixed")
    + "".join(
        _ROW.format(name, value, "dimensionless", "fixed")
        for name, value in {"a": 0, "b": 0, "ha": 1.5, "eb": 30, "one": 1, "x": 3}.items()
    )
)


@pytest.fixture
def uncertain(tmp_path: Path) -> Path:
    """A scenario of a model with a table, in which the half dose of the first agent is unsure."""
    folder = write_files(
        tmp_path / "unsure",
        {"unsure.ant": UNSURE, "variants.yaml": VARIANTS, "parameters.tsv": TABLE},
    )
    text = (
        TEXT.format(model=folder).replace("independent", "left").replace("until: 1,", "until: 1 h,")
    )
    text = text.replace("at: 1}", "at: 1 h}")
    path = tmp_path / "pair.yaml"
    path.write_text(text.replace("[10, 30, 90]", "[10, 30, 90], zero: true"), "utf-8")
    return path


def test_draws_are_paired_and_keep_the_typical_numbers(uncertain: Path) -> None:
    plain, drawn = (myelode.synergy(str(uncertain), uncertainty=n) for n in (None, 5))
    assert drawn.sizes["sample"] == 6
    typical = drawn.isel(sample=0)
    for name in ("effect", "combination_index_limit", "level_limit"):
        np.testing.assert_allclose(typical[name], plain[name], rtol=1e-9, atol=1e-12)
    # The half dose moves both terms alike: the limit is the same in every draw.
    limits = drawn["combination_index_limit"].values[0, 1:, 1:]
    np.testing.assert_allclose(limits, limits[..., :1] * np.ones(6), rtol=1e-8)
    assert np.ptp(drawn["effect"].values[0, 2, 2]) > 0.05


def test_synergy_and_antagonism_are_called_where_every_draw_agrees(uncertain: Path) -> None:
    text = uncertain.read_text("utf-8").replace("of: left", "of: joint")
    text += "perturbations: [none, {against: {set: {x: -0.5}}}, {additive: {set: {x: 0}}}]\n"
    uncertain.write_text(text, "utf-8")
    found = myelode.synergy(str(uncertain), uncertainty=4, engine="roadrunner")
    calls = {str(p): set(map(str, found["level_call"].sel(perturbation=p).values))
             for p in found["perturbation"].values}  # fmt: skip
    assert calls == {"none": {SYNERGY}, "against": {ANTAGONISM}, "additive": {UNDETERMINED}}
    for name, x in (("none", 3.0), ("against", -0.5)):
        wells = found.sel(perturbation=name)
        assert set(wells["call"].values[1:, 1:].ravel()) == set(calls[name])
        half = wells.isel(level=0, mixture=0, sample=0)
        shares = float(half["mixed"]) / 2 * float(half["mixed2"]) / 30
        index = float(half["level_index"])
        assert index == pytest.approx(1 - x * shares / (1 + index), rel=1e-9)


def test_no_dose_leaves_the_range_of_its_row(uncertain: Path) -> None:
    table = uncertain.parent / "unsure" / "parameters.tsv"
    rows = table.read_text("utf-8").splitlines()
    at = next(number for number, row in enumerate(rows) if row.startswith("b\t"))
    cells = rows[at].split("\t")
    cells[rows[0].split("\t").index("range")] = "0..200"
    table.write_text("\n".join([*rows[:at], "\t".join(cells), *rows[at + 1 :]]) + "\n", "utf-8")
    scenario = load_scenario(uncertain)
    read = Endpoint(of="left", take="value", at="1 h")
    wells = Wells(scenario, model_of(scenario), read, "auto", Tolerances())
    assert wells.ceiling(1) == 200
    curve = Board(wells, 100.0, None, (0.5,)).curve(0, 1)
    assert curve.whole
    assert curve.doses[-1] == 200


def test_one_set_of_numbers_is_never_called_synergy(pair: Make) -> None:
    found = myelode.synergy(pair())
    assert set(inner(found, "call").ravel()) == {UNDETERMINED}
    assert set(inner(found, "reason").ravel()) == {NO_INTERVAL}


@pytest.mark.parametrize(
    ("swap", "options", "message"),
    [
        (("  dose2: {of: b, values: [10, 30, 90]}\n", ""), {}, "pair: synergy needs two agents, and design has no dose2"),
        (("[10, 30, 90]", "[10]"), {}, "design.dose2 has 1 dose above zero, and so no bracket: an index needs 2 or more"),
        (("[10, 30, 90]", "[0, 10]"), {}, "design.dose2 has 1 dose above zero"),
        (("of: b,", "of: bb,"), {}, "no dose is labelled 'bb'"),
        (("of: b,", "of: cells,"), {}, "'cells' is a species"),
        ((" 90]", " 90]"), {"of": "lft"}, "'lft' is neither an endpoint of pair nor an output of pair: did you mean 'left'"),
        ((" 90]", " 90]"), {"at": "3"}, "lies after the end of the run"),
        ((" 90]", " 90]"), {"levels": (0.5, 1.0)}, "levels are effects between 0 and 1"),
        ((" 90]", " 90]"), {"levels": (0.5, 0.5)}, "a level is named twice"),
        ((" 90]", " 90]"), {"ratio": 0.0}, "ratio must be a number above 0"),
        ((" 90]", " 90]"), {"bracket": 1.0}, "bracket must be a number above 1"),
        ((" 90]", " 90]"), {"uncertainty": 3}, "has uncertainty: nothing to vary"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    pair: Make, swap: tuple[str, str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        myelode.synergy(pair(swap), **options)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_result_is_written_and_read_back(pair: Make, tmp_path: Path) -> None:
    found = myelode.synergy(pair())
    write_result(found, tmp_path / "pair.nc")
    again = read_result(tmp_path / "pair.nc")
    xr.testing.assert_equal(again["combination_index"], found["combination_index"])
    assert draw_synergy(again).texts


def test_the_command_line_keeps_its_contract(
    uncertain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "pair.png"
    assert (
        main(["synergy", str(uncertain), "--uncertainty", "3", "--plot", str(plot), "--json"]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert {
        "combination_index", "loewe", "bliss_excess", "hsa_excess", "undefined",
        "sham_combination_index",
    } <= said.keys()  # fmt: skip
    level = said["combination_index"]["none"]["levels"]["0.5"]
    assert level["call"] == UNDETERMINED
    assert level["alone2"] == "inf"
    assert level["value"] is None
    assert said["undefined"]["none"]["undefined"] == 12
    assert said["sham_combination_index"] == pytest.approx(1, abs=1e-9)
    assert said["shams"]["none"] == {"a": said["sham_combination_index"], "b": None}
    assert plot.stat().st_size > 10_000


def test_the_tables_say_what_the_numbers_mean(
    uncertain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synergy", str(uncertain), "--level", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "none: no index in 12 of 12 wells: b alone never reaches the effect." in said
    assert "Synergy is called only where the whole interval" in said
    assert "~: one agent alone never has the effect" in said


def test_the_figure_says_each_level(pair: Make) -> None:
    figure = draw_synergy(myelode.synergy(pair()))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert sum(text.startswith(("50% effect: index", "75% effect: index")) for text in texts) == 2
    assert "effect beyond Loewe" in texts
    assert len(figure.axes) == 4
