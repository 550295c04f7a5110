"""Draws of the uncertain numbers: what varies, what stays, and what is said of the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from myelode.cli import main
from myelode.compounds import COLUMNS as COMPOUND_COLUMNS
from myelode.correlations import COLUMNS as PAIR_COLUMNS
from myelode.errors import ScenarioError
from myelode.outcomes import check_expectations, evaluate
from myelode.parameters import COLUMNS
from myelode.plan import Plan, make_plan
from myelode.results import replay
from myelode.scenario import scenario_from_text
from myelode.simulation import simulate

from .toys import write_files

TOY = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species A in c; A = a;
  a = 2; a has uM;
  k = 0.5; k has per_hour;
  block = 0; block has dimensionless;
  fast = 0.6; slow = 0.4; fast has dimensionless; slow has dimensionless;
  loss: A => ; c * k * (1 - block) * (fast + slow) * A;
end
"""
ROWS = {
    "c": "1 L fixed", "a": "2 umol/L lognormal(cv=0.5)", "k": "0.5 1/h lognormal(gsd=2)",
    "block": "0 1 uniform(0, 0.2)", "fast": "0.6 1 dirichlet:parts", "slow": "0.4 1 dirichlet:parts",
}  # fmt: skip
VARIANTS = "only: {title: toy, parts: [toy.ant]}\n"
PAIRS = "\t".join(PAIR_COLUMNS) + "\na\tk\t0.999\t\ta test\n"
COMPOUNDS = "default: old\ncompounds: {old: {title: Old}, new: {title: New}}\n"
TEXT = """\
id: unsure
title: uncertain numbers
model: {folder}
perturbations: [none, {{half: {{scale: {{k: 0.5}}}}}}]
{more}
observe: {{every: 1 h, until: 4 h, outputs: [A]}}
endpoints: {{left: {{of: A, take: value, at: 4 h}}, auc: {{of: A, take: auc}}}}
outcome: {{of: auc, resistant_if: fold > 1}}
expect: [half.left > none.left]
"""
Varies = Callable[..., dict[str, np.ndarray]]


def _row(cells: list[str]) -> str:
    return "\t".join([*cells, "assumed", "no", "", "a test"])


def _table(names: Iterable[str] = ROWS) -> str:
    rows = ["\t".join(COLUMNS)]
    for name, said in ((name, ROWS[name]) for name in names):
        value, unit, spread = said.split(maxsplit=2)
        rows.append(_row([name, value, unit, "meaning", spread, "", "", ""]))
    return "\n".join(rows) + "\n"


def _compounds(name: str, value: str, spread: str) -> str:
    rows = [["old", "k", "0.5", spread], [name, "k", value, spread]]
    lines = [_row([who, k, v, "1/h", "meaning", s, "", ""]) for who, k, v, s in rows]
    return "\n".join(["\t".join(COMPOUND_COLUMNS), *lines]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder in which all but the volume is uncertain."""
    files = {"toy.ant": TOY, "variants.yaml": VARIANTS, "parameters.tsv": _table()}
    return write_files(tmp_path / "toy", files)


def _plan(folder: Path, design: str = "number: 5", more: str = "") -> Plan:
    lines = f"design: {{uncertainty: {{{design}}}}}\n{more}"
    return make_plan(scenario_from_text(TEXT.format(folder=folder, more=lines), "f"))


@pytest.fixture
def varied(folder: Path) -> Varies:
    """The numbers that differ from draw to draw, by name."""

    def values(design: str = "number: 5", more: str = "") -> dict[str, np.ndarray]:
        [axis] = [a for a in _plan(folder, design, more).axes if a.name == "sample"]
        return {name: np.array(numbers) for name, (numbers, _) in (axis.labels or {}).items()}

    return values


def test_all_that_is_uncertain_varies_and_the_first_draw_is_typical(varied: Varies) -> None:
    values = varied("number: 40")
    assert set(values) == set(ROWS) - {"c"}
    typical = {name: float(numbers[0]) for name, numbers in values.items()}
    assert typical == {"a": 2, "k": 0.5, "block": 0, "fast": 0.6, "slow": 0.4}
    assert all(len(set(numbers)) == 40 for numbers in values.values())
    np.testing.assert_allclose(values["fast"] + values["slow"], 1)


def test_named_numbers_vary_alone_and_alike(varied: Varies) -> None:
    named = varied("number: 6, seed: 3, vary: [k]")
    assert set(named) == {"k"}
    np.testing.assert_array_equal(named["k"], varied("number: 6, seed: 3")["k"])


def test_correlated_numbers_are_drawn_together(folder: Path, varied: Varies) -> None:
    (folder / "correlations.tsv").write_text(PAIRS)
    values = varied("number: 60")
    assert np.corrcoef(np.log(values["a"]), np.log(values["k"]))[0, 1] > 0.98


def test_what_the_scenario_sets_stays_as_it_says(varied: Varies) -> None:
    free = varied()
    rest = varied(more="set: {k: 1 1/h, fast: 0.5, slow: 0.5}\nfinal: {block: 0.1}")
    assert set(rest) == {"a"}
    np.testing.assert_array_equal(rest["a"], free["a"])
    with pytest.raises(ScenarioError, match="'k' is set, but the design varies it"):
        varied("number: 5, vary: [k]", "set: {k: 1 1/h}")


def test_a_step_sets_what_is_drawn_below_it(folder: Path) -> None:
    more = "regimen: [{at: 1 h, set: {block: 0.9}, for: 1 h}]"
    plan = _plan(folder, more=more)
    for planned in plan.runs:
        drawn = planned.run.changes["block"]
        set_to = [change.offset for i in planned.run.timeline.instants for change in i.changes]
        assert set_to == pytest.approx([0.9, drawn])


def test_a_compound_is_drawn_around_its_own_number(folder: Path, varied: Varies) -> None:
    (folder / "parameters.tsv").write_text(_table(ROWS.keys() - {"k"}))
    (folder / "compounds.yaml").write_text(COMPOUNDS)
    (folder / "compounds.tsv").write_text(_compounds("new", "5", "lognormal(gsd=2)"))
    old, new = varied(more="compound: old"), varied(more="compound: new")
    np.testing.assert_allclose(new["k"], 10 * old["k"])
    both = varied(more="compounds: [old, new]")
    assert set(both) == {"a", "block", "fast", "slow"}
    with pytest.raises(ScenarioError, match="'k' states no uncertainty that all compounds"):
        varied("number: 3, vary: [k]", "compounds: [old, new]")


def test_a_result_has_intervals_and_is_replayed(folder: Path) -> None:
    lines = "design: {uncertainty: {number: 4, seed: 7}}"
    dataset = simulate(scenario_from_text(TEXT.format(folder=folder, more=lines), "f"))
    assert dataset.attrs["seed"] == 7
    assert replay(dataset).passed
    result = evaluate(dataset)
    assert result["left"].dims == ("perturbation", "sample")
    scenario = scenario_from_text(TEXT.format(folder=folder, more=lines), "f")
    assert [line.passed for line in check_expectations(result, scenario)] == [True]


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ("uncertainty: {number: 0}", "f:5: design.uncertainty.number: .*greater than or equal to 1"),
        ("uncertainty: {number: 3, vary: [c]}", "f:5: design.uncertainty.vary.0: 'c' states no uncertainty"),
        ("uncertainty: {number: 3, vary: between_lines}", "is none of 'uncertainty'"),
        ("uncertainty: {number: 3}, lines: {number: 2}", "f:5: design: a design has lines or uncertainty, not both"),
        ("uncertainty: {number: 3}, patients: {number: 2}", "a design has patients or uncertainty, not both"),
        ("uncertainty: {number: 3}, cross: {k: [1 1/h]}", "a design has uncertainty, or values crossed"),
    ],
)  # fmt: skip
def test_draws_without_meaning_are_refused(folder: Path, design: str, message: str) -> None:
    text = TEXT.format(folder=folder, more=f"design: {{{design}}}")
    with pytest.raises(ScenarioError, match=message) as caught:
        make_plan(scenario_from_text(text, "f"))
    assert "\n" not in str(caught.value)


def test_draws_are_no_patients(folder: Path) -> None:
    more = "responses: {clinic: {of: A}}"
    with pytest.raises(ScenarioError, match=r"responses: draws .* are no patients"):
        _plan(folder, more=more)


def test_the_command_line_draws_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unsure.yaml"
    path.write_text(TEXT.format(folder=folder, more="regimen: []"))
    assert main(["run", str(path), "--uncertainty", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"number": 8, "seed": 1}.items() <= found["uncertainty"].items()
    half = found["perturbations"]["half"]
    low, high = half["endpoints"]["left"]["interval"]
    assert low < half["endpoints"]["left"]["value"] < high
    assert half["outcome"]["interval"][0] > 1
    assert half["outcome"]["reason"] == "judged draw by draw"
    assert main(["run", str(path), "--uncertainty", "8"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "8 draws of the uncertain numbers (seed 1, the first is typical): medians, and in brackets "
        "5 to 95 % of the draws." in shown
    )
    assert "met: half.left > none.left" in shown


@pytest.mark.parametrize(
    ("more", "number", "message"),
    [
        ("regimen: []", "0", "'--uncertainty': Input should be greater than or equal to 1"),
        ("design: {patients: {number: 3}}", "3", ":5: design: a design has patients or uncertainty"),
    ],
)  # fmt: skip
def test_the_command_line_refuses_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    more: str, number: str, message: str,
) -> None:  # fmt: skip
    path = tmp_path / "unsure.yaml"
    path.write_text(TEXT.format(folder=folder, more=more))
    assert main(["run", str(path), "--uncertainty", number]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert message in line


BLOW_UP = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_uM_hour = litre / (1e-6 mole * 3600 second);
  unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species A in c; A = a;
  a = 1; a has uM;
  k = 0.1; k has per_uM_hour;
  growth: => A; c * k * A * A;
end
"""
ENDS = """\
id: ends
title: a growth that some draws do not survive
model: {folder}
regimen: []
observe: {{every: 1 h, until: 4 h, outputs: [A]}}
endpoints: {{most: {{of: A, take: max}}}}
"""


def test_a_draw_that_fails_is_counted_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["\t".join(COLUMNS)]
    rows += [_row(["c", "1", "L", "volume", "fixed", "", "", ""])]
    rows += [_row(["a", "1", "umol/L", "start", "fixed", "", "", ""])]
    rows += [_row(["k", "0.1", "L/(umol*h)", "growth", "lognormal(gsd=3)", "", "", ""])]
    files = {
        "toy.ant": BLOW_UP,
        "variants.yaml": VARIANTS,
        "parameters.tsv": "\n".join(rows) + "\n",
    }
    folder = write_files(tmp_path / "toy", files)
    scenario = tmp_path / "ends.yaml"
    scenario.write_text(ENDS.format(folder=folder))
    assert main(["run", str(scenario), "--uncertainty", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    drawn = found["uncertainty"]
    # Without bounds within 4 h where k exceeds 0.25 per uM and hour.
    assert 0 < drawn["failed"] < drawn["runs"]
    assert len(drawn["failures"]) == drawn["failed"]
    most = found["perturbations"]["none"]["endpoints"]["most"]
    assert sum(value is None for value in most["values"]) == drawn["failed"]
    assert most["interval"][0] < most["value"] < most["interval"][1]
