"""What Antimony leaves unsaid: a species without an initial value starts empty."""

from __future__ import annotations


def starting_empty(sbml: str) -> str:
    """The SBML of an Antimony text, with zero for every species to which nothing gives a value."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    model = document.getModel()
    if model is None:
        return sbml
    given = {item.getVariable() for item in model.getListOfRules() if not item.isRate()}
    given |= {item.getSymbol() for item in model.getListOfInitialAssignments()}
    empty = [
        species
        for species in model.getListOfSpecies()
        if not (species.isSetInitialAmount() or species.isSetInitialConcentration())
        and species.getId() not in given
    ]
    for species in empty:
        species.setInitialAmount(0.0)
    return str(libsbml.writeSBMLToString(document)) if empty else sbml
