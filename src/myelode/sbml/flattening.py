"""A model with submodels, written out as one model.

The comp package makes a model of others: copies of them, of which elements are replaced, deleted
or converted to other units. libSBML writes that out; element ``x`` of the submodel ``sub`` is then
called ``sub__x``. What libSBML converts wrongly is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from myelode.errors import ModelError, UnsupportedModelError
from myelode.preflight import check_sbml
from myelode.preflight.dependencies import is_rate_of
from myelode.preflight.externals import read_externals
from myelode.preflight.scopes import Fault, Formula, nodes, scopes, unsupported
from myelode.preflight.tree import PACKAGES, Element, parse_sbml
from myelode.sbml import read_sbml, write_sbml

_COMP = f"{PACKAGES}comp/"
_OPTIONS = {
    "flatten comp": True, "leavePorts": False, "stripUnflattenablePackages": True,
    "performValidation": False,
}  # fmt: skip
"""How libSBML flattens; the model is known to be consistent by then."""

_FACTORS = {
    "submodel": frozenset({"timeConversionFactor", "extentConversionFactor"}),
    "replacedElement": frozenset({"conversionFactor"}),
}
"""What converts units, by the elements that may have it."""

_OWN_FILE = "the model.xml"
"""Where the model would stand among its other files, whose names have no space."""


def without_submodels(text: str, where: str, folder: Path | None = None) -> str:
    """The same model without the comp package; a text that does not use it as it is.

    Parameters
    ----------
    text : SBML that passes `check_sbml`; so does what is returned.
    where : what to call the text in messages.
    folder : where other files of the model may stand; without it none is read.

    Raises
    ------
    UnsupportedModelError : the submodels cannot be put together without mistakes.
    ModelError : they do not fit together, one is missing, or `check_sbml` raises it.
    """
    if _COMP not in text:
        return text
    others = read_externals(text, where, folder) if folder else {}
    _refuse_wrong_conversions({where: text, **others})
    flat = _flattened(text, where, others)
    check_sbml(flat, f"{where} (without submodels)")
    return flat


def _refuse_wrong_conversions(texts: Mapping[str, str]) -> None:
    """Raise for `rateOf` in a submodel whose units are converted: libSBML leaves it as it is.

    The first text is the model itself, whose own formulas are in its own units.
    """
    roots = {place: parse_sbml(text, place) for place, text in texts.items()}
    if not any(_converts(element) for root in roots.values() for element in nodes(root)):
        return
    for number, (place, root) in enumerate(roots.items()):
        for scope in scopes(root)[number == 0 :]:
            for formula in scope.formulas:
                if any(map(is_rate_of, nodes(formula.math))):
                    raise _not_converted(formula).error(place)


def _converts(element: Element) -> bool:
    return not element.attributes.keys().isdisjoint(_FACTORS.get(element.name, ()))


def _not_converted(formula: Formula) -> Fault:
    said = "uses rateOf, which is not converted with the units of a submodel"
    return unsupported(formula.math.line, f"{formula.title} {said}")


def _flattened(text: str, where: str, others: Mapping[str, str]) -> str:
    """What libSBML makes of a model and its other files, which get a folder of their own."""
    import libsbml

    options = libsbml.ConversionProperties()
    for name, value in _OPTIONS.items():
        options.addOption(name, value)
    document = read_sbml(text, where)
    with tempfile.TemporaryDirectory() as folder:
        for path, other in others.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(other, encoding="utf-8")
        document.setLocationURI(f"file:{Path(folder, _OWN_FILE).as_posix()}")
        _require_consistency(document, where)
        if document.convert(options) != libsbml.LIBSBML_OPERATION_SUCCESS:
            reason = _first_error(document) or "libSBML gives no reason"
            raise UnsupportedModelError(f"{where}: its submodels cannot be put together: {reason}")
    return write_sbml(document)


def _require_consistency(document: Any, where: str) -> None:
    """Raise for parts that do not fit; what concerns the whole alone is looked at later."""
    import libsbml

    parts = document.getModel().getPlugin("comp")
    if parts is None or not parts.getNumSubmodels():
        return
    for category in (
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
    ):
        document.setConsistencyChecks(category, False)
    document.checkConsistency()
    if reason := _first_error(document):
        raise ModelError(f"{where}: its submodels do not fit together: {reason}")


def _first_error(document: Any) -> str:
    """The error that libSBML noted first, in its last and plainest words; "" without one."""
    import libsbml

    faults = map(document.getError, range(document.getNumErrors()))
    serious = [fault for fault in faults if fault.getSeverity() >= libsbml.LIBSBML_SEV_ERROR]
    if not serious:
        return ""
    again = [fault for fault in serious if fault.getErrorId() == serious[0].getErrorId()]
    rule, *instance = again[-1].getMessage().strip().splitlines()
    told = [line.strip() for line in instance if not line.startswith("Reference:")]
    return str((told or [rule])[-1])
