"""`why`: attributions with known answers, what can be compared, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import myelode
from myelode import why
from myelode.attribution.words import sentences
from myelode.compounds import COLUMNS as COMPOUND_COLUMNS
from myelode.errors import MyelodeError, ScenarioError
from myelode.figures import write_figure
from myelode.figures.waterfall import draw_waterfall
from myelode.outcomes import evaluate
from myelode.parameters import COLUMNS
from myelode.scenario import Scenario, load_scenario
from myelode.simulation import simulate

from .figure_texts import off_the_page, overlapping
from .toys import write_files

# The dose of half is K * efflux / entry; everything else is there to be idle, or to interact.
TOY = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 1; c has volume;
  species drug in c; drug = 0;
  K = 1; K has uM; efflux = 2; entry = 1; idle = 1; slow = 0.5; fast = 0.5; growth = 0;
  efflux has dimensionless; entry has dimensionless; idle has dimensionless;
  slow has dimensionless; fast has dimensionless; growth has dimensionless;
  left := 1 / (1 + drug * entry / (K * efflux)); left has dimensionless;
  mixed := efflux * entry + 10 * slow; mixed has dimensionless;
  grown := growth; grown has dimensionless; made := K * efflux; made has uM;
end
"""
UNITS = {"c": "L", "K": "umol/L"}
VALUES = {"c": 1, "K": 1, "efflux": 2, "entry": 1, "idle": 1, "slow": 0.5, "fast": 0.5, "growth": 0}
SHARES = ("slow", "fast")
TEXT = """\
id: gap
title: where a gap comes from
model: toy
perturbations:
  - none
  - pumped: {scale: {efflux: 8, entry: 0.25, idle: 3}}
  - closed: {scale: {entry: 0.5}}
  - shut: {set: {entry: 0}}
  - shared: {set: {slow: 0.9, fast: 0.1}}
  - same: {scale: {idle: 2}}
  - much: {scale: {efflux: 3, entry: 2}, set: {slow: 0.9, fast: 0.1}}
regimen:
  - {at: 0 h, label: pulse, dose: drug, to: 3 umol/L}
design: {dose: {of: pulse, from: 0.01 umol/L, to: 1000 umol/L, points: 9, zero: true}}
observe: {until: 1 h, outputs: [left, mixed, grown]}
endpoints:
  ic50: {of: left, take: ic50, at: 1 h}
  level: {of: mixed, take: value, at: 1 h, dose: 0 umol/L}
  grown: {of: grown, take: value, at: 1 h, dose: 0 umol/L}
  curve: {of: left, take: value, at: 1 h}
  doubled: {expr: 2 * level}
  beside: {expr: level / none.level}
"""
ARMS = """\
arms:
  low:
    - {at: 0 h, label: pulse, dose: drug, to: 3 umol/L}
  high:
    - {at: 0 h, label: pulse, dose: drug, to: 9 umol/L}
    - {at: 0 h, label: shut, set: {entry: 0.5}}
"""
SOURCE = """\
id: source
title: where a dose comes from
model: toy
perturbations: [none, {pumped: {scale: {efflux: 8}}}]
observe: {until: 1 h, outputs: [made]}
endpoints: {made: {of: made, take: value, at: 1 h}}
"""
Load = Callable[..., Scenario]


def _table(columns: tuple[str, ...], rows: list[dict[str, object]]) -> str:
    plain = {"meaning": "what it means", "evidence": "assumed", "read": "no", "note": "a test"}
    lines = [[str({**plain, **row}.get(name, "")) for name in columns] for row in rows]
    return "\n".join("\t".join(line) for line in [list(columns), *lines]) + "\n"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the scenario, with settings; the model has a compound and a cell line too."""
    rows: list[dict[str, object]] = [
        {"name": name, "value": value, "unit": UNITS.get(name, "1"),
         "uncertainty": "dirichlet:parts" if name in SHARES else "fixed"}
        for name, value in VALUES.items() if name != "K"
    ]  # fmt: skip
    compounds: list[dict[str, object]] = [
        {"compound": who, "name": "K", "value": value, "unit": "umol/L", "uncertainty": "fixed"}
        for who, value in (("old", 1), ("new", 0.1))
    ]
    files = {
        "toy.ant": TOY,
        "variants.yaml": "only: {title: toy, parts: [toy.ant]}\n",
        "parameters.tsv": _table(COLUMNS, rows),
        "compounds.yaml": "default: old\ncompounds: {old: {title: Old}, new: {title: New}}\n",
        "compounds.tsv": _table(COMPOUND_COLUMNS, compounds),
        "cell_lines.yaml": "tight: {set: {entry: 0.5, efflux: 4}}\nopen: {set: {entry: 2}}\n",
    }
    folder = write_files(tmp_path / "toy", files)
    path = tmp_path / "gap.yaml"
    path.write_text(TEXT.replace("model: toy", f"model: {folder}"))

    def scenario(*settings: str) -> Scenario:
        return load_scenario(path, settings)

    return scenario


def _shares(found: xr.Dataset, name: str = "shapley") -> dict[str, float]:
    return dict(zip(found["parameter"].values, found[name].values.tolist(), strict=True))


def test_shares_of_a_log_additive_dose_are_logarithms_of_the_factors(load: Load) -> None:
    found = why(load(), "none", "pumped", "ic50")
    shares = _shares(found)
    assert shares["efflux"] == pytest.approx(math.log(8) / math.log(32), rel=1e-7)
    assert shares["entry"] == pytest.approx(math.log(4) / math.log(32), rel=1e-7)
    assert shares["idle"] == pytest.approx(0, abs=1e-9)
    assert float(found["gap"]) == pytest.approx(math.log10(32), rel=1e-7)
    assert (found.attrs["scale"], found.attrs["method"]) == ("log", "exact")
    assert abs(float(found["interaction"])) < 1e-7
    assert list(found["parameter"].values) == ["efflux", "entry", "idle"]
    assert found.attrs["evidence"] == "assumed"


def test_ends_are_what_the_scenario_gives_by_itself(load: Load) -> None:
    found, result = why(load(), "none", "pumped", "ic50"), evaluate(simulate(load()))
    for name, perturbation in (("value_from", "none"), ("value_to", "pumped")):
        whole = float(result["ic50"].sel(perturbation=perturbation))
        assert float(found[name]) == pytest.approx(whole, rel=1e-12)


def test_a_product_on_a_linear_scale_interacts(load: Load) -> None:
    found = why(load(), "none", "much", "level", scale="linear")
    # 2 * 1 becomes 6 * 2, with 10 * 0.4 beside it: 4 from one, 2 from the other, 4 from both.
    assert _shares(found, "step") == pytest.approx({"efflux": 6, "entry": 4, "fast + slow": 4})
    assert _shares(found, "alone")["efflux"] == pytest.approx(4 / 14)
    assert _shares(found, "last")["efflux"] == pytest.approx(8 / 14)
    assert float(found["interaction"]) == pytest.approx(1 - 10 / 14)
    assert float(found["interaction_back"]) == pytest.approx(1 - 18 / 14)
    assert math.fsum(found["shapley"].values) == pytest.approx(1, rel=1e-12)


def test_both_directions_have_the_same_shares(load: Load) -> None:
    there, back = (
        _shares(why(load(), *sides, "level")) for sides in (("none", "much"), ("much", "none"))
    )
    assert there == pytest.approx(back)


def test_shares_of_a_whole_are_exchanged_together(load: Load) -> None:
    found = why(load(), "none", "shared", "level")
    assert _shares(found) == pytest.approx({"fast + slow": 1})


def test_perturbations_may_be_combined(load: Load) -> None:
    found = why(load(), "none", "pumped + closed", "ic50")
    assert _shares(found)["entry"] == pytest.approx(math.log(8) / math.log(64))


def test_compounds_are_compared_in_their_numbers(load: Load) -> None:
    assert _shares(why(load(), "old", "new", "ic50")) == pytest.approx({"K": 1})
    listed = load("compounds=[old, new]")
    found = why(listed, "none", "pumped", "ic50", compound="new")
    assert float(found["value_from"]) == pytest.approx(0.2)
    with pytest.raises(ScenarioError, match="choose one with --compound: old, new"):
        why(listed, "none", "pumped", "ic50")


def test_cell_lines_and_settings_are_sides_too(load: Load) -> None:
    found = why(load(), "tight", "open", "ic50")
    assert _shares(found) == pytest.approx({"entry": 2 / 3, "efflux": 1 / 3}, rel=1e-7)
    again = why(load(), "cell_line=tight", "cell_line=open", "ic50")
    assert _shares(again) == _shares(found)
    assert _shares(why(load(), "none", "entry=0.25", "ic50")) == pytest.approx({"entry": 1})
    kept = why(load("efflux=4"), "entry=1", "entry=0.25", "ic50", perturbation="closed")
    assert float(kept["value_from"]) == pytest.approx(8)


def test_arms_are_compared_in_their_steps(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "gap.yaml"
    text = path.read_text()
    start, end = text.index("regimen:"), text.index("observe:")
    path.write_text(text[:start] + ARMS + text[end:])
    only = "endpoints={curve: {of: left, take: value, at: 1 h}}"
    found = why(load(only), "low", "high", "curve", scale="log")
    assert set(_shares(found)) == {"pulse", "shut"}
    # 1 / (1 + x / 2) at a dose of 3 or 9, and an entry of 1 or a half.
    game = {
        (dose, entry): math.log10(1 / (1 + dose * entry / 2))
        for dose in (3, 9)
        for entry in (1, 0.5)
    }
    pulse = 0.5 * (game[9, 1] - game[3, 1] + game[9, 0.5] - game[3, 0.5])
    assert _shares(found, "step")["pulse"] == pytest.approx(pulse)
    assert list(found["from"].values[found["parameter"].values == "shut"]) == ["nothing"]
    parts = ("low", "high", "both: {expr: high - low}")
    ends = [f"{arm}: {{of: left, take: value, at: 1 h, arm: {arm}}}" for arm in parts[:2]]
    several = load(f"endpoints={{{', '.join([*ends, parts[2]])}}}")
    assert _shares(why(several, "none", "closed", "both")) == {"entry": 1}
    with pytest.raises(ScenarioError, match="exchanged within one arm"):
        why(several, "idle=1", "arms.low.pulse.to=5 uM", "both")


def test_a_number_of_another_scenario_is_exchanged_like_a_value(load: Load, tmp_path: Path) -> None:
    (tmp_path / "source.yaml").write_text(SOURCE.replace("model: toy", f"model: {load().model}"))
    taken = "inputs={level: {from: ./source.yaml, of: made}}", "regimen.pulse.to=level"
    only = "endpoints={left: {of: left, take: value, at: 1 h}}"
    found = why(load(*taken, "design={}", only), "none", "pumped", "left")
    # 1 / (1 + 2 / 2) becomes 1 / (1 + 16 * 0.25 / 16); the dose alone makes it 1 / (1 + 16 / 2).
    assert float(found["gap"]) == pytest.approx(0.8 - 0.5)
    assert _shares(found, "alone")["level"] == pytest.approx((1 / 9 - 0.5) / 0.3)
    at = list(found["parameter"].values).index("level")
    assert (found["from"].values[at], found["to"].values[at]) == ("2 umol/L", "16 umol/L")


def test_what_is_never_reached_has_a_scale_of_its_own(load: Load) -> None:
    with pytest.raises(
        ScenarioError, match=r"is not reached up to 1 mM for shut: no log gap; try --scale inverse"
    ):
        why(load(), "none", "shut", "ic50")
    found = why(load(), "none", "shut", "ic50", scale="inverse")
    assert float(found["gap"]) == pytest.approx(-0.5)
    assert float(found["value_to"]) == math.inf


def test_more_than_ten_parameters_are_sampled_alike_in_any_order(
    load: Load, tmp_path: Path
) -> None:
    names = [f"p{number}" for number in range(12)]
    declared = "\n".join(f"  {name} = 1;" for name in names)
    path = tmp_path / "many.ant"
    product = " * ".join(names)
    path.write_text(f"model many()\n{declared}\n  y := {product};\nend\n")
    head = f"id: many\ntitle: many\nmodel: {path}\n"
    tail = "observe: {until: '1', outputs: [y]}\nendpoints: {y: {of: y, take: max}}\n"
    found = []
    for order in (names, names[::-1]):
        scales = ", ".join(f"{name}: {2 + names.index(name)}" for name in order)
        scenario = tmp_path / "many.yaml"
        scenario.write_text(
            f"{head}perturbations: [none, {{all: {{scale: {{{scales}}}}}}}]\n{tail}"
        )
        found.append(why(str(scenario), "none", "all", "y", scale="log", orders=4))
    assert found[0].identical(found[1])
    assert found[0].attrs["method"] == "sampled"
    whole = math.log(math.prod(range(2, 14)))
    assert _shares(found[0])["p3"] == pytest.approx(math.log(5) / whole)
    assert found[0]["standard_error"].max() < 1e-9
    with pytest.raises(ScenarioError, match="orders must be even"):
        why(str(scenario), "none", "all", "y", orders=3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("none", "none", "ic50"), "nothing differs"),
        (("none", "pump", "ic50"), "'pump' is no perturbation, arm, compound or cell line: .*'pumped'"),
        (("none", "new", "ic50"), "'none' is a perturbation and 'new' is a compound"),
        (("none", "pumped", "ic5"), "unknown endpoint 'ic5': did you mean 'ic50'"),
        (("none", "same", "ic50"), "there is no gap: the endpoint is 2 umol/L on both sides"),
        (("none", "efflux=2", "ic50"), "do not differ in any value or step"),
        (("none", "regimen=[]", "level"), "differ in 'design'|no dose is labelled"),
        (("none", "observe.until=2 h", "level"), "differ in 'observe': only values and steps"),
        (("none", "pumped", "curve"), "'curve' has a value for each dose"),
        (("none", "pumped", "beside"), "takes 'none.level' from elsewhere"),
        (("none", "pumped", "grown"), "no gap"),
        (("none", "k=", "ic50"), "not written path=value"),
        (("none", "nothing=1", "ic50"), "unknown name 'nothing'"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_in_one_line(
    load: Load, asked: tuple[str, str, str], message: str
) -> None:
    with pytest.raises(MyelodeError, match=message) as caught:
        why(load(), *asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "cubic"}, "unknown scale 'cubic'"),
        ({"arm": "early"}, "has no arms"),
        ({"compound": "new"}, "lists no compounds"),
        ({"perturbation": "closed"}, "--perturbation has no place where two of a kind"),
    ],
)
def test_options_without_meaning_are_refused(
    load: Load, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        why(load(), "none", "pumped", "ic50", **options)  # type: ignore[arg-type]


def test_virtual_lines_are_left_out_and_crossed_values_refused(load: Load) -> None:
    only = "endpoints={level: {of: mixed, take: value, at: 1 h}}"
    lines = load("design={lines: {number: 3}}", only)
    assert any(
        "typical one of the virtual cell lines" in x
        for x in sentences(why(lines, "none", "much", "level"))
    )
    crossed = load("design={cross: {idle: [1, 2]}}")
    with pytest.raises(ScenarioError, match="crosses values"):
        why(crossed, "none", "pumped", "level")


def test_it_is_said_in_words(load: Load) -> None:
    lines = list(sentences(why(load(), "none", "pumped", "ic50")))
    assert lines[0] == "ic50: 2 umol/L with none, 64 umol/L with pumped, 32 times as much."
    assert lines[1] == "60 % of the gap is efflux (2 to 16), a factor of 8."
    assert lines[2] == "40 % of the gap is entry (1 to 0.25), a factor of 4."
    assert "add up to the whole gap" in lines[4]
    lines = list(sentences(why(load(), "none", "much", "level", scale="linear")))
    assert any("29 % of the gap is interaction" in line for line in lines)
    against = list(sentences(why(load(), "none", "entry=4", "ic50")))
    assert against[1].startswith("100 % of the gap is entry")


def test_the_figure_can_be_read(load: Load, tmp_path: Path) -> None:
    for asked in (
        ("pumped", "ic50", "auto"),
        ("much", "level", "linear"),
        ("shut", "ic50", "inverse"),
    ):
        figure = draw_waterfall(why(load(), "none", *asked[:2], scale=asked[2]))
        assert overlapping(figure) == []
        assert off_the_page(figure) == []
    for name in ("a.png", "b.png"):
        write_figure(figure, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_shipped_gap_is_divided_whole() -> None:
    found = myelode.why(
        "ic50_melflufen_pulse", "none", "peptidase_and_esterase_low", "ic50", engine="roadrunner"
    )
    assert np.isfinite(found["shapley"].values).all()
    assert math.fsum(found["shapley"].values) == pytest.approx(1, abs=1e-9)
