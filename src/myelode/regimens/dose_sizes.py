"""The size of a dose as it is written: in moles, in grams, or by the size of a body.

Grams are divided by a molar mass of the run, and what is per body weight or surface is multiplied
by that of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from myelode.compounds import BODY
from myelode.errors import ScenarioError
from myelode.grams import is_in_grams, molar_mass, to_unit_of
from myelode.model import Model
from myelode.regimens.steps import Context, Quantity, Step
from myelode.units import factor, is_per, parse_unit, split_quantity, to_unit

_WORDS = {key: key.replace("_", " ") for key in BODY}
_TOTALS = ("amount", "rate")


@dataclass(frozen=True)
class Form:
    """How a size is written where it is not in the model's kind of unit.

    `unit` is its own unit, `per` the size of a body to which it refers, or "".
    """

    unit: str
    per: str
    in_grams: bool

    @property
    def whole(self) -> str:
        """The unit without the reference to a body."""
        return _times_body(self.unit, self.per)


def form_of(value: Quantity, unit: str | None) -> Form | None:
    """How a size is written, None where it is in a unit of the kind of `unit`, or in none at all.

    What is a fault, or the name of an input, has no form either: it is reported where it is read.
    """
    try:
        own = split_quantity(value)[1]
        if own is None or unit is None:
            return None
        forms = (_form(own, per, unit) for per in ("", *BODY))
        return next((form for form in forms if form), None)
    except ScenarioError:
        return None


def _form(own: str, per: str, unit: str) -> Form | None:
    """The form of a unit per such a size of a body, if it is one."""
    if per and not is_per(own, BODY[per]):
        return None
    whole = _times_body(own, per)
    in_grams = is_in_grams(f"1 {whole}", unit)
    is_same = parse_unit(whole).dimensionality == parse_unit(unit).dimensionality
    return Form(own, per, in_grams) if in_grams or (per and is_same) else None


def _times_body(own: str, per: str) -> str:
    return f"{BODY[per]}*({own})" if per else own


def size_of(step: Step, value: Quantity, context: Context, unit: str | None, what: str) -> float:
    """The size of a dose or infusion in `unit`, with the values of the run."""
    name = value.strip() if isinstance(value, str) else ""
    written = context.inputs.get(name, value)
    form = None if written is None else form_of(written, unit)
    size = given(value, context, form.unit if form else unit, what)
    if form is None or not form.per:
        _require_known_body(step, size, context)
    if form is None or unit is None:
        return size
    if form.per:
        size *= _body(step, value, form.per, context)
    if not form.in_grams:
        return size * factor(form.whole, unit, what)
    asks = f"{step.title}: a dose in {form.unit}"
    constant = _molar_mass(step, context.model, form, unit)
    mass = molar_mass(constant, context.model, context.value, asks)
    return size / mass * factor(f"{form.whole}/(g/mol)", unit, what)


def _require_known_body(step: Step, size: float, context: Context) -> None:
    """A total dose means little without the body it is for: the scenario itself must state it."""
    key, constant = next(iter(_body_of(step, context.model).items()), ("", ""))
    if key and size and step.quantity_field in _TOTALS and constant not in context.values:
        raise ScenarioError(
            f"{step.title}: a total dose needs the {_WORDS[key]} it is for: "
            f"set {constant}, or write the dose in mg/{BODY[key]}"
        )


def _body(step: Step, value: Quantity, per: str, context: Context) -> float:
    """The weight or surface of the body in this run, in the unit of `BODY`."""
    constants, model = _body_of(step, context.model), context.model
    if per not in constants:
        variant = f" (variant {model.variant})" if model.variant else ""
        others = [name for name, own in model.compounds.body.items() if per in own]
        hint = f", or dose {' or '.join(others)}, which has one" if others else ""
        raise ScenarioError(
            f"{step.title}: {value!r} is per {_WORDS[per]}, but {_dosed(step)!r} of model "
            f"{model.name}{variant} has no {_WORDS[per]}: give an amount{hint}"
        )
    constant = constants[per]
    body = context.value(constant) or 0.0
    if body <= 0:
        raise ScenarioError(f"{step.title}: a dose per {_WORDS[per]} needs a {constant} above 0")
    return body * factor(model.entity(constant).unit or "", BODY[per], constant)


def _body_of(step: Step, model: Model) -> Mapping[str, str]:
    """The constants that hold the sizes of the body for what a step doses."""
    return model.compounds.body.get(_dosed(step), {})


def _dosed(step: Step) -> str:
    return step.dose or step.infuse or ""


def _molar_mass(step: Step, model: Model, form: Form, unit: str) -> str:
    """The name of the molar mass of what a step doses in grams."""
    masses, name = model.compounds.molar_masses, _dosed(step)
    if name not in masses:
        doses = [other for other in model.compounds.doses if other in masses]
        others = f", or dose {' or '.join(doses)}, which has one" if doses else ""
        raise ScenarioError(
            f"{step.title}: {name!r} is dosed in {form.unit!r} but has no molar mass: "
            f"write it in {unit!r}{others}"
        )
    return masses[name]


def given(value: Quantity, context: Context, unit: str | None, what: str) -> float:
    """A quantity as a number in `unit`, or what a named input holds."""
    name = value.strip() if isinstance(value, str) else ""
    if name not in context.inputs:
        return to_unit(value, unit, what)
    held = context.inputs[name]
    if held is None:
        raise ScenarioError(f"the input {name!r} has no finite value for this perturbation")
    return to_unit(held, unit, name) if isinstance(held, str) else float(held)


def level_of(name: str, value: Quantity, context: Context) -> float:
    """A quantity for a value of the model, or what an input holds; it may be in grams."""
    if isinstance(value, str) and value.strip() in context.inputs:
        return given(value, context, context.model.entity(name).unit, name)
    return to_unit_of(context.model, name, value, context.value)
