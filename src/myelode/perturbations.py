"""Who is treated: cell lines and perturbations, as named sets of changes to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import YamlFile, parse_yaml, read_text
from myelode.grams import to_unit_of
from myelode.model import Model, stands_in_another_variant, where_else
from myelode.parameters import EVIDENCE, lowest_evidence
from myelode.sbml import Entity
from myelode.units import split_quantity

REFERENCE = "none"
FILE, CELL_LINES = "perturbations.yaml", "cell_lines.yaml"
_TEXTS = ("title", "mechanism", "published", "evidence", "source", "note", "signature")
_KEYS = ("set", "scale", "class", *_TEXTS)


@dataclass(frozen=True)
class Perturbation:
    """A named set of changes: a resistance mechanism, an inhibitor, or a cell line.

    `set` holds values in the model's own units, `scale` factors. `true_class` is the word under
    ``class``: what a rule that tells mechanisms apart should find.
    """

    name: str
    set: Mapping[str, float] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    mechanism: str = ""
    published: str = ""
    evidence: str = "assumed"
    source: str = ""
    note: str = ""
    signature: str = ""
    true_class: str = ""


NO_PERTURBATION = Perturbation(
    REFERENCE, title="unperturbed reference", evidence="measured", true_class=REFERENCE
)


def perturbations(model: Model) -> dict[str, Perturbation]:
    """The named perturbations of a model that concern its variant, `none` first."""
    return {REFERENCE: NO_PERTURBATION, **_named_changes(model, FILE)}


def cell_lines(model: Model) -> dict[str, Perturbation]:
    """The named cell lines of a model that concern its variant."""
    return _named_changes(model, CELL_LINES)


def _named_changes(model: Model, file_name: str) -> dict[str, Perturbation]:
    file = _file_of(model, file_name)
    if file is None:
        return {}
    elsewhere = stands_in_another_variant(model)
    found: dict[str, Perturbation] = {}
    for name, data in file.data.items():
        try:
            _require_name(name)
            if _concerns(model, data, elsewhere):
                found[name] = read_changes(model, name, data)
        except ScenarioError as error:
            raise ModelError(f"{file.place((str(name),))}: {error}") from None
    return found


def _file_of(model: Model, file_name: str) -> YamlFile | None:
    """A file of named changes; None where the model has none."""
    path = model.folder / file_name if model.folder else None
    if path is None or not path.exists():
        return None
    file = _parsed(read_text(path), str(path))
    if not isinstance(file.data, dict):
        raise ModelError(f"{file.where}: must map names to their changes")
    return file


def absence(model: Model, file_name: str, name: str) -> str:
    """As a hint, why a change of the file does not concern this variant; "" where it is not so."""
    file = _file_of(model, file_name)
    data = file.data.get(name) if file else None
    if not isinstance(data, Mapping):
        return ""
    names = {target for key in ("set", "scale") for target in _section(data, key)}
    said = (where_else(model, target) for target in sorted(names - model.entities.keys()))
    return next((f": {text}" for text in said if text), "")


@lru_cache(maxsize=16)
def _parsed(text: str, where: str) -> YamlFile:
    """The file, parsed once for all plans of one scenario that a fit or a sweep makes."""
    return parse_yaml(text, where, ModelError)


def _require_name(name: Any) -> None:
    if not isinstance(name, str) or name == REFERENCE or "+" in name:
        raise ScenarioError(f"{name!r} cannot be the name of a perturbation or cell line")


def _concerns(model: Model, data: Any, elsewhere: Callable[[str], bool]) -> bool:
    """Whether changes can apply to this variant: none of their names is another variant's alone."""
    if not isinstance(data, Mapping):
        return True
    targets = {name for key in ("set", "scale") for name in _section(data, key)}
    return not any(elsewhere(name) for name in targets - model.entities.keys())


def read_changes(model: Model, name: str, data: Any) -> Perturbation:
    """A perturbation from its YAML form, with quantities converted to the model's units."""
    if not isinstance(data, Mapping):
        raise ScenarioError(f"{name!r} must have set: or scale:")
    unknown = [key for key in data if key not in _KEYS]
    if unknown:
        hint = best_matches(str(unknown[0]), _KEYS)
        raise ScenarioError(f"unknown key {unknown[0]!r}{hint}")
    texts = {key: str(data[key]) for key in _TEXTS if data.get(key) is not None}
    if texts.get("evidence", "assumed") not in EVIDENCE:
        raise ScenarioError(f"evidence {texts['evidence']!r} is none of {', '.join(EVIDENCE)}")
    settings = {key: read_value(model, key, item) for key, item in _section(data, "set").items()}
    scales = {key: _factor(model, key, item) for key, item in _section(data, "scale").items()}
    both = settings.keys() & scales.keys()
    if both:
        raise ScenarioError(f"{name!r} both sets and scales {min(both)!r}")
    return Perturbation(name, settings, scales, true_class=_class(name, data), **texts)


def _class(name: str, data: Mapping[str, Any]) -> str:
    """The word under `class`, or nothing."""
    found = data.get("class", "")
    if not isinstance(found, str) or ("class" in data and not found.strip()):
        raise ScenarioError(f"the class of {name!r} must be a word, not {found!r}")
    return found.strip()


def _section(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The mapping under `set` or `scale`; nothing there is an empty one."""
    section = data.get(key)
    if section is not None and not isinstance(section, Mapping):
        raise ScenarioError(f"{key} maps names to values, and is not {section!r}")
    return {str(name): value for name, value in (section or {}).items()}


def read_value(model: Model, name: str, value: Any) -> float:
    """A quantity for the value `name` of the model, in the model's own unit.

    What is in grams is divided by the molar mass that the model itself has for the value.
    """
    require_changeable(model, name)
    number = to_unit_of(model, name, value, lambda constant: _own_value(model, constant))
    _require_meaning(model, name, number, value)
    return number


def _own_value(model: Model, constant: str) -> float | None:
    """The value of a constant in the model, which no compound may have one of its own for."""
    compounds = model.compounds
    others = (item for item in compounds.items.values() if item.name != compounds.default)
    if any(constant in item.rows for item in others):
        raise ScenarioError(f"{constant} differs between compounds: write moles instead of grams")
    return model.entity(constant).value


def _require_meaning(model: Model, name: str, number: float, said: Any) -> None:
    """Refuse zero, or less, for what must be positive: an affinity, a half-life, a volume."""
    row = model.parameters.get(name)
    if row is not None and row.is_positive and number <= 0:
        raise ScenarioError(f"{name} must be positive, and {said} is not ({row.meaning})")


def require_changeable(model: Model, name: str) -> Entity:
    """The entity of that id; raises ScenarioError where its value is no starting value."""
    entity = model.entity(name)
    if entity.kind == "reaction" or entity.rule == "assignment":
        raise ScenarioError(f"{name!r} is computed by the model and cannot be set")
    return entity


def _factor(model: Model, name: str, value: Any) -> float:
    if model.entity(name).value is None:
        raise ScenarioError(f"{name!r} is computed by the model and cannot be scaled")
    number, unit = split_quantity(value)
    if unit is not None or number < 0:
        raise ScenarioError(f"the factor for {name!r} must be a plain number, not {value!r}")
    _require_meaning(model, name, number, f"a factor of {value}")
    return number


def combine(name: str, parts: Iterable[Perturbation]) -> Perturbation:
    """Several perturbations at once: scales multiply, a setting may not meet another change."""
    parts = list(parts)
    settings: dict[str, float] = {}
    scales: dict[str, float] = {}
    for part in parts:
        for target in (*part.set, *part.scale):
            clash = target in settings or (target in part.set and target in scales)
            if clash:
                raise ScenarioError(
                    f"{name!r}: {target!r} is set by one part and changed by another"
                )
        settings |= part.set
        for target, value in part.scale.items():
            scales[target] = scales.get(target, 1.0) * value
    return Perturbation(
        name,
        settings,
        scales,
        title=" and ".join(part.title or part.name for part in parts),
        evidence=lowest_evidence([part.evidence for part in parts]),
        true_class=" + ".join(dict.fromkeys(part.true_class for part in parts if part.true_class)),
    )


def find_perturbation(model: Model, text: str, known: Mapping[str, Perturbation]) -> Perturbation:
    """A perturbation by name, or a combination written ``a + b``."""
    names = [part.strip() for part in text.split("+")]
    if len(set(names)) < len(names):
        raise ScenarioError(f"{text!r} names a perturbation twice")
    for name in names:
        if name not in known:
            hint = absence(model, FILE, name) or best_matches(name, known)
            raise ScenarioError(f"unknown perturbation {name!r} of {model.name}{hint}")
    return known[names[0]] if len(names) == 1 else combine(text, [known[name] for name in names])
