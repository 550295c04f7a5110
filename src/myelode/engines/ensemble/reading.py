"""SBML onto a tape: the differential equations of a model, their slopes, outputs and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import libsbml

from myelode.engines.ensemble.chance import rivals
from myelode.engines.ensemble.clocks import SeenTape
from myelode.engines.ensemble.content import Content, Formula
from myelode.engines.ensemble.derivatives import BY_TIME, Derivatives
from myelode.engines.ensemble.holding import Holding, SmoothTape
from myelode.engines.ensemble.meanings import Meanings
from myelode.engines.ensemble.program import Assignment, Event, Program, Setter
from myelode.engines.ensemble.refusals import refuse_unsupported
from myelode.engines.ensemble.starts import read_start
from myelode.engines.ensemble.tape import Tape
from myelode.sbml import canonical


def read_program(sbml: str) -> Program:
    """The program of an SBML text.

    Raises ModelError for what is wrong and UnsupportedModelError for what cannot be done right.
    """
    document = libsbml.readSBMLFromString(canonical(sbml, "the model"))
    refuse_unsupported(document, sbml)
    return _Reader(Content(document.getModel())).program()


class _MovingMeanings(Meanings):
    """Values of ids at any time, from what is kept."""

    def __init__(self, content: Content, tape: Tape):
        self._states = {name: place for place, name in enumerate(content.states)}
        self._constants = {name: place for place, name in enumerate(content.constants)}
        homes = {name: s.compartment for name, s in content.species.items() if s.is_quotient}
        super().__init__(content, tape, {**content.assignments, **content.rates}, homes)

    def leaf(self, name: str) -> int:
        """What is kept for an id, or the quotient of it and the size of its compartment."""
        kept = self.kept(name)
        if not self.content.is_quotient(name):
            return kept
        return self.tape.apply("divide", kept, self[self.content.species[name].compartment])

    def amount(self, name: str) -> int:
        """The amount of a species."""
        return self.kept(name) if self.content.is_quotient(name) else super().amount(name)

    def kept(self, name: str) -> int:
        """What is kept for an id."""
        if name in self._states:
            return self.tape.state(self._states[name])
        return self.tape.given(self._constants[name])

    def place(self, name: str) -> Setter:
        """Where a new value of an id goes."""
        quotient = self.content.is_quotient(name)
        factor = self[self.content.species[name].compartment] if quotient else None
        if name in self._states:
            return Setter("state", self._states[name], factor)
        return Setter("constant", self._constants[name], factor)


class _Reader:
    """Three readings of one model onto one tape.

    What is integrated is written so that it has no jumps on the way (`smooth`), what triggers
    events as well (`triggering`), and what is looked at as it is (`seen`).
    """

    def __init__(self, content: Content):
        self.content = content
        self.tape = Tape()
        self.holding = Holding(self.tape, len(content.constants))
        self.smooth = _MovingMeanings(content, SmoothTape(self.holding))
        self.seen = _MovingMeanings(content, SeenTape(self.holding.clock))

    def program(self) -> Program:
        """The whole program."""
        content = self.content
        slopes = tuple(self.smooth.slope(name) for name in content.states)
        derivatives = Derivatives(self.tape)
        events = tuple(self._events())
        outputs = dict(self._outputs())
        held = self.holding.names()
        return Program(
            tape=self.tape,
            states=tuple(map(content.kept_name, content.states)),
            constants=(*map(content.kept_name, content.constants), *held),
            slopes=slopes,
            jacobian=_jacobian(derivatives, slopes),
            by_time=tuple(derivatives.by_state(slope, BY_TIME) for slope in slopes),
            roots=tuple(self.holding.roots),
            stops=tuple(self.holding.stops),
            held=self.holding.groups(),
            outputs=outputs,
            setters={n: self.seen.place(n) for n in (*content.states, *content.constants)},
            events=events,
            start=read_start(content, len(held)),
        )

    def _outputs(self) -> Iterator[tuple[str, int]]:
        content, seen = self.content, self.seen
        yield "time", self.tape.time()
        for name in (*content.compartments, *content.species, *content.parameters, *content.rates):
            yield name, seen[name]
        for name in content.numbers:
            yield name, seen[name]
        for name in content.compartments:
            yield f"amount({name})", seen[name]
            yield f"concentration({name})", seen[name]
        for name in content.species:
            yield f"amount({name})", seen.amount(name)
            yield f"concentration({name})", seen.concentration(name)

    def _events(self) -> Iterator[Event]:
        events = self.content.model.getListOfEvents()
        items = [item for item in events if item.isSetTrigger() and item.getTrigger().isSetMath()]
        if items:
            triggering = _MovingMeanings(self.content, SmoothTape(self.holding, instants=True))
            drawn = rivals(items)
            for number, item in enumerate(items):
                event = self._event(item, item.getId() or f"event {number + 1}", triggering)
                yield replace(event, drawn=number in drawn)

    def _event(self, item: Any, name: str, triggering: Meanings) -> Event:
        trigger = item.getTrigger()
        return Event(
            name=name,
            trigger=triggering.written(Formula(trigger.getMath(), f"the trigger of {name}")),
            assignments=tuple(self._assignments(item, name)),
            delay=self._optional(item.getDelay(), f"the delay of {name}"),
            priority=self._optional(item.getPriority(), f"the priority of {name}"),
            starts_true=bool(trigger.getInitialValue()),
            persistent=bool(trigger.getPersistent()),
            early=bool(item.getUseValuesFromTriggerTime()),
        )

    def _assignments(self, item: Any, name: str) -> Iterator[Assignment]:
        for assignment in item.getListOfEventAssignments():
            if assignment.isSetMath():
                target = assignment.getVariable()
                formula = Formula(assignment.getMath(), f"{target} in event {name}")
                yield Assignment(self.seen.place(target), self.seen.written(formula))

    def _optional(self, item: Any, where: str) -> int | None:
        if item is None or not item.isSetMath():
            return None
        return self.seen.written(Formula(item.getMath(), where))


def _jacobian(derivatives: Derivatives, slopes: tuple[int, ...]) -> Mapping[tuple[int, int], int]:
    found = {
        (row, column): derivatives.by_state(slope, column)
        for row, slope in enumerate(slopes)
        for column in sorted(derivatives.states_of(slope) - {BY_TIME})
    }
    return {place: v for place, v in found.items() if not derivatives.tape.is_number(v, 0.0)}
