"""Mass, substance and copies per cell, turned into one another by molar mass or cell density."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from myelode.errors import ScenarioError
from myelode.units import factor, parse_unit, split_quantity

_COPIES = re.compile(r"\bcop(?:y|ies)\b")
_BRIDGES = {"molar_mass": ("g/mol", "mol/g"), "cells": ("item/L", "L/item")}
"""What leads from one kind of unit to another: the unit it multiplies with, and its inverse."""
_EXAMPLES = {
    "molar_mass": "a molar mass such as '152 kg/mol' or '152 kDa'",
    "cells": "a density of cells such as '1e6 /mL'",
}
_POWERS = (0, 1, -1)


def convert(
    quantity: str | float, unit: str, *, molar_mass: str | None = None, cells: str | None = None
) -> float:
    """A quantity as a number in another unit, also where the two measure different things.

    Parameters
    ----------
    quantity : number and unit, such as ``"1 ug/mL"``.
    unit : the unit wanted. Copies in a cell are counted in ``copies/cell``, which may be called
        ``molecules/cell`` or ``1/cell`` too.
    molar_mass : what leads from mass to substance, such as ``"152 kg/mol"``; a dalton is taken to
        be exactly 1 g/mol.
    cells : how many cells a volume holds, such as ``"1e6 /mL"``; it leads from copies per cell to a
        concentration in that volume.

    Returns
    -------
    The number; ``convert("1 ug/mL", "nM", molar_mass="152 kDa")`` is 6.5789...

    Raises
    ------
    ScenarioError
        For what is no quantity or no unit, and for a conversion that needs what is not given.
    """
    number, own = split_quantity(quantity)
    sizes = {"molar_mass": _molar_mass(molar_mass), "cells": _cells(cells)}
    units = _counted(own or "dimensionless"), _counted(unit)
    powers = _powers(*units)
    if powers is None:
        raise ScenarioError(f"{quantity!r} cannot be converted to {unit!r}")
    result, bridge = number, units[0]
    for name, power in powers.items():
        size = sizes[name]
        if size is None:
            raise ScenarioError(f"{quantity!r} in {unit!r} needs {_EXAMPLES[name]}: {name}=...")
        result *= size**power
        bridge = f"{bridge}*({_BRIDGES[name][power < 0]})"
    return result * factor(bridge, units[1], "the quantity")


def _counted(unit: str) -> str:
    """The unit with single molecules for copies, and for what is only said to be per cell."""
    counted = _COPIES.sub("molecule", unit.strip())
    counted = f"1{counted}" if counted.startswith("/") else counted
    is_bare = parse_unit(counted).dimensionality == parse_unit("1/item").dimensionality
    return f"molecule*({counted})" if is_bare else counted


def _powers(own: str, unit: str) -> Mapping[str, int] | None:
    """With which power each bridge leads from one unit to the other; None where none does."""
    goal = parse_unit(unit).dimensionality
    for powers in itertools.product(_POWERS, repeat=len(_BRIDGES)):
        kind = parse_unit(own).dimensionality
        for (bridge, _), power in zip(_BRIDGES.values(), powers, strict=True):
            kind = kind * parse_unit(bridge).dimensionality ** power
        if kind == goal:
            return {name: power for name, power in zip(_BRIDGES, powers, strict=True) if power}
    return None


def _molar_mass(text: str | None) -> float | None:
    """A molar mass in g/mol; the mass of a single molecule in daltons is one too."""
    if text is None:
        return None
    number, own = split_quantity(text)
    kind = parse_unit(own or "dimensionless")
    is_dalton = "dalton" in str(kind) and kind.dimensionality == parse_unit("g").dimensionality
    target = "dalton" if is_dalton else "g/mol"
    return _positive("molar_mass", text, number * factor(own or "", target, "molar_mass"))


def _cells(text: str | None) -> float | None:
    """A density of cells, per litre; the word cells may be left out."""
    if text is None:
        return None
    number, own = split_quantity(text)
    own = own or "dimensionless"
    is_bare = parse_unit(own).dimensionality == parse_unit("1/L").dimensionality
    target = "1/L" if is_bare else "item/L"
    return _positive("cells", text, number * factor(own, target, "cells"))


def _positive(name: str, text: str, number: float) -> float:
    if number <= 0:
        raise ScenarioError(f"{text!r} is not {_EXAMPLES[name]}")
    return number
