"""The parts of a scenario file: what may stand under ``design``, ``observe``, ``endpoints``, ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from myelode.errors import best_matches
from myelode.regimens.steps import STRICT, Identifier, Quantity

TAKES = Literal[
    "value", "max", "min", "argmax", "argmin", "auc", "mean",
    "time_to", "time_above", "time_below", "ic50", "ec50", "emax",
]  # fmt: skip
OVER_DOSES = ("ic50", "ec50", "emax")
"""Takes that read the whole ladder of doses, at one time."""
HALVED = ("ic50", "ec50")
"""Those among them that are a dose."""
FLAG = "_flag"
"""Ending of the name that an endpoint over doses adds to the result."""
MOST_DOSES = 1000
MOST_SUBJECTS = 100_000


def _joined(value: Any) -> Any:
    """Variants in a list as ``a + b``: both are refused alike when the model is read."""
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return " + ".join(value) if is_list else value


OneVariant = Annotated[str | None, BeforeValidator(_joined)]
"""The name of a variant; several are read too, for a message that says why there is one."""


class Ladder(BaseModel):
    """Doses that replace the size of the labelled step: listed, or evenly spaced on a log scale.

    Where `of` is a parameter of the model, and no label, they replace its base value.
    """

    model_config = STRICT

    of: Identifier
    from_: Annotated[Quantity | None, Field(alias="from")] = None
    to: Quantity | None = None
    points: Annotated[int | None, Field(ge=2, le=MOST_DOSES)] = None
    zero: bool = False
    values: Annotated[list[Quantity] | None, Field(min_length=1, max_length=MOST_DOSES)] = None

    @model_validator(mode="after")
    def _listed_or_spaced(self) -> Ladder:
        spaced = [part is not None for part in (self.from_, self.to, self.points)]
        if not (all(spaced) if self.values is None else not any(spaced)):
            raise ValueError("a ladder has either values, or from, to and points")
        return self


class Subjects(BaseModel):
    """Virtual subjects: how many, from which seed, and which parameters tell them apart.

    `key` is what a design calls them, `column` where the parameter table states their spread, and
    `lack` what is said of a row that states none.
    """

    model_config = STRICT
    key: ClassVar[str]
    word: ClassVar[str]
    title: ClassVar[str]
    column: ClassVar[str]
    lack: ClassVar[str]

    number: Annotated[int, Field(ge=1, le=MOST_SUBJECTS)]
    seed: Annotated[int, Field(ge=0)] = 1
    vary: str | list[str]


class Lines(Subjects):
    """Virtual cell lines."""

    key, word, title, column = "lines", "line", "virtual cell lines", "between_lines"
    lack = "states no spread between lines"

    vary: Literal["between_lines"] | Annotated[list[str], Field(min_length=1)] = "between_lines"


class Patients(Subjects):
    """Virtual patients."""

    key, word, title, column = "patients", "patient", "virtual patients", "between_patients"
    lack = "states no spread between patients"

    vary: Literal["between_patients"] | Annotated[list[str], Field(min_length=1)] = (
        "between_patients"
    )


class Uncertainty(Subjects):
    """Sets of the numbers that the model is unsure of."""

    key, word, column = "uncertainty", "draw", "uncertainty"
    title = "draws of the uncertain numbers"
    lack = "states no uncertainty that all compounds of the scenario share"

    vary: Literal["uncertainty"] | Annotated[list[str], Field(min_length=1)] = "uncertainty"


SUBJECTS: Mapping[str, type[Subjects]] = {kind.key: kind for kind in (Lines, Patients, Uncertainty)}
"""The kinds of subjects, by what a design calls them."""


class Design(BaseModel):
    """Where the scenario runs: dose ladders, values crossed or zipped, or virtual subjects."""

    model_config = STRICT

    dose: Ladder | None = None
    dose2: Ladder | None = None
    cross: dict[str, Annotated[list[Quantity], Field(min_length=1)]] = {}
    zip: dict[str, Annotated[list[Quantity], Field(min_length=1)]] = {}
    lines: Lines | None = None
    patients: Patients | None = None
    uncertainty: Uncertainty | None = None

    @property
    def subjects(self) -> Lines | Patients | Uncertainty | None:
        """The virtual lines or patients, or the draws of uncertain numbers, where there are any."""
        return self.lines or self.patients or self.uncertainty

    @property
    def goes_on(self) -> bool:
        """Whether a run that fails is noted, and ends nothing: one of many patients or draws."""
        return self.patients is not None or self.uncertainty is not None

    @model_validator(mode="after")
    def _consistent(self) -> Design:
        if self.dose2 and not self.dose:
            raise ValueError("dose2 needs dose")
        if self.dose and self.dose2 and self.dose.of == self.dose2.of:
            raise ValueError("dose and dose2 are ladders of two different steps")
        if len({len(values) for values in self.zip.values()}) > 1:
            raise ValueError("zipped lists must have one length")
        if both := self.cross.keys() & self.zip.keys():
            raise ValueError(f"{min(both)!r} is both crossed and zipped")
        kinds = [kind.key for kind in (self.lines, self.patients, self.uncertainty) if kind]
        if len(kinds) > 1:
            raise ValueError(f"a design has {' or '.join(kinds)}, not both")
        if self.subjects and (self.cross or self.zip):
            raise ValueError(
                f"a design has {self.subjects.key}, or values crossed and zipped, not both"
            )
        return self


class Observe(BaseModel):
    """When and what is recorded."""

    model_config = STRICT

    every: Quantity | None = None
    from_: Annotated[Quantity | None, Field(alias="from")] = None
    until: Quantity
    at: list[Quantity] = []
    outputs: Annotated[list[str], Field(min_length=1)]


class Equilibrate(BaseModel):
    """A run without drug before time zero; held values return to their start."""

    model_config = STRICT

    for_: Annotated[Quantity, Field(alias="for")]
    hold: list[str] = []


class Endpoint(BaseModel):
    """One number from a trajectory, or from other endpoints."""

    model_config = STRICT

    of: str | None = None
    take: TAKES | None = None
    at: Quantity | None = None
    from_: Annotated[Quantity | None, Field(alias="from")] = None
    until: Quantity | None = None
    above: Quantity | None = None
    below: Quantity | None = None
    arm: str | None = None
    compound: str | None = None
    dose: Quantity | None = None
    dose2: Quantity | None = None
    expr: str | None = None
    unit: str | None = None
    title: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Endpoint:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        """What is missing, or has no meaning here."""
        given = {name.rstrip("_") for name in self.model_fields_set} - {"title"}
        if self.expr is not None:
            yield from (f"expr does not take {name!r}" for name in given - {"expr", "unit"})
            return
        if self.of is None or self.take is None:
            yield "an endpoint has either of and take, or expr"
        moment = self.take in ("value", *OVER_DOSES)
        if moment and self.at is None:
            yield f"take: {self.take} needs at, the time of reading"
        levels = {
            "time_to": {"above", "below"}, "time_above": {"above"}, "time_below": {"below"},
        }.get(self.take or "", set())  # fmt: skip
        if levels and len(levels & given) != 1:
            yield f"take: {self.take} needs {' or '.join(sorted(levels))}, the level"
        allowed = {"of", "take", "arm", "compound", "dose2", *levels}
        allowed |= {"at"} if moment else {"from", "until"}
        allowed |= set() if self.take in OVER_DOSES else {"dose"}
        yield from (f"take: {self.take} does not take {name!r}" for name in given - allowed)


class OutcomeRule(BaseModel):
    """What counts as resistant: conditions on ``fold``, the endpoint over that of the reference."""

    model_config = STRICT

    of: str
    resistant_if: str
    reduced_if: str | None = None


class Case(BaseModel):
    """A label, and the condition on endpoints under which it is given."""

    model_config = STRICT

    label: str
    if_: Annotated[str | None, Field(alias="if")] = None


class ScoreRule(BaseModel):
    """A rule held against the truth: the class of each perturbation, by its own word or a map.

    A label is right for a class of its own name, or for those that `accepts` lists.
    """

    model_config = STRICT

    rule: str
    truth: Literal["class"] | dict[str, str] = "class"
    accepts: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    title: str | None = None

    def faults(
        self, rules: Mapping[str, list[Case]], perturbations: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Names that the scenario does not know, and where they stand below the score."""
        if self.rule not in rules:
            yield ("rule",), f"unknown rule {self.rule!r}{best_matches(self.rule, rules)}"
            return
        labels = [case.label for case in rules[self.rule]]
        for label in self.accepts.keys() - set(labels):
            hint = best_matches(label, labels)
            yield ("accepts", label), f"the rule {self.rule!r} gives no label {label!r}{hint}"
        for name in self.truth.keys() - set(perturbations) if isinstance(self.truth, dict) else ():
            hint = best_matches(name, perturbations)
            yield ("truth", name), f"{name!r} is not among the perturbations{hint}"


class Input(BaseModel):
    """An endpoint of another scenario, perturbation by perturbation and compound by compound."""

    model_config = STRICT

    from_: Annotated[str, Field(alias="from")]
    of: str
    arm: str | None = None
    compound: str | None = None
