"""Who sets a value: precedence, combination, and the files that name perturbations and cell lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ModelError, ScenarioError
from myelode.library import models
from myelode.model import Model, load_model, model_from_sbml
from myelode.model_folder import read_variants
from myelode.perturbations import (
    NO_PERTURBATION,
    Perturbation,
    cell_lines,
    combine,
    find_perturbation,
    perturbations,
    read_changes,
)
from myelode.precedence import resolve
from myelode.sbml import from_antimony

TEXT = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second); unit uM = 1e-6 mole / litre;
  compartment c = 2; c has volume;
  species S in c, T in c; S = 3; T = k_out * half;
  k_in = 0.5; k_in has per_hour;
  k_out = 0.25; k_out has per_hour;
  share = 0.1; share has dimensionless;
  half = 4; unit uM_hour = uM * 3600 second; half has uM_hour;
  total := S + T; total has uM;
  J: S -> T; c * k_in * S;
end
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return model_from_sbml(from_antimony(TEXT, "toy"), "toy", "toy")


def _in_folder(tmp_path: Path, model: Model, **files: str) -> Model:
    """The model with perturbation and cell line files beside it."""
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "variants.yaml").write_text(
        "toy: {parts: [toy.ant]}\nother: {parts: [other.ant]}\n"
    )
    (tmp_path / "toy.ant").write_text(TEXT)
    (tmp_path / "other.ant").write_text("// k_unknown\nk_other = 1\n")
    return Model("toy", "toy", "toy", model.sbml, {}, folder=tmp_path)


def test_later_layers_win_and_scales_multiply_what_stands(model: Model) -> None:
    line = Perturbation("line", set={"k_in": 1.0}, scale={"k_out": 2.0})
    change = Perturbation("change", set={"share": 0.5}, scale={"k_in": 3.0, "k_out": 10.0})
    base, final = {"k_in": 4.0, "share": 0.2}, {"c": 7.0, "share": 0.9}
    found = resolve(model, line, base, change, final)
    assert found.changes == {"k_in": 12.0, "k_out": 5.0, "share": 0.9, "c": 7.0}
    assert found.origins["k_in"] == (
        "cell line line: = 1",
        "base value: = 4",
        "perturbation change: x 3",
    )
    assert found.origins["share"][-1] == "final value: = 0.9"


def test_nothing_is_changed_where_nothing_is_said(model: Model) -> None:
    assert resolve(model, None, {}, NO_PERTURBATION, {}).changes == {}


@given(
    line=st.floats(0.1, 10), base=st.none() | st.floats(0.1, 10), scale=st.floats(0, 10),
    final=st.none() | st.floats(0.1, 10),
)  # fmt: skip
def test_precedence_is_one_chain(
    model: Model, line: float, base: float | None, scale: float, final: float | None
) -> None:
    found = resolve(
        model,
        Perturbation("line", scale={"k_in": line}),
        {} if base is None else {"k_in": base},
        Perturbation("change", scale={"k_in": scale}),
        {} if final is None else {"k_in": final},
    )
    expected = 0.5 * line if base is None else base
    assert found.changes["k_in"] == pytest.approx(expected * scale if final is None else final)


def test_scales_multiply_in_a_combination(model: Model) -> None:
    one = Perturbation(
        "one", scale={"k_in": 2.0}, set={"share": 0.3}, title="First", evidence="measured"
    )
    other = Perturbation("other", scale={"k_in": 5.0, "k_out": 0.0})
    both = combine("one + other", [one, other])
    assert both.scale == {"k_in": 10.0, "k_out": 0.0}
    assert both.set == {"share": 0.3}
    assert (both.title, both.evidence) == ("First and other", "assumed")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Perturbation("a", set={"k": 1}), Perturbation("b", set={"k": 1})),
        (Perturbation("a", set={"k": 1}), Perturbation("b", scale={"k": 1})),
        (Perturbation("a", scale={"k": 1}), Perturbation("b", set={"k": 1})),
    ],
)
def test_a_setting_meets_no_other_change_in_a_combination(
    one: Perturbation, other: Perturbation
) -> None:
    with pytest.raises(
        ScenarioError, match="'a \\+ b': 'k' is set by one part and changed by another"
    ):
        combine("a + b", [one, other])


def test_combinations_are_written_with_a_plus(model: Model) -> None:
    known = {
        "none": NO_PERTURBATION,
        "a": Perturbation("a", scale={"k_in": 2.0}),
        "b": Perturbation("b", scale={"k_in": 3.0}),
    }
    assert find_perturbation(model, "a", known) is known["a"]
    assert find_perturbation(model, "a+b", known).scale == {"k_in": 6.0}
    assert find_perturbation(model, "none + a", known).scale == {"k_in": 2.0}
    with pytest.raises(ScenarioError, match="unknown perturbation 'aa' of toy: did you mean 'a'"):
        find_perturbation(model, "aa + b", known)
    with pytest.raises(ScenarioError, match="'a \\+ a' names a perturbation twice"):
        find_perturbation(model, "a + a", known)
    with pytest.raises(ScenarioError, match="unknown perturbation ''"):
        find_perturbation(model, "a +", known)


def test_quantities_are_converted_to_the_units_of_the_model(model: Model) -> None:
    found = read_changes(
        model, "x", {"set": {"k_in": "0.02 1/min", "S": "3000 nM", "share": 0.5}, "scale": {"c": 2}}
    )
    assert found.set == {"k_in": pytest.approx(1.2), "S": pytest.approx(3.0), "share": 0.5}
    assert found.scale == {"c": 2.0}
    assert found.evidence == "assumed"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "must have set: or scale:"),
        ("k_in", "must have set: or scale:"),
        ({"sett": {}}, "unknown key 'sett': did you mean 'set'"),
        ({"set": ["k_in"]}, "set maps names to values"),
        ({"scale": 2}, "scale maps names to values"),
        ({"set": {"k_inn": 1}}, "unknown name 'k_inn' in model toy: did you mean 'k_in'"),
        ({"scale": {"k_inn": 1}}, "unknown name 'k_inn'"),
        ({"set": {"k_in": 0.5}}, "k_in needs a unit: write '0.5 1/h'"),
        ({"set": {"k_in": "0.5 h"}}, "k_in is in 'h', which cannot be converted to '1/h'"),
        ({"set": {"total": "1 uM"}}, "'total' is computed by the model and cannot be set"),
        ({"set": {"J": "1 umol/h"}}, "'J' is computed by the model and cannot be set"),
        ({"scale": {"T": 2}}, "'T' is computed by the model and cannot be scaled"),
        ({"scale": {"total": 2}}, "'total' is computed by the model and cannot be scaled"),
        ({"scale": {"k_in": "2 1/h"}}, "the factor for 'k_in' must be a plain number"),
        ({"scale": {"k_in": True}}, "is not a quantity"),
        ({"scale": {"k_in": -1}}, "the factor for 'k_in' must be a plain number"),
        ({"scale": {"k_in": float("nan")}}, "is not a quantity"),
        ({"set": {"share": float("inf")}}, "is not a quantity"),
        ({"set": {"share": 1}, "scale": {"share": 2}}, "'x' both sets and scales 'share'"),
        ({"evidence": "sure"}, "evidence 'sure' is none of measured"),
    ],
)
def test_a_change_without_meaning_is_refused(model: Model, data: object, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_changes(model, "x", data)
    assert message in str(caught.value)


def test_a_computed_initial_value_can_be_set_but_not_scaled(model: Model) -> None:
    assert read_changes(model, "x", {"set": {"T": "2 uM"}}).set == {"T": pytest.approx(2.0)}


def test_files_name_perturbations_and_cell_lines(model: Model, tmp_path: Path) -> None:
    here = _in_folder(
        tmp_path, model,
        perturbations="low: {title: Low, scale: {k_in: 0.1}, evidence: measured, source: Author}\n",
        cell_lines="NO: {set: {share: 0.2}}\n",
    )  # fmt: skip
    assert list(perturbations(here)) == ["none", "low"]
    assert perturbations(here)["low"].evidence == "measured"
    assert cell_lines(here)["NO"].set == {"share": 0.2}


def test_a_model_without_files_has_no_perturbation_but_none(model: Model) -> None:
    assert list(perturbations(model)) == ["none"]
    assert cell_lines(model) == {}


def test_what_concerns_another_variant_is_left_out(model: Model, tmp_path: Path) -> None:
    text = "here: {scale: {k_in: 2}}\nthere: {scale: {k_other: 2}}\n"
    assert list(perturbations(_in_folder(tmp_path, model, perturbations=text))) == ["none", "here"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "perturbations.yaml: must map names to their changes"),
        ("a: {scale: {k_in: 2}}\nb: {scale: {k_unknown: 2}}\n", "perturbations.yaml:2: b: unknown name 'k_unknown'"),
        ("a: {}\nnone: {}\n", ":2: none: 'none' cannot be the name"),
        ("a + b: {}\n", "'a + b' cannot be the name"),
        ("1: {}\n", "1 cannot be the name"),
        ("a: {set: [k_in]}\n", "a: set maps names to values"),
        ("a: {}\na: {}\n", "duplicate key"),
    ],
)  # fmt: skip
def test_a_fault_in_a_file_has_its_line(
    model: Model, tmp_path: Path, text: str, message: str
) -> None:
    here = _in_folder(tmp_path, model, perturbations=text)
    with pytest.raises(ModelError) as caught:
        perturbations(here)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", sorted(models()))
def test_every_shipped_perturbation_and_cell_line_can_be_applied(name: str) -> None:
    for variant in read_variants(models()[name]):
        shipped = load_model(name, variant)
        for change in (*perturbations(shipped).values(), *cell_lines(shipped).values()):
            assert (
                resolve(shipped, None, {}, change, {}).changes.keys()
                == change.set.keys() | change.scale.keys()
            )
