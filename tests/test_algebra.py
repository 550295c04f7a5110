"""Algebraic rules that give one value outright become assignment rules; others are refused."""

from __future__ import annotations

from pathlib import Path

import libsbml
import numpy as np
import pytest

from myelode.errors import UnsupportedModelError
from myelode.model import load_model

TIMES = [0.0, 1.0, 3.0]
DECAY = 4 * np.exp(-np.array(TIMES))


def _model(folder: Path, rules: str, declared: str = "") -> Path:
    """A decays from 4 with rate 1; x and y may change."""
    formulas = "".join(
        f"<algebraicRule>{libsbml.writeMathMLToString(libsbml.parseL3Formula(rule)).split('?>')[1]}</algebraicRule>"
        for rule in rules.split(";")
    )
    law = libsbml.writeMathMLToString(libsbml.parseL3Formula("A * C")).split("?>")[1]
    path = folder / "model.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">'
        '<listOfCompartments><compartment id="C" size="1" constant="true"/></listOfCompartments>'
        '<listOfSpecies><species id="A" compartment="C" initialConcentration="4" hasOnlySubstanceUnits="false"'
        ' boundaryCondition="false" constant="false"/></listOfSpecies><listOfParameters>'
        '<parameter id="x" constant="false"/><parameter id="k" value="2" constant="true"/>'
        f"{declared}</listOfParameters><listOfRules>{formulas}</listOfRules><listOfReactions>"
        '<reaction id="J" reversible="false"><listOfReactants><speciesReference species="A" stoichiometry="1"'
        f' constant="true"/></listOfReactants><kineticLaw>{law}</kineticLaw></reaction></listOfReactions></model></sbml>'
    )
    return path


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("x - A", DECAY),
        ("A + x - k", 2 - DECAY),
        ("k * (A - x) / 3", DECAY),
        ("-x + A * k + x * A", 2 * DECAY / (1 - DECAY)),
        ("k + 3 - (1 + (A - x))", DECAY - 4),
        ("x * k", 0 * DECAY),
    ],
)
def test_a_rule_that_is_a_line_in_its_one_free_name_gives_its_value(
    rule: str, value: np.ndarray, tmp_path: Path
) -> None:
    found = load_model(_model(tmp_path, rule)).simulate(TIMES, outputs=["x"])
    np.testing.assert_allclose(found["x"], value, rtol=1e-7, atol=1e-12)


def test_rules_are_solved_one_after_the_other(tmp_path: Path) -> None:
    path = _model(tmp_path, "x + y - 10; y - 2 * A", '<parameter id="y" constant="false"/>')
    found = load_model(path).simulate(TIMES, outputs=["x", "y"])
    np.testing.assert_allclose(found["y"], 2 * DECAY, rtol=1e-7)
    np.testing.assert_allclose(found["x"], 10 - 2 * DECAY, rtol=1e-7)


@pytest.mark.parametrize("rule", ["x * x - A", "exp(x) - A", "A / x - k", "A - 1", "x + y - A"])
def test_what_gives_no_single_value_outright_is_refused(rule: str, tmp_path: Path) -> None:
    model = load_model(_model(tmp_path, rule, '<parameter id="y" value="1" constant="false"/>'))
    with pytest.raises(UnsupportedModelError, match="algebraic rule"):
        model.simulate(TIMES, outputs=["A"])
