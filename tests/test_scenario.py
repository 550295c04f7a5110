"""A scenario file says what it asks, or which of its lines is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myelode.errors import ScenarioError
from myelode.files import parse_yaml
from myelode.library import find_scenario, scenarios
from myelode.scenario import (
    Scenario,
    build_scenario,
    json_schema,
    load_scenario,
    perturbation_names,
    scenario_from_text,
)

TEXT = """\
id: washout
title: Pulse and wash
model: toy
perturbations:
  - none
  - slow
  - {fast: {scale: {k: 2}}}
regimen:
  - {at: 0 h, label: pulse, dose: A, to: 1 uM}
  - {at: 2 h, label: wash, wash: medium, dilute: 1000}
design:
  dose: {of: pulse, from: 0.1 uM, to: 10 uM, points: 5, zero: true}
observe:
  every: 15 min
  until: 24 h
  outputs: [A, B]
endpoints:
  peak: {of: A, take: max}
  late: {of: A, take: value, at: wash + 6 h}
  left: {expr: late / peak}
outcome: {of: peak, resistant_if: fold > 3, reduced_if: fold > 1.5}
rules:
  type:
    - {label: high, if: peak > 2 * reference.peak}
    - {label: low}
expect:
  - none.peak > 0
"""


def _line_of(text: str) -> int:
    """The line of `TEXT` that begins with a text."""
    [number] = [n for n, line in enumerate(TEXT.splitlines(), 1) if line.strip().startswith(text)]
    return number


def _with(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "washout.yaml"
    path.write_text(TEXT, "utf-8")
    return path


def test_a_scenario_is_read_from_a_file(file: Path) -> None:
    scenario = load_scenario(file)
    assert (scenario.id, scenario.model, scenario.reference) == ("washout", "toy", "none")
    assert perturbation_names(scenario) == ["none", "slow", "fast"]
    assert scenario.regimens.keys() == {""}
    assert scenario.design.dose is not None
    assert scenario.design.dose.from_ == "0.1 uM"


def test_arms_are_regimens_by_name() -> None:
    text = (
        "id: a\ntitle: b\nmodel: c\narms: {one: [], two: []}\nobserve: {until: 1 h, outputs: [A]}\n"
    )
    assert scenario_from_text(text).regimens == {"one": [], "two": []}


def test_a_scenario_needs_no_regimen() -> None:
    text = "id: a\ntitle: b\nmodel: c\nobserve: {until: 1 h, outputs: [A]}\n"
    assert scenario_from_text(text).regimens == {"": []}


def test_a_scenario_survives_its_way_through_json() -> None:
    scenario = scenario_from_text(TEXT)
    data = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert scenario_from_text(json.dumps(data)).model_dump() == scenario.model_dump()


MALFORMED = {
    "not_a_mapping": ("- a\n", "f: a scenario is a mapping"),
    "nothing_but_text": ("washout\n", "f: a scenario is a mapping"),
    "missing_model": (_with("model: toy\n", ""), "f:1: model: 'model' is missing"),
    "missing_until": (_with("  until: 24 h\n", ""), "f:13: observe: 'until' is missing"),
    "missing_label_of_a_case": (_with("{label: low}", "{if: peak > 1}"), "'label' is missing"),
    "misspelt_section": (_with("observe:", "obsrve:"), "f:13: obsrve: unknown key 'obsrve': did you mean 'observe'?"),
    "misspelt_key_of_observe": (_with("  every:", "  evry:"), "observe.evry: unknown key 'evry': did you mean 'every'?"),
    "misspelt_key_of_a_step": (_with("dilute:", "dillute:"), "regimen.1.dillute: unknown key 'dillute': did you mean 'dilute'?"),
    "misspelt_key_of_a_ladder": (_with("points: 5", "point: 5"), "design.dose.point: unknown key 'point': did you mean 'points'?"),
    "misspelt_key_of_an_endpoint": (_with("at: wash + 6 h}", "att: wash}"), "unknown key 'att': did you mean 'at'?"),
    "misspelt_key_of_a_case": (_with("{label: low}", "{labl: low}"), "unknown key 'labl': did you mean 'label'?"),
    "misspelt_key_of_the_outcome": (_with("resistant_if", "resistent_if"), "did you mean 'resistant_if'?"),
    "misspelt_take": (_with("take: max", "take: maxx"), "'maxx' is none of 'value', 'max'"),
    "two_verbs": (_with("dilute: 1000", "dilute: 1000, dose: A, to: 1"), "regimen.1: a step has one of dose"),
    "no_verb": (_with("wash: medium, dilute: 1000", "to: 1 uM"), "regimen.1: a step has one of dose"),
    "regimen_and_arms": (_with("regimen:", "arms: {a: []}\nregimen:"), ": arms: a scenario has a regimen, or arms"),
    "no_arms": (_with("regimen:\n", "arms: {}\nregimen:\n"), ": arms: Dictionary should have at least 1 item"),
    "no_outputs": (_with("[A, B]", "[]"), "observe.outputs: List should have at least 1 item"),
    "output_that_is_no_name": (_with("[A, B]", "[A, 2]"), "observe.outputs.1: Input should be a valid string"),
    "perturbation_twice": (_with("  - slow", "  - none"), ":6: perturbations.1: the perturbation 'none' is listed twice"),
    "no_perturbation": (_with("perturbations:\n  - none\n  - slow\n  - {fast: {scale: {k: 2}}}", "perturbations: []"), "at least 1 item"),
    "perturbation_that_is_a_number": (_with("  - slow", "  - 3"), ":6: perturbations.1"),
    "unknown_reference": (_with("outcome:", "reference: slwo\noutcome:"), "reference: 'slwo' is not among the perturbations: did you mean 'slow'?"),
    "outcome_without_its_reference": (_with("  - none\n", ""), "'none' is not among the perturbations"),
    "outcome_of_an_unknown_endpoint": (_with("of: peak, res", "of: paek, res"), "outcome.of: unknown endpoint 'paek': did you mean 'peak'?"),
    "endpoint_in_an_unknown_arm": (_with("take: max}", "take: max, arm: early}"), "endpoints.peak.arm: unknown arm 'early'"),
    "endpoint_with_a_reserved_name": (_with("  peak: {of", "  fold: {of"), "endpoints.fold: 'fold' is a name that the result itself uses"),
    "endpoint_with_a_bad_name": (_with("  late: {of", "  late-one: {of"), "endpoints"),
    "rule_with_the_name_of_an_endpoint": (_with("  type:", "  left:"), "rules.left: 'left' is the name of an endpoint already"),
    "endpoint_of_nothing": (_with("{of: A, take: max}", "{take: max}"), "an endpoint has either of and take, or expr"),
    "endpoint_taken_and_computed": (_with("{expr: late / peak}", "{expr: late, of: A}"), "expr does not take 'of'"),
    "value_without_time": (_with("take: value, at: wash + 6 h", "take: value"), "take: value needs at, the time of reading"),
    "maximum_at_a_time": (_with("take: max}", "take: max, at: 1 h}"), "take: max does not take 'at'"),
    "maximum_above_a_level": (_with("take: max}", "take: max, above: 1 uM}"), "take: max does not take 'above'"),
    "time_to_nothing": (_with("take: max}", "take: time_to}"), "take: time_to needs above or below, the level"),
    "time_to_two_levels": (_with("take: max}", "take: time_to, above: 1 uM, below: 2 uM}"), "take: time_to needs above or below"),
    "time_above_without_level": (_with("take: max}", "take: time_above, below: 1 uM}"), "take: time_above needs above"),
    "ladder_of_both_kinds": (_with("zero: true", "values: [1 uM]"), "a ladder has either values, or from, to and points"),
    "ladder_of_neither_kind": (_with("from: 0.1 uM, ", ""), "a ladder has either values, or from, to and points"),
    "ladder_with_too_many_points": (_with("points: 5", "points: 100000"), "less than or equal to 1000"),
    "dose2_without_dose": (_with("  dose: {of: pulse, from", "  dose2: {of: pulse, from"), "design: dose2 needs dose"),
    "two_ladders_of_one_step": (_with("design:\n", "design:\n  dose2: {of: pulse, values: [1 uM]}\n"), "ladders of two different steps"),
    "zipped_lists_of_unequal_length": (_with("design:\n", "design:\n  zip: {k: [1, 2], q: [1]}\n"), "zipped lists must have one length"),
    "crossed_and_zipped": (_with("design:\n", "design:\n  cross: {k: [1]}\n  zip: {k: [1]}\n"), "'k' is both crossed and zipped"),
    "empty_list_of_values": (_with("design:\n", "design:\n  cross: {k: []}\n"), "at least 1 item"),
    "expression_that_is_none": (_with("expr: late / peak", "expr: late /"), "endpoints.left.expr: 'late /' is not an expression"),
    "expression_that_runs_code": (_with("expr: late / peak", "expr: __import__('os')"), "is not allowed in an expression"),
    "condition_that_is_none": (_with("if: peak > 2 * reference.peak", "if: peak >"), "rules.type.0.if: 'peak >' is not an expression"),
    "outcome_that_is_none": (_with("fold > 1.5", "fold >"), "outcome.reduced_if: 'fold >' is not an expression"),
    "expectation_that_is_none": (_with("none.peak > 0", "none.peak >"), "expect.0: 'none.peak >' is not an expression"),
    "quantity_that_is_a_list": (_with("until: 24 h", "until: [24 h]"), "observe.until: ['24 h'] is not a quantity such as '2 h'"),
    "quantity_that_is_true": (_with("until: 24 h", "until: true"), "observe.until: True is not a quantity"),
    "id_that_is_no_name": (_with("id: washout", "id: wash out"), "f:1: id: String should match pattern"),
    "title_that_is_a_number": (_with("title: Pulse and wash", "title: 3"), "f:2: title: Input should be a valid string"),
    "key_twice": (_with("model: toy", "model: toy\nmodel: toy"), "f:4: found duplicate key"),
    "an_alias": (_with("  - slow", "  - &a slow\n  - *a"), "aliases are not used here"),
}  # fmt: skip


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_file_is_one_line_that_says_where(fault: str) -> None:
    text, message = MALFORMED[fault]
    with pytest.raises(ScenarioError) as caught:
        scenario_from_text(text, "f")
    assert message in str(caught.value)
    assert str(caught.value).startswith("f")
    assert "\n" not in str(caught.value)


def test_a_fault_has_the_line_of_its_key() -> None:
    for old, new in (
        ("    - {label: low}", "    - {labl: low}"),
        ("  every: 15 min", "  evry: 15 min"),
    ):
        with pytest.raises(ScenarioError) as caught:
            scenario_from_text(_with(old, new), "f")
        assert str(caught.value).startswith(f"f:{_line_of(old.strip())}: ")


def test_errors_of_later_work_say_at_which_place_they_arose(file: Path) -> None:
    scenario = load_scenario(file)
    with pytest.raises(ScenarioError) as caught, scenario.at("regimen", 1, "dilute"):
        raise ScenarioError("too little")
    assert str(caught.value) == f"{file}:{_line_of('- {at: 2 h')}: regimen.1.dilute: too little"


def _set(*settings: str) -> Scenario:
    return build_scenario(parse_yaml(TEXT, "f"), settings)


def test_settings_name_values_of_the_model() -> None:
    scenario = _set("k_FA=0.1 1/h", "D50 = 3", "final.k=2", "set.observed=4")
    assert scenario.set == {"k_FA": "0.1 1/h", "D50": 3, "observed": 4}
    assert scenario.final == {"k": 2}


def test_settings_name_places_in_the_file() -> None:
    scenario = _set(
        "observe.until=48 h", "regimen.pulse.to=2 uM", "design.dose.points=9", "endpoints.peak.take=min",
        "perturbations=[none, slow]", "cell_line=U266", "title=Another", "outcome.resistant_if=fold > 2",
    )  # fmt: skip
    assert scenario.observe.until == "48 h"
    assert scenario.regimens[""][0].to == "2 uM"
    assert scenario.design.dose is not None
    assert scenario.design.dose.points == 9
    assert scenario.endpoints["peak"].take == "min"
    assert scenario.perturbations == ["none", "slow"]
    assert (scenario.cell_line, scenario.title) == ("U266", "Another")
    assert scenario.outcome is not None
    assert scenario.outcome.resistant_if == "fold > 2"


def test_settings_reach_into_the_fields_of_a_step() -> None:
    text = "id: a\ntitle: b\nmodel: c\nobserve: {until: 1 h, outputs: [A]}\n"
    text += "regimen: [{at: 0, label: x, set: {k: 1}}]\n"
    scenario = build_scenario(parse_yaml(text, "f"), ["regimen.x.set.k=5"])
    assert scenario.regimens[""][0].set == {"k": 5}


def test_settings_reach_into_arms() -> None:
    text = "id: a\ntitle: b\nmodel: c\nobserve: {until: 1 h, outputs: [A]}\n"
    text += "arms: {one: [{at: 0, label: x, dose: A, to: 1}]}\n"
    scenario = build_scenario(parse_yaml(text, "f"), ["arms.one.x.to=5"])
    assert scenario.regimens["one"][0].to == 5


def test_a_setting_may_fill_a_section_that_is_not_there() -> None:
    text = "id: a\ntitle: b\nmodel: c\nobserve: {until: 1 h, outputs: [A]}\n"
    scenario = build_scenario(
        parse_yaml(text, "f"), ["equilibrate.for=9 h", "design.cross.k=[1, 2]"]
    )
    assert scenario.equilibrate is not None
    assert scenario.equilibrate.for_ == "9 h"
    assert scenario.design.cross == {"k": [1, 2]}


def test_settings_do_not_change_the_file_that_was_read() -> None:
    file = parse_yaml(TEXT, "f")
    build_scenario(file, ["regimen.pulse.to=2 uM", "k=1"])
    assert build_scenario(file).model_dump() == scenario_from_text(TEXT, "f").model_dump()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("k", "--set 'k' is not written path=value"),
        ("k=", "--set 'k=' is not written path=value"),
        ("=3", "--set '=3' is not written path=value"),
        ("observe.untill=3 h", "unknown key 'untill': did you mean 'until'?"),
        ("observe.until.more=3 h", "--set"),
        ("regimen.puls.to=2 uM", "no step is labelled 'puls': did you mean 'pulse'?"),
        ("regimen.pulse=2 uM", "--set regimen.pulse: write regimen.LABEL.FIELD=value"),
        ("regimen.pulse.too=2", "unknown key 'too'"),
        ("set.a.b=2", "--set set.a.b: write set.NAME=value"),
        ("final.a.b=2", "--set final.a.b: write final.NAME=value"),
        ("title.x=2", "--set"),
        ("expect.0=a > 1", "--set"),
        ("k=[1", "--set:1"),
        ("k=a: b: c", "--set:1"),
        ("k=[1, 2]", "is not a quantity such as '2 h'"),
        ("k=true", "is not a quantity such as '2 h'"),
    ],
)
def test_a_setting_without_meaning_is_refused(setting: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        _set(setting)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_schema_knows_every_key_by_its_name_in_the_file() -> None:
    schema = json_schema()
    assert {"id", "observe", "regimen", "expect"} <= schema["properties"].keys()
    definitions = schema["$defs"]
    assert {"for", "until", "dose"} <= definitions["Step"]["properties"].keys()
    assert "from" in definitions["Ladder"]["properties"]
    assert "if" in definitions["Case"]["properties"]


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_every_shipped_scenario_is_valid_and_goes_by_its_own_id(name: str) -> None:
    assert load_scenario(name).id == find_scenario(name).stem
