"""Units as SBML declares them, as text that the unit registry reads."""

from __future__ import annotations

from typing import Any

_TIME = {
    "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "week": 604_800.0, "year": 31_557_600.0,
}  # fmt: skip
_PREFIX = {
    "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "k": 3, "M": 6,
}  # fmt: skip
_SYMBOL = {
    "mole": "mol", "litre": "L", "gram": "g", "metre": "m", "item": "item", "second": "s",
    "joule": "J", "watt": "W", "volt": "V", "ampere": "A", "coulomb": "C", "kelvin": "kelvin",
    "katal": "kat", "becquerel": "Bq", "hertz": "Hz", "newton": "N", "pascal": "Pa",
}  # fmt: skip
_NO_PREFIX = {"item", "kelvin"}
_CLOSE = 1e-9


def unit_text(model: Any, source: Any) -> str | None:
    """The unit of an element, or of a unit's id, such as ``umol/L``.

    None where nothing is declared, or where the unit has no such form.
    """
    if isinstance(source, str):
        units = units_of(model, source) if source else []
    else:
        definition = source.getDerivedUnitDefinition()
        if definition is None or source.containsUndeclaredUnits():
            return None
        units = [definition.getUnit(position) for position in range(definition.getNumUnits())]
    parts = [_part(unit) for unit in units]
    if not parts or any(part is None for part in parts):
        return None
    return _joined([part for part in parts if part is not None])


def units_of(model: Any, source: str) -> list[Any]:
    """What a unit of the model, or one of SBML's own, is made of."""
    import libsbml

    definition = model.getUnitDefinition(source)
    if definition is not None:
        return [definition.getUnit(position) for position in range(definition.getNumUnits())]
    unit = libsbml.Unit(3, 2)
    unit.initDefaults()
    unit.setKind(libsbml.UnitKind_forName(source))
    return [unit]


def _part(unit: Any) -> tuple[str, float] | None:
    """Symbol and exponent of one factor of a unit."""
    import libsbml

    kind = str(libsbml.UnitKind_toString(unit.getKind()))
    size = unit.getMultiplier() * 10.0 ** unit.getScale()
    if kind == "dimensionless":
        return ("", 0.0) if _is_close(size, 1.0) else None
    if kind == "kilogram":
        kind, size = "gram", size * 1000
    symbol = _time_symbol(size) if kind == "second" else None
    symbol = symbol or _prefixed(kind, size)
    return (symbol, float(unit.getExponentAsDouble())) if symbol else None


def _time_symbol(size: float) -> str | None:
    return next((name for name, value in _TIME.items() if _is_close(size, value)), None)


def _prefixed(kind: str, size: float) -> str | None:
    symbol = _SYMBOL.get(kind)
    prefixes = [""] if symbol in _NO_PREFIX else list(_PREFIX)
    found = (prefix for prefix in prefixes if _is_close(size, 10.0 ** _PREFIX[prefix]))
    prefix = next(found, None)
    return None if symbol is None or prefix is None else prefix + symbol


def _is_close(size: float, other: float) -> bool:
    return abs(size / other - 1) < _CLOSE


def _joined(parts: list[tuple[str, float]]) -> str:
    merged: dict[str, float] = {}
    for symbol, exponent in parts:
        merged[symbol] = merged.get(symbol, 0.0) + exponent
    above = [_power(symbol, exponent) for symbol, exponent in merged.items() if exponent > 0]
    below = [_power(symbol, -exponent) for symbol, exponent in merged.items() if exponent < 0]
    if not above and not below:
        return "dimensionless"
    return "/".join(["*".join(above) or "1", *below])


def _power(symbol: str, exponent: float) -> str:
    return symbol if exponent == 1 else f"{symbol}^{exponent:g}"
