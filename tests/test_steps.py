"""One line of a regimen: what it takes, and when it happens."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from myelode.errors import ScenarioError
from myelode.model import Model, model_from_sbml
from myelode.regimens.doses import bolus_sizes, dose_unit, infusion_size, with_size
from myelode.regimens.steps import Context, Step, label_times, resolve_time
from myelode.regimens.timeline import just_before
from myelode.sbml import from_antimony

TEXT = """
model toy()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1 / (3600 second);
  compartment medium = 4; medium has volume;
  compartment cells = medium * share; cells has volume; share = 0.01; share has dimensionless;
  compartment swelling = 1; swelling has volume;
  swelling' = grows; unit litre_per_hour = litre / (3600 second); grows = 0; grows has litre_per_hour;
  species A in medium, B in cells, C in swelling; substanceOnly species ledger in medium;
  A = 0; B = 0; C = 0; ledger = 0;
  k = 0.5; k has per_hour;
  J: A -> B; medium * k * A;
end
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return model_from_sbml(from_antimony(TEXT, "toy"), "toy", "toy")


@pytest.fixture(scope="module")
def context(model: Model) -> Context:
    return Context(model)


def _step(**fields: object) -> Step:
    return Step.model_validate({"at": "0 h", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"dose": "A", "to": "1 uM"},
        {
            "dose": "A",
            "add": "1 uM",
            "every": "1 h",
            "times": 3,
            "lag": "5 min",
            "bioavailability": 0.5,
        },
        {"dose": "A", "amount": "1 umol", "every": "1 d", "steady_state": True},
        {"infuse": "A", "amount": "1 umol", "over": "1 h"},
        {"infuse": "A", "rate": "1 umol/h", "over": "1 h"},
        {"infuse": "A", "rate": "1 umol/h", "amount": "1 umol"},
        {"infuse": "A", "rate": "1 umol/h", "steady_state": True},
        {"wash": "medium", "dilute": 1000, "times": 3},
        {"renew": "medium", "fraction": 0.5},
        {"renew": "medium", "fresh": {"A": "1 uM"}},
        {"set": {"k": "1 1/h"}},
        {"set": {"k": "1 1/h"}, "for": "1 h"},
        {"set": {"k": "1 1/h"}, "until": "wash"},
        {"reset": True},
    ],
)
def test_a_step_has_one_verb_and_its_fields(fields: dict[str, object]) -> None:
    assert _step(**fields).verb in fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a step has one of dose, infuse, wash, renew, set, reset: none is given"),
        ({"dose": "A", "to": 1, "wash": "medium", "dilute": 2}, "not dose and wash together"),
        ({"dose": "A"}, "a dose has one of to, add, amount"),
        ({"dose": "A", "to": 1, "add": 1}, "a dose has one of to, add, amount, not to and add"),
        ({"dose": "A", "to": 1, "over": "1 h"}, "dose does not take 'over': it takes add, amount"),
        ({"dose": "A", "to": 1, "bioavailability": 0.5}, "a dose to a level takes no bioavailability"),
        ({"dose": "A", "to": 1, "steady_state": True, "every": 1}, "a dose to a level takes no"),
        ({"dose": "A", "add": 1, "times": 3}, "times needs every"),
        ({"dose": "A", "add": 1, "every": "1 h"}, "every needs times"),
        ({"dose": "A", "add": 1, "steady_state": True}, "steady_state needs every"),
        ({"infuse": "A", "amount": 1}, "an infusion has two of amount, rate, over, not amount"),
        ({"infuse": "A", "amount": 1, "rate": 1, "over": 1}, "of amount, rate, over, not amount and rate and over"),
        ({"infuse": "A", "rate": 1, "over": 1, "steady_state": True}, "steady_state needs every"),
        ({"infuse": "A", "rate": 1, "steady_state": True, "every": 1}, "does not recur: give it an amount"),
        ({"wash": "medium"}, "a wash says how much it dilutes"),
        ({"wash": "medium", "dilute": 0.5}, "greater than or equal to 1"),
        ({"wash": "medium", "dilute": float("inf")}, "finite"),
        ({"wash": "medium", "dilute": "1000"}, "valid number"),
        ({"renew": "medium", "fraction": 0}, "greater than 0"),
        ({"renew": "medium", "fraction": 1.5}, "less than or equal to 1"),
        ({"set": {"k": 1}, "for": "1 h", "until": "2 h"}, "ends with for or until, not both"),
        ({"reset": True, "to": 1}, "reset does not take 'to': it takes no further keys"),
        ({"dose": "A", "to": 1, "tags": []}, "Extra inputs are not permitted"),
        ({"dose": "A", "to": True}, "True is not a quantity such as '2 h'"),
        ({"dose": "A", "to": [1]}, "[1] is not a quantity such as '2 h'"),
        ({"dose": "A", "add": 1, "every": 1, "times": 2.5}, "valid integer"),
        ({"dose": "A", "add": 1, "every": 1, "times": 0}, "greater than or equal to 1"),
        ({"dose": "A", "to": 1, "label": "a b"}, "match pattern"),
        ({"reset": "yes"}, "valid boolean"),
    ],
)  # fmt: skip
def test_fields_that_do_not_go_together_are_refused(
    fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        _step(**fields)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2 h", 2.0), ("30 min", 0.5), ("1 d", 24.0), ("0 h", 0.0), ("wash", 3.0), ("@wash", 3.0),
        ("wash + 6 h", 9.0), ("wash+90 min", 4.5), ("wash - 1 h", 2.0), ("wash + .5 h", 3.5),
        ("wash-", just_before(3.0)), (" wash ", 3.0), ("0.1 h", 0.1),
    ],
)  # fmt: skip
def test_a_time_is_absolute_or_relative_to_a_label(
    context: Context, text: str, time: float
) -> None:
    assert resolve_time(text, {"wash": 3.0}, context) == time


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("washh + 1 h", "unknown label 'washh' in a time: did you mean 'wash'"),
        ("wash + 1", "the time needs a unit"),
        ("wash + 1 umol", "cannot be converted"),
        ("2", "the time needs a unit: write '2 h'"),
        (2, "the time needs a unit: write '2 h'"),
        ("-1 h", "lies before the start of the run"),
        ("wash - 4 h", "lies before the start of the run"),
        ("start-", "lies before the start of the run"),
        ("wash * 2", "is not a quantity"),
        ("wash + wash", "is not a quantity"),
        ("", "is not a quantity"),
    ],
)  # fmt: skip
def test_a_time_without_meaning_is_refused(context: Context, text: str | int, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        resolve_time(text, {"wash": 3.0, "start": 0.0}, context)
    assert message in str(caught.value)


def test_labels_may_refer_to_labels_before_and_after_them(context: Context) -> None:
    steps = [
        _step(at="second + 1 h", label="third", reset=True),
        _step(at="1 h", label="first", reset=True),
        _step(at="first + 1 h", label="second", reset=True),
    ]
    assert label_times(steps, context) == {"first": 1.0, "second": 2.0, "third": 3.0}


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["b + 1 h", "a + 1 h"], "the times of 'a' and 'b' depend on each other"),
        (["a + 1 h", "1 h"], "the times of 'a' depend on each other"),
        (["c + 1 h", "1 h"], "unknown label 'c'"),
    ],
)  # fmt: skip
def test_labels_in_a_circle_are_refused(context: Context, times: list[str], message: str) -> None:
    steps = [_step(at=at, label=label, reset=True) for at, label in zip(times, "ab", strict=True)]
    with pytest.raises(ScenarioError) as caught:
        label_times(steps, context)
    assert message in str(caught.value)


def test_a_label_is_used_once(context: Context) -> None:
    steps = [_step(label="a", reset=True), _step(label="a", reset=True)]
    with pytest.raises(ScenarioError, match="the label 'a' is used twice"):
        label_times(steps, context)


def test_equal_sums_of_decimal_numbers_are_one_time(context: Context) -> None:
    steps = [_step(at="0.1 h", label="a", reset=True), _step(at="a + 0.2 h", label="b", reset=True)]
    assert label_times(steps, context)["b"] == 0.3


def bolus_size(step: Step, context: Context) -> float:
    """The size of a bolus that one species takes alone."""
    [size] = bolus_sizes(step, context).values()
    return size


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"dose": "A", "to": "2 uM"}, 2.0),
        ({"dose": "A", "add": "2000 nM"}, 2.0),
        ({"dose": "A", "amount": "8 umol"}, 2.0),
        ({"dose": "ledger", "amount": "8 umol"}, 8.0),
        ({"dose": "ledger", "to": "8 umol"}, 8.0),
        ({"dose": "ledger", "add": "8000 nmol"}, 8.0),
        ({"dose": "A", "to": "0 uM"}, 0.0),
    ],
)
def test_a_bolus_stands_in_the_mathematics_of_its_species(
    context: Context, fields: dict[str, object], size: float
) -> None:
    assert bolus_size(_step(**fields), context) == pytest.approx(size, rel=1e-12)


def test_an_amount_is_diluted_by_the_volume_of_this_run(model: Model) -> None:
    step = _step(dose="A", amount="8 umol")
    assert bolus_size(step, Context(model, {"medium": 16.0})) == pytest.approx(0.5)


def test_an_amount_into_a_computed_volume_asks_the_model(model: Model) -> None:
    step = _step(dose="B", amount="8 umol")
    assert bolus_size(step, Context(model, compute=lambda name: 2.0)) == pytest.approx(4)
    with pytest.raises(
        ScenarioError, match="the size of 'cells' is computed: give a concentration"
    ):
        bolus_size(step, Context(model))
    with pytest.raises(ScenarioError, match="the size of 'swelling' is computed"):
        bolus_size(_step(dose="C", amount="8 umol"), Context(model))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dose": "A", "to": "-1 uM"}, "the dose '-1 uM' is negative"),
        ({"dose": "A", "to": 1}, "A needs a unit"),
        ({"dose": "A", "to": "1 umol"}, "A is in 'umol', which cannot be converted to 'umol/L'"),
        ({"dose": "A", "amount": "1 uM"}, "cannot be converted to 'umol'"),
        ({"dose": "AA", "to": "1 uM"}, "unknown species 'AA' in model toy: did you mean 'A'"),
    ],
)  # fmt: skip
def test_a_bolus_without_meaning_is_refused(
    context: Context, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        bolus_size(_step(**fields), context)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "rate", "duration"),
    [
        ({"amount": "6 umol", "over": "2 h"}, 3.0, 2.0),
        ({"rate": "3 umol/h", "over": "120 min"}, 3.0, 2.0),
        ({"rate": "0.05 umol/min", "amount": "6 umol"}, 3.0, 2.0),
        ({"amount": "6 umol", "over": "2 h", "bioavailability": 0.5}, 1.5, 2.0),
        ({"rate": "3 umol/h", "over": "2 h", "bioavailability": 0.5}, 1.5, 2.0),
        ({"rate": "3 umol/h", "amount": "6 umol", "bioavailability": 0.5}, 3.0, 1.0),
        ({"rate": "3 umol/h", "steady_state": True}, 3.0, float("inf")),
        ({"amount": "0 umol", "over": "2 h"}, 0.0, 2.0),
    ],
)
def test_an_infusion_has_a_rate_and_a_duration(
    context: Context, fields: dict[str, object], rate: float, duration: float
) -> None:
    found = infusion_size(_step(infuse="A", **fields), context)
    assert found == pytest.approx((rate, duration))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"amount": "6 umol", "over": "0 h"}, "over is '0 h', and an infusion lasts longer than 0"),
        ({"amount": "6 umol", "over": "-2 h"}, "over is '-2 h', .*all at once is dose: A"),
        ({"amount": "-6 umol", "over": "2 h"}, "the amount '-6 umol' is negative"),
        ({"rate": "-3 umol/h", "over": "2 h"}, "the rate '-3 umol/h' is not above 0"),
        ({"rate": "0 umol/h", "amount": "6 umol"}, "the rate '0 umol/h' is not above 0"),
    ],
)  # fmt: skip
def test_an_infusion_of_nothing_or_less_is_refused(
    context: Context, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        infusion_size(_step(infuse="A", **fields), context)


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ({"dose": "A", "to": 1}, "umol/L"), ({"dose": "A", "amount": 1}, "umol"), ({"dose": "ledger", "add": 1}, "umol"),
        ({"infuse": "A", "amount": 1, "over": 1}, "umol"), ({"infuse": "A", "rate": 1, "over": 1}, "umol/(h)"),
    ],
)  # fmt: skip
def test_a_dose_can_be_given_another_size_in_its_unit(
    model: Model, context: Context, fields: dict[str, object], unit: str
) -> None:
    step = _step(**fields)
    assert dose_unit(step, model) == unit
    again = with_size(step, 1 / 3, model)
    if again.infuse:
        assert infusion_size(again.model_copy(update={"over": "1 h"}), context)[0] == 1 / 3
    else:
        size = bolus_size(again, context)
        assert size == pytest.approx(1 / 12 if step.dose == "A" and step.amount else 1 / 3)


def test_a_named_input_is_converted_like_any_quantity(model: Model) -> None:
    step = _step(dose="A", to="own")
    assert bolus_size(step, Context(model, inputs={"own": "2000 nM"})) == pytest.approx(2)
    assert bolus_size(step, Context(model, inputs={"own": 2.0})) == 2.0
    with pytest.raises(ScenarioError, match="the input 'own' has no finite value for this"):
        bolus_size(step, Context(model, inputs={"own": None}))
    with pytest.raises(ScenarioError, match="'own' is not a quantity"):
        bolus_size(step, Context(model))
