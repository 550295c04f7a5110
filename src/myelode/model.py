"""A model: reactions as canonical SBML, its table of numbers, and what both say about themselves.

`load_model` reads a folder of `models/`, an Antimony file or an SBML file, refuses what is wrong,
and keeps what is merely missing as warnings. A model never changes; runs are described elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from myelode import sbml as sbml_library
from myelode.compounds import NO_COMPOUNDS, Compounds
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import read_text
from myelode.library import find_model
from myelode.model_folder import (
    is_constant,
    owners,
    read_variant,
    require_values,
    stands_elsewhere,
)
from myelode.parameters import Parameter
from myelode.preflight import check_antimony, check_sbml, refuse_silent_faults
from myelode.preflight.repeats import refuse_repeats
from myelode.sbml import Description, Entity
from myelode.sbml.algebra import solve_algebraic
from myelode.sbml.flattening import without_submodels
from myelode.simulated import Simulated
from myelode.units import is_dimensionless

MISSPELT = 0.9
"""Likeness of two names above which one is taken for the other with a slip."""
LEAST_TELLING = 5
"""Letters of a word by which a misnamed number may be recognised."""

_EXPLICIT = re.compile(r"(amount|concentration)\((\w+)\)")
ANTIMONY_SUFFIXES = (".ant", ".txt", ".antimony")
SBML_SUFFIXES = (".xml", ".sbml")


@dataclass(frozen=True)
class Model(Simulated):
    """A loaded model.

    Attributes
    ----------
    name : name of the folder or file.
    variant : structural form, for a model folder with several.
    title : one line for people.
    sbml : canonical SBML Level 3 Version 2.
    parameters : rows of the parameter table and of the default compound, by name; empty without.
    folder : where cell lines, perturbations and observations stand; None for a single file.
    warnings : what is missing, but no error.
    compounds : sets of numbers by name, and what one of them may be dosed.
    clinical : whether its results speak of patients, and carry regulatory statements.
    no_responses : why it computes no response rate and no survival; "" where it does.
    """

    name: str
    variant: str
    title: str
    sbml: str
    parameters: Mapping[str, Parameter]
    folder: Path | None = None
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    compounds: Compounds = NO_COMPOUNDS
    clinical: bool = False
    no_responses: str = ""
    _description: Description | None = field(default=None, repr=False, compare=False)

    @cached_property
    def description(self) -> Description:
        """Units and entities, as libSBML reads them from the canonical text."""
        return self._description or sbml_library.describe(self.sbml)

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Everything that has a value: compartments, species, parameters, reactions."""
        return self.description.entities

    @property
    def time_unit(self) -> str | None:
        """The unit of time, or None where the model declares none."""
        return self.description.time_unit

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical SBML: equal models have equal digests."""
        return hashlib.sha256(self.sbml.encode()).hexdigest()

    def species(self) -> tuple[str, ...]:
        """Ids of all species."""
        return tuple(e.id for e in self.entities.values() if e.kind == "species")

    def reactions(self) -> tuple[str, ...]:
        """Ids of all reactions."""
        return tuple(e.id for e in self.entities.values() if e.kind == "reaction")

    def constants(self) -> tuple[str, ...]:
        """Ids of parameters and compartments that no rule and no initial assignment sets."""
        return tuple(e.id for e in self.entities.values() if is_constant(e))

    def entity(self, name: str, what: str = "name") -> Entity:
        """The entity of that id; raises ScenarioError with the closest known ids."""
        if name not in self.entities:
            if said := where_else(self, name):
                raise ScenarioError(said)
            is_misspelt = get_close_matches(name, self.entities, n=1, cutoff=MISSPELT)
            meant = "" if is_misspelt else self._meant(name)
            hint = meant or best_matches(name, self.entities)
            raise ScenarioError(f"unknown {what} {name!r} in model {self.name}{hint}")
        return self.entities[name]

    def _meant(self, name: str) -> str:
        """A hint at the number whose meaning has a word of the name, and most of its parts."""
        parts = set(name.lower().split("_"))
        words = {part for part in parts if len(part) >= LEAST_TELLING}
        scores = {
            row: len(parts & set(row.name.lower().split("_")))
            for row in self.parameters.values()
            if words & set(re.findall(r"[a-z0-9]+", row.meaning.lower()))
        }
        best = [row for row, score in scores.items() if score == max(scores.values())]
        return f": did you mean {best[0].name!r} ({best[0].meaning})?" if len(best) == 1 else ""

    def unit_of(self, output: str) -> str | None:
        """The unit of an output: an id, ``amount(X)`` or ``concentration(X)``."""
        if output == "time" and output not in self.entities:
            return self.time_unit
        match = _EXPLICIT.fullmatch(output)
        if not match:
            return self.entity(output, "output").unit
        species = self.entity(match[2], "species")
        if species.kind == "compartment":
            return species.unit
        if species.kind != "species" or species.compartment is None:
            raise ScenarioError(f"{output}: {match[2]} is no species")
        if species.is_amount == (match[1] == "amount"):
            return species.unit
        substance = self.description.substance_unit
        volume = self.entities[species.compartment].unit
        return substance if match[1] == "amount" else _ratio(substance, volume)

    def label_of(self, output: str) -> str:
        """What an output is called on axes: the table's meaning, the SBML name, or the id."""
        if output in self.parameters:
            return self.parameters[output].meaning or output
        entity = self.entities.get(output)
        return entity.label.replace("_", " ") if entity else output

    def to_tellurium(self) -> Any:
        """The model as a tellurium ``RoadRunner``, for teaching in tellurium's own words.

        Importing tellurium replaces ``roadrunner.RoadRunner`` for the whole process, so that
        myelode's own results are no longer guaranteed afterwards: use a process of its own.
        """
        try:
            import tellurium
        except ImportError:
            raise ModelError("tellurium is not installed: pip install 'myelode[all]'") from None
        return tellurium.loadSBMLModel(self.sbml)


def load_model(name_or_path: str | Path, variant: str | None = None) -> Model:
    """The model of that name, or in that folder, Antimony (.ant) or SBML (.xml) file.

    Raises ModelError for anything wrong in it: unknown or repeated names, a value outside its own
    range, disagreement between reactions and table; in a model folder also missing units and rows.
    """
    path = find_model(name_or_path)
    if path.is_dir():
        return _load_folder(path, variant)
    if variant is not None:
        raise ModelError(f"{path}: a single file has no variants")
    return _load_file(path)


def model_from_sbml(text: str, name: str, where: str, folder: Path | None = None) -> Model:
    """A model without tables from an SBML text, checked like any file.

    Submodels may stand in other files of `folder`; without one they must stand in the text.
    In SBML a parameter is declared, so that one without a value is no slip: it is not a number.
    """
    check_sbml(text, where, may_refer=folder is not None)
    flat = without_submodels(text, where, folder)
    canonical = solve_algebraic(sbml_library.canonical(flat, where), where)
    refuse_silent_faults(canonical, f"{where} (as SBML)")
    description = sbml_library.describe(canonical)
    warnings = _without_table(where, description)
    return Model(name, "", name, canonical, {}, warnings=warnings, _description=description)


def _load_file(path: Path) -> Model:
    text = read_text(path)
    if path.suffix in ANTIMONY_SUFFIXES:
        check_antimony(text, str(path))
        refuse_repeats(text, str(path))
        text = sbml_library.from_antimony(text, str(path))
    elif path.suffix not in SBML_SUFFIXES:
        raise ModelError(f"{path}: a model ends in .ant, .xml or .sbml")
    model = replace(model_from_sbml(text, path.stem, str(path), path.parent), path=path)
    if path.suffix in ANTIMONY_SUFFIXES:
        require_values(model.description, str(path))
    return model


def _load_folder(path: Path, variant: str | None) -> Model:
    form = read_variant(path, variant)
    return Model(
        name=path.name, variant=form.name, title=form.title, sbml=form.sbml,
        parameters=form.parameters, folder=path, path=path, compounds=form.compounds,
        clinical=form.clinical, no_responses=form.no_responses, _description=form.description,
    )  # fmt: skip


def stands_in_another_variant(model: Model) -> Callable[[str], bool]:
    """Whether a name may be one of the model's other variants."""
    return stands_elsewhere(model.folder, model.variant) if model.folder else lambda name: False


def where_else(model: Model, name: str) -> str:
    """Which other variants have a name, as a message; "" where none has it."""
    found = owners(model.folder, model.variant, name) if model.folder else {}
    if not found:
        return ""
    kind = next(iter(found.values()))
    variants = " and ".join(map(repr, found))
    return f"{name!r} is a {kind} of variant {variants}, not of {model.variant!r}"


def _without_table(where: str, description: Description) -> tuple[str, ...]:
    """What a stranger's model lacks, said once."""
    entities = description.entities.values()
    missing = [
        e.id for e in entities if e.kind not in ("reaction", "stoichiometry") and e.unit is None
    ]
    warnings = [f"{where}: no parameter table: values have no uncertainty, evidence or source"]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        warnings.append(f"{where}: no unit declared for {len(missing)} of its quantities ({shown})")
    return tuple(warnings)


def _ratio(above: str | None, below: str | None) -> str | None:
    if above is None or below is None:
        return None
    return above if is_dimensionless(below) else f"{above}/{below}"
