"""Virtual lines and patients: drawn from the table, keyed by seed, number and name."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from myelode.correlations import COLUMNS as PAIR_COLUMNS
from myelode.correlations import read_correlations
from myelode.errors import ModelError, MyelodeError, ScenarioError
from myelode.library import find_model
from myelode.model import load_model
from myelode.parameters import COLUMNS
from myelode.plan import Plan, make_plan
from myelode.results import read_result, replay, write_result
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

MakesFolder = Callable[..., Path]
TOY = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species A in c; A = a;
  a = 2; a has uM;
  k = 0.5; k has per_hour;
  q = 3; q has dimensionless;
  share_1 = 0.5; share_2 = 0.3; share_3 = 0.2;
  share_1 has dimensionless; share_2 has dimensionless; share_3 has dimensionless;
  loss: A => ; c * k * q * (share_1 + share_2 + share_3) * A;
end
"""
ROWS = {
    "c": "1 L", "a": "2000 nmol/L", "k": "0.5 1/h", "q": "3 1",
    "share_1": "0.5 1", "share_2": "0.3 1", "share_3": "0.2 1",
}  # fmt: skip
SPREAD = {"a": "lognormal(cv=0.5)", "k": "lognormal(gsd=2)"}
TEXT = """\
id: many
title: virtual lines
model: {folder}
perturbations: [none, {{slow: {{scale: {{k: 0.1}}}}}}]
design: {{lines: {{{lines}}}}}
observe: {{every: 1 h, until: 4 h, outputs: [A]}}
{more}
"""


@pytest.fixture
def folder(tmp_path: Path) -> MakesFolder:
    """Writes a model folder whose rows have this spread between lines, and these ranges."""

    def make(
        spread: dict[str, str],
        ranges: dict[str, str] | None = None,
        pairs: str = "",
        lines: str = "",
    ) -> Path:
        path = tmp_path / "toy"
        path.mkdir(exist_ok=True)
        (path / "toy.ant").write_text(TOY)
        (path / "variants.yaml").write_text("only: {title: toy, parts: [toy.ant]}\n")
        (path / "parameters.tsv").write_text(_table(spread, ranges or {}))
        for name, text in (("correlations.tsv", pairs), ("cell_lines.yaml", lines)):
            if text:
                (path / name).write_text(text)
        return path

    return make


def _table(spread: dict[str, str], ranges: dict[str, str]) -> str:
    rows = ["\t".join(COLUMNS)]
    for name, quantity in ROWS.items():
        value, unit = quantity.split()
        cells = [
            name,
            value,
            unit,
            "meaning",
            "fixed",
            "",
            spread.get(name, ""),
            ranges.get(name, ""),
        ]
        rows.append("\t".join([*cells, "assumed", "no", "", "a test"]))
    return "\n".join(rows) + "\n"


def _pairs(*rows: tuple[str, str, float]) -> str:
    lines = ["\t".join(PAIR_COLUMNS), *(f"{a}\t{b}\t{rho}\t\ta test" for a, b, rho in rows)]
    return "\n".join(lines) + "\n"


def _plan(folder: Path, lines: str, more: str = "", kind: str = "lines") -> Plan:
    text = TEXT.format(folder=folder, lines=lines, more=more)
    return make_plan(scenario_from_text(text.replace("{lines:", f"{{{kind}:"), "f"))


def _values(folder: Path, lines: str, more: str = "", kind: str = "lines") -> dict[str, np.ndarray]:
    """The drawn values by name, line by line."""
    [axis] = [axis for axis in _plan(folder, lines, more, kind).axes if axis.name == "sample"]
    return {name: np.array(numbers) for name, (numbers, _) in (axis.labels or {}).items()}


def test_the_first_line_is_typical_and_the_others_differ(folder: MakesFolder) -> None:
    values = _values(folder(SPREAD), "number: 20")
    assert set(values) == {"a", "k"}
    assert values["a"][0] == pytest.approx(2)
    assert values["k"][0] == 0.5
    assert len(set(values["k"])) == 20


def test_draws_spread_as_the_table_says_in_the_units_of_the_model(folder: MakesFolder) -> None:
    values = _values(folder(SPREAD), "number: 4000, seed: 5")
    for name, sigma, median in (("a", math.sqrt(math.log(1.25)), 2), ("k", math.log(2), 0.5)):
        logs = np.log(values[name][1:] / median) / sigma
        assert stats.kstest(logs, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(np.log(values["a"]), np.log(values["k"]))[0, 1]) < 0.06


def test_one_more_line_or_parameter_changes_no_other_draw(folder: MakesFolder) -> None:
    few = _values(folder({"k": SPREAD["k"]}), "number: 5, seed: 3")
    many = _values(folder({**SPREAD, "q": "uniform(1, 4)"}), "number: 9, seed: 3")
    np.testing.assert_array_equal(few["k"], many["k"][:5])
    other_seed = _values(folder(SPREAD), "number: 5, seed: 4")
    assert not set(few["k"][1:]) & set(other_seed["k"][1:])


def test_only_what_is_named_varies(folder: MakesFolder) -> None:
    path = folder(SPREAD)
    named = _values(path, "number: 4, vary: [a]")
    assert set(named) == {"a"}
    np.testing.assert_array_equal(named["a"], _values(path, "number: 4")["a"])


def test_draws_stay_in_the_range_of_their_row(folder: MakesFolder) -> None:
    path = folder({"k": "lognormal(gsd=4)", "q": "beta(2, 2)"}, {"k": "0.3..0.6"})
    values = _values(path, "number: 500, vary: [k]")["k"]
    assert values.min() >= 0.3
    assert values.max() <= 0.6
    assert len(set(values)) == 500


def test_shares_of_a_whole_vary_together(folder: MakesFolder) -> None:
    names = ("share_1", "share_2", "share_3")
    path = folder(dict.fromkeys(names, "dirichlet:parts"), {"share_1": "0.2..0.8"})
    values = _values(path, "number: 300, vary: [share_2]")
    assert set(values) == set(names)
    np.testing.assert_allclose(sum(values.values()), 1, rtol=1e-12)
    assert 0.2 <= values["share_1"].min() <= values["share_1"].max() <= 0.8


def test_lines_spread_around_the_cell_line_of_the_scenario(folder: MakesFolder) -> None:
    path = folder(SPREAD, lines="fast: {scale: {k: 10}, note: a test}\n")
    plain, fast = (_values(path, "number: 5", more) for more in ("", "cell_line: fast"))
    np.testing.assert_allclose(fast["k"], 10 * plain["k"])
    np.testing.assert_array_equal(fast["a"], plain["a"])


def test_a_perturbation_scales_the_drawn_value(folder: MakesFolder) -> None:
    plan = _plan(folder(SPREAD), "number: 3")
    changes = {planned.place: planned.run.changes["k"] for planned in plan.runs}
    for line in range(3):
        assert changes[1, line] == pytest.approx(0.1 * changes[0, line])


def test_lines_are_samples_of_a_result_that_can_be_stored_and_replayed(
    folder: MakesFolder, tmp_path: Path
) -> None:
    text = TEXT.format(folder=folder(SPREAD), lines="number: 4", more="")
    dataset = simulate(scenario_from_text(text, "f"))
    assert dataset["A"].dims == ("perturbation", "sample", "time")
    assert dataset["k"].dims == ("sample",)
    assert dataset["k"].attrs["units"] == "1/h"
    assert dataset.attrs["seed"] == 1
    np.testing.assert_allclose(dataset["A"].isel(time=0).sel(perturbation="none"), dataset["a"])
    write_result(dataset, tmp_path / "lines.nc")
    assert read_result(tmp_path / "lines.nc").identical(dataset)
    assert replay(tmp_path / "lines.nc").passed


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("number: 0", "f:5: design.lines.number: .*greater than or equal to 1"),
        ("number: 3, seed: -1", "f:5: design.lines.seed: "),
        ("number: 3, sed: 1", "unknown key 'sed': did you mean 'seed'"),
        ("number: 3, vary: [kk]", "f:5: design.lines.vary.0: unknown name 'kk' in model toy: did you mean"),
        ("number: 3, vary: [q]", "f:5: design.lines.vary.0: 'q' states no spread between lines; a, k do"),
        ("number: 3, vary: [loss]", "'loss' is computed by the model and cannot be set"),
        ("number: 3, vary: nothing", "'nothing' is none of 'between_lines'"),
        ("number: 3}, cross: {q: [1]", "f:5: design: a design has lines, or values crossed"),
    ],
)  # fmt: skip
def test_lines_without_meaning_are_refused(folder: MakesFolder, lines: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        _plan(folder(SPREAD), lines)
    assert "\n" not in str(caught.value)


def test_patients_are_drawn_from_their_own_column(folder: MakesFolder) -> None:
    path = folder({**SPREAD, "q": "lognormal(gsd=1.5)"})
    between_lines = _values(path, "number: 6, seed: 3")
    table = (path / "parameters.tsv").read_text().split("\n")
    moved = [cells.split("\t") for cells in table if cells]
    for cells in moved[1:]:
        if cells[0] != "q":
            cells[5], cells[6] = cells[6], cells[5]
    (path / "parameters.tsv").write_text("\n".join("\t".join(cells) for cells in moved) + "\n")
    patients = _values(path, "number: 6, seed: 3", kind="patients")
    assert set(patients) == {"a", "k"}
    for name, drawn in patients.items():
        np.testing.assert_array_equal(drawn, between_lines[name])
    assert set(_values(path, "number: 6")) == {"q"}
    named = _values(path, "number: 6, seed: 3, vary: [k]", kind="patients")
    np.testing.assert_array_equal(named["k"], patients["k"])
    with pytest.raises(ScenarioError, match="'q' states no spread between patients; a, k do"):
        _plan(path, "number: 6, vary: [q]", kind="patients")


def test_a_model_without_any_spread_has_no_lines(folder: MakesFolder) -> None:
    with pytest.raises(
        ScenarioError, match=r"f:5: design.lines: no parameter of toy has between_l"
    ):
        _plan(folder({}), "number: 3")


def test_what_is_drawn_is_not_set_too(folder: MakesFolder) -> None:
    with pytest.raises(ScenarioError, match="'k' is set, but the design varies it"):
        _plan(folder(SPREAD), "number: 3", "set: {k: 1 1/h}")


@pytest.mark.parametrize(
    ("spread", "ranges", "message"),
    [
        ({"share_1": "dirichlet:p", "share_2": "dirichlet:p"}, {}, "share_1 \\+ share_2 = 0.8"),
        ({"q": "uniform(10, 20)"}, {"q": "1..5"}, "between_lines of q: nothing of the distribution"),
        (dict.fromkeys(("share_1", "share_2", "share_3"), "dirichlet:p"), {"share_1": "0.5..0.5"}, "leave next to nothing"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_drawn_from_is_named(
    folder: MakesFolder, spread: dict[str, str], ranges: dict[str, str], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        _plan(folder(spread, ranges), "number: 3")


def test_a_cell_line_outside_the_range_is_named(folder: MakesFolder) -> None:
    path = folder(SPREAD, {"k": "0.1..1"}, lines="fast: {scale: {k: 10}, note: a test}\n")
    with pytest.raises(
        MyelodeError, match=r"the typical line has k = 5 1/h, outside its range 0.1..1"
    ):
        _plan(path, "number: 3", "cell_line: fast")


def test_correlated_parameters_vary_together(folder: MakesFolder) -> None:
    path = folder(SPREAD, pairs=_pairs(("a", "k", 0.6)))
    values = {name: np.log(drawn[1:]) for name, drawn in _values(path, "number: 4000").items()}
    assert np.corrcoef(values["a"], values["k"])[0, 1] == pytest.approx(0.6, abs=0.03)
    assert values["k"].std() == pytest.approx(math.log(2), rel=0.04)


def test_a_correlated_parameter_is_the_same_alone_and_with_more_pairs(folder: MakesFolder) -> None:
    spread = {**SPREAD, "q": "normal(sd=1)"}
    both = _values(folder(spread, pairs=_pairs(("a", "k", 0.6))), "number: 5")
    alone = _values(folder(spread, pairs=_pairs(("a", "k", 0.6))), "number: 5, vary: [k]")
    more = _values(folder(spread, pairs=_pairs(("a", "k", 0.6), ("k", "q", -0.3))), "number: 5")
    np.testing.assert_array_equal(both["k"], alone["k"])
    np.testing.assert_allclose(both["k"], more["k"], rtol=1e-12)
    np.testing.assert_allclose(both["a"], more["a"], rtol=1e-12)


@given(rhos=st.tuples(*[st.floats(-0.99, 0.99)] * 3))
def test_correlations_that_are_accepted_are_reproduced(
    rhos: tuple[float, float, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pairs")
    spread = {**SPREAD, "q": "normal(sd=1)"}
    (path / "parameters.tsv").write_text(_table(spread, {}))
    names = (("a", "k"), ("a", "q"), ("k", "q"))
    rows = [(a, b, rho) for (a, b), rho in zip(names, rhos, strict=True)]
    (path / "correlations.tsv").write_text(_pairs(*rows))
    wanted = np.array([[1, rhos[0], rhos[1]], [rhos[0], 1, rhos[2]], [rhos[1], rhos[2], 1]])
    if np.linalg.eigvalsh(wanted)[0] <= 1e-9:
        with pytest.raises(ModelError, match="not positive definite"):
            read_correlations(path)
        return
    found = read_correlations(path)
    np.testing.assert_allclose(found.factor @ found.factor.T, wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "kk", 0.5)], ":2: 'kk' is no row of parameters.tsv: did you mean 'k'"),
        ([("a", "c", 0.5)], ":2: 'c' is fixed"),
        ([("a", "share_1", 0.5)], ":2: 'share_1' is a share of a whole"),
        ([("a", "a", 0.5)], ":2: 'a' is paired with itself"),
        ([("a", "k", 1.0)], ":2: rho must lie between -1 and 1, not at 1.0"),
        ([("a", "k", math.nan)], ":2: rho must lie between -1 and 1"),
        ([("a", "k", "much")], ":2: rho 'much' is not a number"),
        ([("a", "k", 0.5), ("k", "a", 0.5)], ":3: 'k' and 'a' stand there twice"),
        ([("a", "k", 0.9), ("k", "q", 0.9), ("a", "q", -0.9)], r"correlations \(a, k, q\): .* not positive definite"),
    ],
)  # fmt: skip
def test_a_fault_in_the_correlations_is_one_line(
    folder: MakesFolder, rows: list[tuple[str, str, float]], message: str
) -> None:
    spread = {**SPREAD, "q": "normal(sd=1)", "share_1": "dirichlet:p"}
    path = folder(spread, pairs=_pairs(*rows))
    with pytest.raises(ModelError, match=message) as caught:
        read_correlations(path)
    assert "\n" not in str(caught.value)


def test_a_correlation_says_where_it_comes_from(folder: MakesFolder) -> None:
    path = folder(SPREAD, pairs="\t".join(PAIR_COLUMNS) + "\na\tk\t0.5\n")
    with pytest.raises(ModelError, match=":2: name the source of rho, or give its reason"):
        read_correlations(path)


def test_peptidases_and_esterases_of_melflufen_are_correlated() -> None:
    found = read_correlations(find_model("melflufen"))
    assert set(found.names) == {"CL_AP_c", "APN", "CL_EST"}
    off_diagonal = (found.factor @ found.factor.T)[~np.eye(3, dtype=bool)]
    np.testing.assert_allclose(off_diagonal, 0.4)


def test_virtual_lines_of_melflufen_spread_as_its_table_says() -> None:
    path = find_model("melflufen")
    values = _melflufen_lines(path)
    rows = load_model("melflufen").parameters
    assert set(values) == {name for name, row in rows.items() if row.between_lines}
    logs = {name: np.log(drawn[1:]) for name, drawn in values.items()}
    assert np.corrcoef(logs["APN"], logs["CL_EST"])[0, 1] == pytest.approx(0.4, abs=0.07)
    assert abs(np.corrcoef(logs["APN"], logs["D50"])[0, 1]) < 0.08
    for name, drawn in values.items():
        assert drawn[0] == rows[name].value
        assert rows[name].low <= drawn.min() <= drawn.max() <= rows[name].high


def _melflufen_lines(path: Path) -> dict[str, np.ndarray]:
    text = TEXT.format(folder=path, lines="number: 1500", more="")
    text = text.replace("[none, {slow: {scale: {k: 0.1}}}]", "[none]").replace("[A]", "[viability]")
    [_, axis] = make_plan(scenario_from_text(text, "f")).axes
    return {name: np.array(numbers) for name, (numbers, _) in (axis.labels or {}).items()}
