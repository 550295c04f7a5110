"""Variants: one at a time, with a reason where two exclude one another; names of another variant.

Two kinetics of one drug, of which a scenario has one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from myelode.errors import ModelError, MyelodeError
from myelode.files import parse_yaml
from myelode.model import load_model
from myelode.model_folder import read_variants
from myelode.plan import make_plan
from myelode.scenario import Scenario, build_scenario

from .toys import write_files

UNITS = """
unit time_unit = 3600 second; unit substance = 1e-9 mole; unit extent = 1e-9 mole;
unit volume = 1 litre; unit per_hour = 1 / (3600 second);
"""
SHARED = "compartment plasma = 3; plasma has volume; species drug in plasma; drug = 0;\n"
FAST = "k_fast = 2; k_fast has per_hour; clear: drug -> ; plasma * k_fast * drug;\n"
SLOW = "k_slow = 1; k_slow has per_hour; clear: drug -> ; plasma * k_slow * drug;\n"
TABLE = """\
name	value	unit	meaning	uncertainty	between_patients	between_lines	range	evidence	read	source	note
plasma	3	L	volume	fixed				assumed	no		a guess
k_fast	2	1/h	clearance	fixed				assumed	no		a guess
k_slow	1	1/h	clearance	fixed				assumed	no		a guess
"""
FILES = {
    "variants.yaml": (
        "fast: {parts: [shared.ant, fast.ant], default: true, "
        "excludes: {slow: the drug leaves\n    in one way}}\n"
        "slow: {parts: [shared.ant, slow.ant]}\n"
        "still: {parts: [shared.ant]}\n"
    ),
    "shared.ant": UNITS + SHARED,
    "fast.ant": FAST,
    "slow.ant": SLOW,
    "parameters.tsv": TABLE,
    "perturbations.yaml": "slower: {title: t, scale: {k_slow: 0.5}}\n",
    "cell_lines.yaml": "lazy: {title: t, set: {k_slow: 0.1 1/h}}\n",
    "regimens.yaml": (
        "one: {title: t, status: approved, status_date: '2026', evidence: assumed, "
        "variants: [slow], steps: [{at: 0 h, dose: drug, to: 1 nM}]}\n"
    ),
}
SCENARIO = """\
id: toy
title: toy
model: {model}
regimen: [{{at: 0 h, dose: drug, to: 1 nM}}]
observe: {{every: 1 h, until: 2 h, outputs: [drug]}}
"""
EXCLUDED = "exclude one another: the drug leaves in one way; name one"
Makes = Callable[..., Scenario]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "toy", FILES)


@pytest.fixture
def scenario(folder: Path) -> Makes:
    def make(more: str, *settings: str) -> Scenario:
        text = SCENARIO.format(model=folder) + more
        return build_scenario(parse_yaml(text, "toy.yaml"), settings)

    return make


def _message(act: Callable[[], object]) -> str:
    with pytest.raises(MyelodeError) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "settings", "place", "pair"),
    [
        ("variant: [fast, slow]\n", (), "toy.yaml:6: variant: ", "'fast' and 'slow'"),
        ("variant: fast + slow\n", (), "toy.yaml:6: variant: ", "'fast' and 'slow'"),
        ("variant: [slow, still, fast]\n", (), "toy.yaml:6: variant: ", "'slow' and 'fast'"),
        ("", ("variant=slow + fast",), "toy.yaml:1: variant: ", "'slow' and 'fast'"),
        ("", ("variant=[slow, fast]",), "toy.yaml:1: variant: ", "'slow' and 'fast'"),
    ],
)
def test_two_variants_that_exclude_one_another_are_refused_with_the_reason(
    scenario: Makes, more: str, settings: tuple[str, ...], place: str, pair: str
) -> None:
    found = _message(lambda: make_plan(scenario(more, *settings)))
    assert found == f"{place}{pair} {EXCLUDED}"


def test_two_other_variants_are_refused_too(scenario: Makes) -> None:
    found = _message(lambda: make_plan(scenario("variant: [fast, still]\n")))
    assert found.endswith("variant: a scenario has one variant: name 'fast' or 'still'")


def test_one_variant_twice_is_one(scenario: Makes) -> None:
    assert make_plan(scenario("variant: [slow, slow]\n")).model.variant == "slow"
    assert make_plan(scenario("variant: [slow]\n")).model.variant == "slow"


def test_a_misspelt_one_of_two_is_named(scenario: Makes) -> None:
    found = _message(lambda: make_plan(scenario("variant: fast + slaw\n")))
    assert found.endswith("model toy has no variant 'slaw': did you mean 'slow'?")


@pytest.mark.parametrize("wanted", ["fast + slow", "slow+fast"])
def test_a_model_is_of_one_variant(folder: Path, wanted: str) -> None:
    assert EXCLUDED in _message(lambda: load_model(folder, wanted))


def test_a_named_regimen_does_not_hide_the_reason(folder: Path, scenario: Makes) -> None:
    for setting in ("variant=fast + slow", "variant=[fast, slow]"):
        found = _message(lambda text=setting: scenario("", "regimen=one", text))
        assert found == f"toy.yaml:1: variant: 'fast' and 'slow' {EXCLUDED}"


@pytest.mark.parametrize(
    ("excludes", "message"),
    [
        ("{slaw: because}", "fast.excludes.slaw: no other variant 'slaw': did you mean 'slow'?"),
        ("{fast: because}", "fast.excludes.fast: no other variant 'fast'"),
        ("{slow: ''}", "fast.excludes.slow: must be a text"),
        ("{slow: 3}", "fast.excludes.slow: must be a text"),
        ("[slow]", "fast.excludes: must map names to names"),
    ],
)
def test_what_is_excluded_is_another_variant_with_a_reason(
    folder: Path, excludes: str, message: str
) -> None:
    text = f"fast: {{parts: [fast.ant], excludes: {excludes}}}\nslow: {{parts: [slow.ant]}}\n"
    (folder / "variants.yaml").write_text(text, "utf-8")
    with pytest.raises(ModelError) as caught:
        read_variants(folder)
    assert message in str(caught.value)


HERE = "'k_slow' is a constant of variant 'slow', not of 'fast'"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("set: {k_slow: 2 1/h}\n", f"toy.yaml:6: set.k_slow: {HERE}"),
        ("final: {k_slow: 2 1/h}\n", f"toy.yaml:6: final.k_slow: {HERE}"),
        ("perturbations: [none, p: {scale: {k_slow: 2}}]\n", f"perturbations.1: {HERE}"),
        ("perturbations: [slower]\n", f"unknown perturbation 'slower' of toy: {HERE}"),
        ("cell_line: lazy\n", f"cell_line: unknown cell line 'lazy': {HERE}"),
        ("design: {cross: {k_slow: [2 1/h]}}\n", f"design.cross.k_slow: {HERE}"),
        ("variant: still\nset: {clear: 2}\n", "'clear' is a reaction of variant 'fast' and 'slow'"),
        ("set: {k_slaw: 2 1/h}\n", "unknown name 'k_slaw' in model toy"),
    ],
)
def test_a_name_of_another_variant_is_known_there(scenario: Makes, more: str, message: str) -> None:
    text = more.replace("p: {scale: {k_slow: 2}}", "{p: {scale: {k_slow: 2}}}")
    assert message in _message(lambda: make_plan(scenario(text)))


def test_a_setting_of_another_variant_says_so(scenario: Makes) -> None:
    found = _message(lambda: make_plan(scenario("", "k_slow=2 1/h")))
    assert found == f"--set k_slow: {HERE}"


def test_a_fault_of_another_variant_does_not_hide_what_is_wrong_here(
    folder: Path, scenario: Makes
) -> None:
    (folder / "slow.ant").write_text(SLOW + "k_slow = 3; nonsense(", "utf-8")
    found = _message(lambda: make_plan(scenario("set: {k_slow: 2 1/h}\n")))
    assert "unknown name 'k_slow'" in found
