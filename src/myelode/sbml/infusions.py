"""A model with an input for every species that a regimen infuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from myelode.errors import ModelError
from myelode.sbml import read_sbml, write_sbml
from myelode.sbml.units import units_of

_UNIT = "infusion_rate_unit"


def infusion_rate(species: str) -> str:
    """The parameter that holds the rate at which the species is infused, in substance per time."""
    return f"infusion_{species}"


def with_infusions(sbml: str, species: Sequence[str]) -> str:
    """The model with a zero-order input into each of `species`; its rate is zero at first."""
    if not species:
        return sbml
    document = read_sbml(sbml, "the model")
    model = document.getModel()
    names = [made for name in species for made in (infusion_rate(name), _reaction(name))]
    taken = [name for name in (_UNIT, *names) if model.getElementBySId(name) is not None]
    if taken:
        raise ModelError(f"the model has a {taken[0]!r} of its own, which an infusion would need")
    unit = _rate_unit(model)
    for name in species:
        _add_input(model, name, unit)
    return write_sbml(document)


def _reaction(species: str) -> str:
    return f"infuse_{species}"


def _add_input(model: Any, species: str, unit: str) -> None:
    import libsbml

    rate = model.createParameter()
    rate.setId(infusion_rate(species))
    rate.setValue(0.0)
    rate.setConstant(False)
    if unit:
        rate.setUnits(unit)
    reaction = model.createReaction()
    reaction.setId(_reaction(species))
    reaction.setReversible(False)
    product = reaction.createProduct()
    product.setSpecies(species)
    product.setStoichiometry(1.0)
    product.setConstant(True)
    conversion = model.getSpecies(species).getConversionFactor() or model.getConversionFactor()
    formula = f"{infusion_rate(species)} / {conversion}" if conversion else infusion_rate(species)
    reaction.createKineticLaw().setMath(libsbml.parseL3Formula(formula))


def _rate_unit(model: Any) -> str:
    """The id of a unit definition for substance per time, made if the model declares both."""
    import libsbml

    substance, time = model.getSubstanceUnits(), model.getTimeUnits()
    if not substance or not time:
        return ""
    definition = model.createUnitDefinition()
    definition.setId(_UNIT)
    for source, sign in ((substance, 1), (time, -1)):
        for unit in units_of(model, source):
            copy = unit.clone()
            copy.setExponent(sign * unit.getExponentAsDouble())
            definition.addUnit(copy)
    libsbml.UnitDefinition.simplify(definition)
    return _UNIT
