"""A fit finds what is there, says what it cannot know, and complains in one line."""

from __future__ import annotations

import csv
import json
import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myelode import errors
from myelode.cli import main
from myelode.engines import bulk, choose_engine
from myelode.errors import MyelodeError, SimulationError
from myelode.fitting import Fit, fit, predictions, residuals, write_table
from myelode.fitting.predictions import Tally, predict
from myelode.validation import Observation

COURSE = """
parameters:
  k_lost: {from: 0.01 1/h, to: 1 1/h, prior: false}
  strong.K_half: {from: 0.1 uM, to: 100 uM, prior: false}
records: DATA
series:
  - id: course
    file: data.json
    where: {what: relative}
    scenario: ../course.yaml
    output: relative
    error: {relative: 0.1, absolute: 0.001}
"""
LADDER = """
parameters:
  strong.K_half: {from: 0.1 uM, to: 100 uM, prior: false}
  weak.K_half: {from: 0.1 uM, to: 1000 uM, prior: false}
records: DATA
series:
  - &one {id: strong, file: data.json, where: {drug: strong}, scenario: ../ladder.yaml,
     compound: strong, output: relative, over: dose, error: {relative: 0.1, absolute: 0.01}}
  - {id: weak, file: data.json, where: {drug: weak}, scenario: ../ladder.yaml,
     compound: weak, output: relative, over: dose, error: {relative: 0.1, absolute: 0.01}}
""".replace("&one ", "")
ROWS = """
parameters: {k_loss: {from: 0.01 1/h, to: 10 1/h, prior: false}}
rows: true
"""


def _values(found: Fit) -> dict[str, float]:
    return {
        free.key.text: item.value
        for free, item in zip(found.problem.free, found.values, strict=True)
    }


def _words(found: Fit) -> dict[str, str]:
    return {
        free.key.text: item.word
        for free, item in zip(found.problem.free, found.values, strict=True)
    }


def test_a_course_gives_back_the_values_that_made_it(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    home.calibrate(COURSE)
    found = fit(str(home), [data])
    assert found.converged
    assert _values(found) == pytest.approx({"k_lost": 0.31, "strong.K_half": 2.2}, rel=1e-4)
    assert found.after.objective < 1e-8 < found.before.objective
    assert set(_words(found).values()) == {"identified"}
    for free, item in zip(found.problem.free, found.values, strict=True):
        assert item.interval is not None
        assert item.interval[0] < item.value < item.interval[1]
        assert free.before in (0.2, 1.0)


def test_free_coefficients_of_the_instrument_are_solved_for(home: Any) -> None:
    true = {"k_lost": 0.31, "strong.K_half": 2.2}
    data = home.course_data(true, scale=3, offset=0.5)
    rule = "    observation: {scale: fitted, offset: fitted}\n"
    home.calibrate(COURSE + rule)
    found = fit(str(home), [data])
    assert _values(found) == pytest.approx(true, rel=1e-4)
    assert found.after.series["course"].coefficients == pytest.approx((3, 0.5), rel=1e-4)
    # With the true values the coefficients come exactly, whatever was tried before.
    logs = [math.log10(value) for value in true.values()]
    assert found.problem.evaluate(logs).series["course"].coefficients == pytest.approx((3, 0.5))


@pytest.mark.parametrize(
    ("rule", "scale", "offset"),
    [
        ("{scale: fitted}", 3.0, 0.0),
        ("{offset: fitted}", 1.0, 0.5),
        ("{scale: fitted, offset: 0.5}", 3.0, 0.5),
        ("{scale: 3, offset: fitted}", 3.0, 0.5),
    ],
)
def test_one_coefficient_may_be_given(home: Any, rule: str, scale: float, offset: float) -> None:
    true = {"k_lost": 0.31, "strong.K_half": 2.2}
    data = home.course_data(true, scale, offset)
    home.calibrate(COURSE + f"    observation: {rule}\n")
    found = fit(str(home), [data])
    assert _values(found) == pytest.approx(true, rel=1e-4)
    assert found.after.series["course"].coefficients == pytest.approx((scale, offset), rel=1e-4)


def test_an_instrument_may_be_an_expression(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    records = json.loads(data.read_text())
    for point in records[0]["points"]:
        point["replicates"] = [x / (1 + x) for x in point["replicates"]]
    home.data(records)
    home.calibrate(COURSE + "    observation: x / (1 + x)\n")
    found = fit(str(home), [data])
    assert _values(found) == pytest.approx({"k_lost": 0.31, "strong.K_half": 2.2}, rel=1e-4)


def test_ladders_of_two_compounds_are_one_run_each_dose(home: Any) -> None:
    true = {"strong.K_half": 2.2, "weak.K_half": 25}
    data = home.ladder_data(true)
    home.calibrate(LADDER)
    found = fit(str(home), [data])
    assert _values(found) == pytest.approx(true, rel=1e-4)
    [source] = found.problem.sources
    assert source.ids == ("strong", "weak")
    tally = Tally()
    predict(source, {}, tally)
    assert tally.runs == 10  # five doses of each, though either ladder could be run with both


def test_the_value_of_a_cell_line_can_be_free(home: Any) -> None:
    file = home.folder / "course.yaml"
    file.write_text(file.read_text() + "cell_line: fast\n")
    data = home.course_data({"fast:k_lost": 0.9})
    text = COURSE.replace("k_lost: {from: 0.01 1/h", '"fast:k_lost": {from: 0.01 1/h')
    home.calibrate(text)
    found = fit(str(home), [data], parameters=["fast:k_lost"])
    assert _values(found) == pytest.approx({"fast:k_lost": 0.9}, rel=1e-4)


def test_measurements_are_counted_from_a_label(home: Any) -> None:
    file = home.folder / "course.yaml"
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    later = file.read_text().replace("at: 0 h", "at: 2 h").replace("until: 24 h", "until: 26 h")
    file.write_text(later)
    home.calibrate(COURSE + "    after: dose\n")
    found = fit(str(home), [data])
    assert _values(found) == pytest.approx({"k_lost": 0.31, "strong.K_half": 2.2}, rel=1e-4)


def test_a_table_of_columns_is_read_like_records(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    [record] = json.loads(data.read_text())
    table = home.folder / "mine.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        file.write("# what a line with a mark says is not read\n")
        writer.writerow(["hours", "nM", "first", "second", "what"])
        for point in record["points"]:
            value = point["replicates"][0]
            writer.writerow([point["time_min"] / 60, 2000, value, "", "relative"])
    records = "{mine.csv: {time: {field: hours, unit: h}, value: {field: [first, second]}}}"
    home.calibrate(COURSE.replace("DATA", records).replace("data.json", "mine.csv"))
    found = fit(str(home), [table])
    assert _values(found) == pytest.approx({"k_lost": 0.31, "strong.K_half": 2.2}, rel=1e-4)


def test_the_summary_of_replicates_is_median_or_mean(home: Any) -> None:
    points = [{"time_min": 60 * hour, "dose_nM": 1, "replicates": [1, 2, 9]} for hour in (1, 2, 3)]
    data = home.data([{"what": "relative", "points": points}])
    for summary, value in (("median", 2.0), ("mean", 4.0)):
        home.calibrate(COURSE + f"    summary: {summary}\n")
        [target] = fit(str(home), [data]).problem.targets.values()
        assert [point.value for point in target.measured] == [value] * 3
        assert target.measured[0].sd == pytest.approx(math.hypot(0.1 * value, 0.001))


def test_a_prior_pulls_to_the_table_and_can_be_switched_off(home: Any) -> None:
    home.observe(_half_life(value="3"))
    free = fit_rows(home, ROWS)
    held = fit_rows(home, ROWS.replace(", prior: false", ""))
    assert _values(free)["k_loss"] == pytest.approx(math.log(2) / 3, rel=2e-3)
    assert _values(free)["k_loss"] < _values(held)["k_loss"] < 0.5
    # The width of a row without a band is 20 %, that of the prior a factor of 2.
    pull, push = math.log(1.2) ** -2, math.log(2) ** -2
    expected = (pull * math.log(_values(free)["k_loss"]) + push * math.log(0.5)) / (pull + push)
    assert math.log(_values(held)["k_loss"]) == pytest.approx(expected, abs=0.02)


def _half_life(**cells: str) -> dict[str, str]:
    return {"id": "B", "unit": "h", "endpoint": "none.half", **cells}


PRIOR = "before: 0.1 1/h, prior: lognormal(gsd=1.05)"


def test_a_prior_of_its_own_stands_around_the_value_before_any_fit(home: Any) -> None:
    home.observe(_half_life(value="3"))
    narrow = fit_rows(home, ROWS.replace("prior: false", PRIOR))
    assert _values(narrow)["k_loss"] == pytest.approx(0.1, rel=0.1)


def test_a_fit_with_a_stated_prior_does_not_move_when_repeated_from_its_result(home: Any) -> None:
    home.observe(_half_life(value="3"))
    text = ROWS.replace("prior: false", "before: 0.5 1/h, prior: lognormal(gsd=2)")
    first = _values(fit_rows(home, text))["k_loss"]
    again = fit_rows(home, text.replace("before:", f"start: {first!r} 1/h, before:"))
    assert _values(again)["k_loss"] == pytest.approx(first, rel=1e-5)


def test_a_prior_that_is_no_distribution_is_refused(home: Any) -> None:
    home.calibrate(ROWS.replace("prior: false", "prior: gaussian(1)"))
    with pytest.raises(errors.ScenarioError, match="k_loss.prior"):
        fit(str(home))


def test_only_the_rows_that_are_named_enter(home: Any) -> None:
    home.observe(_half_life(value="3"), _half_life(id="C", value="9", low="8", high="10"))
    found = fit_rows(home, ROWS.replace("rows: true", "rows: {only: [B]}"))
    assert list(found.problem.rows) == ["B"]


def test_an_unknown_row_is_refused(home: Any) -> None:
    home.observe(_half_life(value="3"))
    with pytest.raises(errors.ScenarioError, match="no row that calibrates is 'Z'"):
        fit_rows(home, ROWS.replace("rows: true", "rows: {only: [Z]}"))


def fit_rows(home: Any, text: str = ROWS) -> Fit:
    """A fit to the rows of the table, of which the scenario is named as a file."""
    home.calibrate(text)
    return fit(str(home))


def test_rows_for_checks_never_enter(home: Any) -> None:
    rows = [_half_life(value="3", low="2", high="4")]
    home.observe(*rows)
    alone = fit_rows(home)
    check = _half_life(id="C", value="0.1", low="0.09", high="0.11", use="check")
    context = _half_life(id="D", value="99", use="context")
    home.observe(*rows, check, context)
    beside = fit_rows(home)
    assert _values(alone) == _values(beside)
    assert list(beside.problem.rows) == ["B"]
    assert beside.problem.left_out == ()


def test_rows_that_nothing_computes_are_left_out_and_named(home: Any) -> None:
    none = {"id": "E", "value": "1", "scenario": "", "endpoint": "", "note": "nothing computes it"}
    home.observe(_half_life(value="3"), none)
    assert fit_rows(home).problem.left_out == ("row E: no scenario computes it",)


def test_a_row_that_is_bounded_on_one_side_pulls_only_from_outside(home: Any) -> None:
    home.observe(_half_life(low="1"))
    inside = fit_rows(home)
    assert _values(inside)["k_loss"] == pytest.approx(0.5)
    assert inside.after.objective == 0
    home.observe(_half_life(low="3"))
    outside = fit_rows(home)
    assert outside.after.rows["B"][0] == pytest.approx(3, rel=1e-3)


def _row(value: float | None, low: float | None, high: float | None) -> Observation:
    return Observation(
        "A", "x", value, "1", low, high, "", "", "", "calibrate", "assumed", "no", "x", "", "here"
    )


@pytest.mark.parametrize(
    ("row", "simulated", "expected"),
    [
        ((2.0, 1.0, 4.0), 4.0, 1.0),
        ((2.0, 1.0, 4.0), 1.0, -1.0),
        ((2.0, 1.0, 4.0), 2.0, 0.0),
        ((3.0, 1.0, 4.0), 1.0, -1.0),  # the band is wider below the value than above
        ((3.0, 1.0, 4.0), 4.0, 1.0),
        ((None, 1.0, 4.0), 2.0, 0.0),
        ((1.0, 1.0, 4.0), 4.0, 1.0),  # a value at the edge of its band: the middle counts
        ((2.0, None, None), 2.4, 1.0),
        ((None, 2.0, None), 5.0, 0.0),
        ((4.0, 2.0, None), 1.0, -1.0),
        ((None, None, 2.0), 1.0, 0.0),
        ((None, None, 2.0), 2.4, 1.0),
        ((None, None, 2.0), 0.0, 0.0),
        ((None, 2.0, None), 0.0, -residuals.FAILED),
        ((2.0, None, None), math.inf, residuals.FAILED),
        ((2.0, None, None), math.nan, residuals.FAILED),
        ((None, 2.0, None), math.nan, residuals.FAILED),
        ((2.0, None, None), -1.0, residuals.FAILED),
        ((0.0, 0.0, 0.5), 0.5, 1.0),  # no logarithm of zero: the scale is linear
        ((-1.0, -2.0, 0.0), -2.0, -1.0),
        ((math.inf, 10.0, math.inf), math.inf, 0.0),
    ],
)
def test_the_residual_of_a_row(
    row: tuple[float | None, float | None, float | None], simulated: float, expected: float
) -> None:
    assert residuals.row_residual(_row(*row), simulated, 0.2) == pytest.approx(expected)


def test_what_the_data_say_nothing_about_is_called_so_and_stays(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31})
    text = COURSE.replace("records:", "  k_made: {from: 0.1 uM/h, to: 10 uM/h}\nrecords:", 1)
    text = text.replace(
        "records:", "  weak.K_half: {from: 1 uM, to: 99 uM, prior: false}\nrecords:"
    )
    home.calibrate(text)
    found = fit(str(home), [data])
    words, values = _words(found), _values(found)
    assert words["k_lost"] == "identified"
    assert words["k_made"] == "not identified by the data; its prior holds it"
    assert words["weak.K_half"] == "not identified by the data"
    assert found.values[-1].interval is None
    assert found.values[-2].interval is not None
    assert values["k_made"] == pytest.approx(1, rel=1e-3)
    assert values["weak.K_half"] == pytest.approx(10, rel=1e-3)


def test_values_that_only_a_ratio_determines_are_named_together(home: Any) -> None:
    """Free scale and one reading: potency and turnover cannot be told apart."""
    [record] = json.loads(home.course_data({}).read_text())
    data = home.data([{**record, "points": record["points"][1:2]}])
    home.calibrate(COURSE)
    words = _words(fit(str(home), [data]))
    assert words["k_lost"] == "not identified by the data, only together with strong.K_half"


def test_a_value_that_ends_at_its_bound_is_called_so(home: Any) -> None:
    data = home.course_data({"k_lost": 0.9})
    home.calibrate(COURSE.replace("to: 1 1/h", "to: 0.4 1/h"))
    words = _words(fit(str(home), [data], parameters=["k_lost"]))
    assert words == {"k_lost": "at its upper bound"}


def test_a_start_and_the_parameters_can_be_chosen(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31})
    home.calibrate(COURSE.replace("to: 1 1/h,", "to: 1 1/h, start: 0.9 1/h,"))
    found = fit(str(home), [data], parameters=["k_lost"])
    assert _values(found) == pytest.approx({"k_lost": 0.31}, rel=1e-4)


def test_starts_are_drawn_with_a_seed_and_the_same_each_time(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    home.calibrate(COURSE + "starts: 3\nseed: 7\n")
    first, second = fit(str(home), [data]), fit(str(home), [data])
    assert first.starts == 3
    assert first.agreeing >= 1
    assert _values(first) == _values(second)
    assert first.evaluations == second.evaluations


def test_results_do_not_depend_on_the_number_of_processes(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    home.calibrate(COURSE)
    one, two = fit(str(home), [data]), fit(str(home), [data], workers=2)
    assert _values(one) == _values(two)
    assert one.evaluations == two.evaluations


def test_a_scenario_is_fitted_with_what_concerns_it(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    ladder = LADDER[LADDER.index("  - {id: strong") :]
    home.calibrate(COURSE + ladder)
    found = fit(str(home.folder / "course.yaml"), [data])
    assert list(found.problem.targets) == ["course"]
    assert found.problem.name == "course"


def test_a_calibration_beside_the_scenario_comes_first(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31})
    home.calibrate(COURSE.replace("../course.yaml", "course.yaml"))
    (home.path / "calibration.yaml").rename(home.folder / "calibration.yaml")
    found = fit(str(home.folder / "course.yaml"), [data], ["k_lost"])
    assert _values(found) == pytest.approx({"k_lost": 0.31}, rel=1e-4)


class _Fragile:
    """An engine whose runs fail above some potency."""

    name = "fragile"

    def __init__(self, highest: float):
        self.highest = highest

    def compile(self, sbml: str) -> Any:
        self.inner = choose_engine("auto").compile(sbml)
        return self

    def run(self, planned: Any, tolerances: Any) -> Any:
        if planned.changes.get("K_half", 1) > self.highest:
            raise SimulationError("too stiff")
        return self.inner.run(planned, tolerances)


def test_a_failed_run_is_a_large_residual_and_is_counted(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = home.ladder_data({"weak.K_half": 25})
    home.calibrate(LADDER)
    monkeypatch.setattr(bulk, "choose_engine", lambda name: _Fragile(200))
    monkeypatch.setattr(predictions, "_MEMORY", OrderedDict())
    problem = fit(str(home), [data]).problem
    failed = problem.evaluate([0.0, math.log10(500)])
    assert (failed.tally.runs, failed.tally.failed) == (10, 5)
    assert (failed.series["weak"].residuals == residuals.FAILED).all()
    assert np.isnan(failed.series["weak"].predicted).all()
    assert (failed.series["strong"].residuals < residuals.FAILED).all()
    monkeypatch.setattr(bulk, "choose_engine", lambda name: _Fragile(0))
    predictions._MEMORY.clear()
    with pytest.raises(SimulationError, match="every run fails"):
        fit(str(home), [data])


def test_the_table_is_the_same_each_time_and_holds_no_path(home: Any) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2}, scale=3)
    home.calibrate(COURSE + "    observation: {scale: fitted}\n")
    texts = []
    for name in ("first.tsv", "second.tsv"):
        write_table(fit(str(home), [data]), home.folder / name)
        texts.append((home.folder / name).read_text())
    assert texts[0] == texts[1]
    assert str(home.folder) not in texts[0]
    rows = list(csv.DictReader(texts[0].splitlines(), delimiter="\t"))
    assert list(rows[0]) == "kind name value unit low high before n rms note".split()
    assert [row["kind"] for row in rows] == ["parameter", "parameter", "series", "objective"]
    assert (rows[0]["name"], rows[0]["value"], rows[0]["before"]) == ("k_lost", "0.31", "0.2")
    assert rows[2]["note"] == "scale 3"
    assert rows[2]["n"] == "12"


# Faults: every one is one line that says where it is and what would be right.

FAULTS = [
    ("k_lost: {", "k_lots: {", r"yaml:3: parameters.k_lots: .*did you mean 'k_lost'"),
    ("strong.K_half", "strnog.K_half", r"unknown compound 'strnog': did you mean 'strong'"),
    ("strong.K_half", "strong.k_lost", r"strong has no row of its own for 'k_lost'"),
    ("  k_lost:", '  "slow:k_lost":', r"unknown cell line 'slow'"),
    ("  k_lost:", '  "fast:k_made":', r"cell line fast does not set 'k_made'"),
    ("  k_lost:", "  relative:", r"'relative' is computed by the model"),
    ("0.01 1/h", "2 1/h", r"yaml:3: parameters.k_lost: the bounds are reversed: from 2 .* to 1"),
    ("0.01 1/h", "0 1/h", r"yaml:3: parameters.k_lost: bounds must be positive"),
    ("0.01 1/h", "-1 1/h", r"bounds must be positive"),
    ("0.01 1/h", "0.3 1/h", r"its value 0.2 lies outside its bounds, 0.3 to 1"),
    ("to: 1 1/h", "to: 1 1/h, start: 2 1/h", r"start 2 lies outside its bounds"),
    ("to: 1 1/h", "to: 100 1/h", r"the bound 100 of k_lost lies outside its range, 0.001 to 10"),
    ("0.01 1/h", "0.01 uM", r"cannot be converted to"),
    ("0.01 1/h", "0.01", r"k_lost needs a unit"),
    ("prior:", "priro:", r"yaml:3: .*unknown key 'priro': did you mean 'prior'"),
    ("../course", "../curse", r"yaml:11: series.0.scenario: .*curse.yaml: no such file"),
    ("../course.yaml", "gamma_h2ax_washout", r"asks melflufen, not turnover"),
    ("output: relative", "output: relativ", r"yaml:12: series.0.output: .*mean 'relative'"),
    ("output: relative", "output: relative\n    arm: left", r"series.0.arm: .*has no arms"),
    (
        "output: relative",
        "output: relative\n    perturbation: slow",
        r"series.0.perturbation: '../course.yaml' has no perturbation 'slow'",
    ),
    ("output: relative", "output: relative\n    after: wash", r"after: no step is labelled 'wash'"),
    ("output: relative", "output: relative\n    over: dose", r"over: .* has no ladder of doses"),
    ("output: relative", "output: drug", r"series.0.output: drug is in .* cannot be converted"),
    (
        "output: relative",
        "output: relative\n    compound: strnog",
        r"unknown compound 'strnog': did you mean 'strong'",
    ),
    ("{what: relative}", "{waht: relative}", r"data.json: has no field 'waht': did you mean"),
    ("{what: relative}", "{what: relativ}", r"what is nowhere 'relativ'.*mean 'relative'"),
    ("file: data.json", "file: date.json", r"records does not say how 'date.json' is written"),
    ("relative: 0.1, absolute: 0.001", "relative: 0", r"relative or absolute above zero"),
    ("relative: 0.1, absolute: 0.001", "relative: -1", r"error.relative: .*greater than or equal"),
    ("error:", "observation: y + 1\n    error:", r"an expression in x"),
    ("error:", "observation: {scale: free}\n    error:", r"observation.scale"),
    ("error:", "weight: 0\n    error:", r"series.0.weight: .*greater than 0"),
    ("  - id: course", "  - id: course\n    sumary: mean", r"mean 'summary'"),
    ("parameters:\n", "parameters: {}\nold:\n", r"unknown key 'old'"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_a_fault_is_one_line_with_its_place(home: Any, old: str, new: str, said: str) -> None:
    data = home.course_data({})
    assert old in COURSE
    home.calibrate(COURSE.replace(old, new, 1))
    with pytest.raises(MyelodeError, match=said) as caught:
        fit(str(home), [data])
    assert "\n" not in str(caught.value)


def test_nothing_free_or_nothing_to_compare_is_refused(home: Any) -> None:
    home.calibrate("parameters: {}\nrows: true\n")
    with pytest.raises(errors.ScenarioError, match="yaml:1: parameters: no parameter is free"):
        fit(str(home))
    home.calibrate(ROWS.replace("rows: true", ""))
    with pytest.raises(errors.ScenarioError, match="give series, or rows: true"):
        fit(str(home))
    home.calibrate(COURSE)
    with pytest.raises(errors.ScenarioError, match=r"nothing to compare .* give data.json with"):
        fit(str(home))
    with pytest.raises(errors.ScenarioError, match=r"'k_lots' is not among .* mean 'k_lost'"):
        fit(str(home), parameters=["k_lots"])
    (home.path / "calibration.yaml").unlink()
    with pytest.raises(errors.ModelError, match=r"calibration.yaml: is not there"):
        fit(str(home))


def test_a_reading_of_zero_needs_an_absolute_error(home: Any) -> None:
    points = [{"time_min": 60, "dose_nM": 1, "replicates": [0.0]}]
    data = home.data([{"what": "relative", "points": points}])
    home.calibrate(COURSE.replace(", absolute: 0.001", ""))
    with pytest.raises(errors.ScenarioError, match="give an absolute one too"):
        fit(str(home), [data])


def _record(**point: Any) -> list[dict[str, Any]]:
    whole = {"time_min": 60, "dose_nM": 2000, "replicates": [1.0], **point}
    return [{"what": "relative", "points": [{k: v for k, v in whole.items() if v is not ...}]}]


DATA_FAULTS: list[tuple[Any, str]] = [
    (_record(time_min=...), r"record 1, point 1: has no field 'time_min'"),
    (_record(replicates=...), r"record 1, point 1: has no field 'replicates'"),
    (_record(time_min="soon"), r"point 1: time_min 'soon' is not a number"),
    (_record(time_min=-1), r"point 1: time_min is negative"),
    (_record(time_min=None), r"point 1: time_min is empty"),
    (_record(replicates=[1.0, "much"]), r"replicates 'much' is not a number"),
    (_record(replicates=[None]), r"holds no reading for series 'course'"),
    (_record(time_min=9999), r"is measured at 166.65 \S+, but '../course.yaml' ends at 24"),
    ([{"what": "relative"}], r"record 1: has no field 'points'"),
    ([{"what": "relative", "points": 3}], r"'points' must be a list of points"),
    ([3], r"record 1: must map fields to values"),
    ({"what": 3}, r"data.json: must be a list of records"),
    (_record() + _record(dose_nM=1), r"'course' is measured at several doses: 1, 2000"),
]


@pytest.mark.parametrize(("records", "said"), DATA_FAULTS)
def test_a_fault_in_the_data_is_one_line(home: Any, records: Any, said: str) -> None:
    data = home.data(records)
    home.calibrate(COURSE)
    with pytest.raises(errors.ScenarioError, match=said) as caught:
        fit(str(home), [data])
    assert "\n" not in str(caught.value)


def test_data_files_that_cannot_be_used_are_refused(home: Any) -> None:
    home.calibrate(COURSE)
    other = home.folder / "date.json"
    other.write_text("[]")
    with pytest.raises(errors.ScenarioError, match=r"no series reads it: did you mean 'data.json'"):
        fit(str(home), [other])
    with pytest.raises(errors.ScenarioError, match=r"data.json: cannot be read: No such file"):
        fit(str(home), [home.folder / "data.json"])
    with pytest.raises(errors.ScenarioError, match=r"a data file ends in .json"):
        fit(str(home), [home.path / "variants.yaml"])
    data = home.folder / "data.json"
    data.write_text("[\n{,}]")
    with pytest.raises(errors.ScenarioError, match=r"data.json:2: is not JSON"):
        fit(str(home), [data])


def test_the_shipped_model_can_be_fitted(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("parameters: {k_MEL_hyd: {from: 0.1 1/h, to: 1 1/h}}\nrows: true\n")
    found = fit("melflufen/melphalan_hydrolysis", calibration=file)
    assert set(found.problem.rows) >= {"MELF-01a"}
    assert found.after.objective <= found.before.objective
    assert found.failed == 0


def test_the_command_says_what_it_found(home: Any, capsys: pytest.CaptureFixture[str]) -> None:
    data = home.course_data({"k_lost": 0.31, "strong.K_half": 2.2})
    home.calibrate(COURSE)
    output = home.folder / "fit.tsv"
    arguments = ["fit", home, "--data", data, "--parameters", "k_lost", "-o", output, "--json"]
    assert main(list(map(str, arguments))) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["parameters"]) == {"k_lost"}
    assert {"value", "interval", "unit", "before", "note"} <= set(said["parameters"]["k_lost"])
    assert said["objective"] < said["objective_before"]
    assert len(said["residuals"]) == 12
    assert said["series"]["course"]["n"] == 12
    assert output.read_text().startswith("kind\tname\tvalue\t")


def test_the_command_prints_tables(home: Any, capsys: pytest.CaptureFixture[str]) -> None:
    home.observe(_half_life(value="2", low="1.3", high="2.1"))
    home.calibrate(COURSE.replace("prior: false", "prior: true") + "rows: true\n")
    assert main(["fit", str(home)]) == 0
    printed = capsys.readouterr().out
    for text in ("Fitted values", "not identified by the data", "Sum of squares", "local", "hit"):
        assert text in printed
    assert "Left out: series course: no --data data.json" in printed
    assert main(["fit", str(home), "--workers", "0"]) == 2
