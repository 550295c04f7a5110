"""The steps of a scenario become instants of affine changes, in the model's own units."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.regimens.acts import Act, Plans, Spell, acts_of, exclusive_acts, to_instants
from myelode.regimens.conditions import require_names
from myelode.regimens.dose_sizes import level_of
from myelode.regimens.doses import bolus_sizes, dosed_species, infusion_size, shares
from myelode.regimens.occasions import Occasions
from myelode.regimens.steps import Context, Place, Step, label_times, resolve_time
from myelode.regimens.timeline import (
    Change,
    Clash,
    Instant,
    Occurrence,
    SteadyState,
    is_same_time,
    tidy,
)
from myelode.sbml.infusions import infusion_rate

Rates = Mapping[str, float]
"""The rate at which each species is infused."""


@dataclass(frozen=True)
class Regimen:
    """A compiled regimen: its instants, and the times of its labels."""

    instants: tuple[Instant, ...]
    labels: Mapping[str, float]


def infused_species(steps: Sequence[Step], model: Model) -> tuple[str, ...]:
    """The species that the regimen infuses; the model needs an input for each."""
    infusions = (step for step in steps if step.infuse)
    return tuple(dict.fromkeys(name for step in infusions for name in dosed_species(step, model)))


def regimen_targets(steps: Sequence[Step]) -> frozenset[str]:
    """Parameters that the regimen sets; no other setting of them would last."""
    return frozenset(name for step in steps for name in (step.set or {}))


def compile_regimen(steps: Sequence[Step], context: Context, end: float, at: Place) -> Regimen:
    """The instants of the steps, in order of time; `at` names the place of a step in errors.

    Raises ScenarioError for unknown names, wrong units, negative times, acts on one value at one
    time that do not add up, and a wash before there is anything to wash out.
    """
    labels = label_times(steps, context, at)
    compiler = _Compiler(steps, context, labels, end)
    starts = []
    for number, step in enumerate(steps):
        with at(number):
            require_names(step, context.model)
            starts.append((resolve_time(step.at, labels, context), _rank(step), number))
    for start, _, number in sorted(starts):
        with at(number):
            compiler.include(number, start)
    acts = compiler.all_acts()
    for one, other in exclusive_acts(acts):
        with at(other.step):
            compiler.exclude(one, other, steps)
    return Regimen(tuple(to_instants(acts, compiler.plans.until(end))), labels)


def _rank(step: Step) -> int:
    """The order of steps at one time: first what puts the model back, then what acts on it."""
    if step.reset:
        return 0
    return 1 if step.steady_state else 2


class _Compiler:
    """Collects what the steps do; they come in order of time."""

    def __init__(
        self, steps: Sequence[Step], context: Context, labels: Mapping[str, float], end: float
    ):
        self.steps = steps
        self.context = context
        self.occasions = Occasions(context, labels, end)
        self.end = end
        self.acts: list[Act] = []
        self.infusions: list[Spell] = []
        self.settings: list[Spell] = []
        self.plans = Plans()
        self.numbers = itertools.count()
        self.first_dose = math.inf
        self.number = 0

    def include(self, number: int, start: float) -> None:
        """Add the step of that number."""
        self.number, step = number, self.steps[number]
        if start > self.end:
            raise ScenarioError(f"{step.title} comes after the end of the run at {self.end:g}")
        getattr(self, f"_{step.verb}")(step, start)

    def exclude(self, one: Act, other: Act, steps: Sequence[Step]) -> None:
        """Refuse two acts on one value at one time; of conditional ones this is for the run."""
        who = " and ".join(dict.fromkeys(steps[act.step].title for act in (one, other)))
        said = f"{who} both change {one.change.target!r} at time {one.time:g}"
        self._clash(one.time, (one.occurrence, other.occurrence), said, ": shift one of them")

    def _clash(
        self, time: float, pair: tuple[int | None, int | None], said: str, advice: str = ""
    ) -> None:
        """What must not happen together: a fault now, or only if both acts take place."""
        if pair == (None, None):
            raise ScenarioError(said + advice)
        self.plans.clashes.append((time, Clash(*pair, f"{said}: both took place")))

    def all_acts(self) -> list[Act]:
        """What all steps do until the end of the run."""
        return [act for act in self._all_acts() if act.time <= self.end]

    def _all_acts(self) -> Iterator[Act]:
        yield from self.acts
        yield from acts_of(self.infusions, lambda _, lasting: math.fsum(s.value for s in lasting))
        yield from acts_of(self.settings, self._setting, sums=False)

    def _setting(self, name: str, lasting: Sequence[Spell]) -> float:
        """The latest setting that lasts, else the value at the start of the run."""
        if lasting:
            return lasting[-1].value
        back = self.context.value(name)
        if back is None:
            raise ScenarioError(f"{name!r} has no value to go back to after its setting")
        return back

    def _start_again(self, start: float) -> None:
        """What earlier steps still had to do is cancelled."""
        self.acts = [act for act in self._all_acts() if act.time < start]
        self.infusions, self.settings = [], []
        self.plans.cancel(start)

    def _occurrence(self, step: Step, time: float) -> int | None:
        """The number of an occurrence that may not take place, None for one that is certain."""
        if step.if_ is None:
            return None
        occurrence = Occurrence(next(self.numbers), step.if_, step.title, step.counted_as)
        self.plans.occurrences.append((time, occurrence))
        return occurrence.number

    def _dose(self, step: Step, start: float) -> None:
        adds = step.to is None
        factor, share = (1.0, step.bioavailability or 1.0) if adds else (0.0, 1.0)
        sizes = bolus_sizes(step, self.context)
        changes = [Change(species, factor, size * share) for species, size in sizes.items()]
        if step.steady_state:
            self._recur(step, start, [Instant(0.0, tuple(changes))])
        for time in self._occasions(step, start):
            due = self._occurrence(step, time)
            own = (
                [replace(change, occurrence=due) for change in changes]
                if due is not None
                else changes
            )
            self.acts += [Act(time, change, self.number, adds) for change in own]

    def _infuse(self, step: Step, start: float) -> None:
        total, duration = infusion_size(step, self.context)
        rates = {name: total * share for name, share in shares(step, self.context).items()}
        if not math.isfinite(duration):
            self._infuse_until(step, start, rates)
            return
        if step.steady_state:
            self._infuse_for_ever(step, start, rates, duration)
        for time in self._occasions(step, start):
            self._add_infusion(rates, time, time + duration, self._occurrence(step, time))

    def _add_infusion(self, rates: Rates, start: float, end: float, due: int | None = None) -> None:
        for species, rate in rates.items():
            name = infusion_rate(species)
            self.infusions.append(Spell(name, start, tidy(end), rate, self.number, due))

    def _infuse_until(self, step: Step, start: float, rates: Rates) -> None:
        """A constant infusion that has reached its steady state, and ends."""
        self._start_again(start)
        self.first_dose = min(self.first_dose, start)
        self._add_steady(step, start, SteadyState(self.end, (_rates_from(0.0, rates),), 0.0))
        self._add_infusion(dict.fromkeys(rates, 0.0), start, start)

    def _infuse_for_ever(self, step: Step, start: float, rates: Rates, duration: float) -> None:
        """Infusions given since ever: their recurrence, and the tails of those still running."""
        period, phase = self.occasions.period(step), self.occasions.phase(step)
        running, rest = divmod(duration, period)
        instants = [_rates_from(0.0, rates, running + (rest > 0))]
        if rest > 0:
            instants.append(_rates_from(rest, rates, running))
        self._recur(step, start, instants)
        previous = start - phase if phase > 0 else start - period
        while previous + duration > start:
            self._add_infusion(rates, start, previous + duration)
            previous -= period

    def _recur(self, step: Step, start: float, instants: Sequence[Instant]) -> None:
        """The steady state of a step that is repeated for ever takes the place of all before it."""
        self._start_again(start)
        self._add_steady(
            step,
            start,
            SteadyState(self.occasions.period(step), tuple(instants), self.occasions.phase(step)),
        )

    def _add_steady(self, step: Step, start: float, state: SteadyState) -> None:
        if start in self.plans.steady:
            raise ScenarioError(f"{step.title}: there is one steady state at a time, not two")
        self.plans.steady[start] = state

    def _wash(self, step: Step, start: float) -> None:
        left = 1.0 / float(step.dilute or 1.0) ** (step.times or 1)
        self._exchange(step, start, step.wash or "", left)

    def _renew(self, step: Step, start: float) -> None:
        fraction = 1.0 if step.fraction is None else step.fraction
        self._exchange(step, start, step.renew or "", 1.0 - fraction)

    def _exchange(self, step: Step, start: float, compartment: str, left: float) -> None:
        """Replace medium by fresh medium, which has the composition of the start or as said."""
        model = self.context.model
        species = _washed_species(model, compartment)
        start_values = {name: self.context.value(name) for name in species}
        if self.first_dose >= start and not any(value != 0 for value in start_values.values()):
            raise ScenarioError(f"{step.title} comes before any dose: there is nothing to wash out")
        fresh = {
            name: level_of(name, value, self.context) for name, value in (step.fresh or {}).items()
        }
        for name in fresh:
            if name not in species:
                raise ScenarioError(f"{step.title}: {name!r} is not in {compartment!r}")
        due = self._occurrence(step, start)
        for name, value in {**start_values, **fresh}.items():
            if value is None:
                raise ScenarioError(f"{step.title}: say how much {name} is in the fresh medium")
            change = Change(name, left, value * (1.0 - left), due)
            self.acts.append(Act(start, change, self.number))

    def _set(self, step: Step, start: float) -> None:
        values = {name: self._value_to_set(step, name) for name in step.set or {}}
        for time in self.occasions.times(step, start):
            finish, due = self.occasions.finish(step, time), self._occurrence(step, time)
            for name, value in values.items():
                spell = Spell(name, time, finish, value, self.number, due)
                self._require_free(step, spell)
                self.settings.append(spell)

    def _value_to_set(self, step: Step, name: str) -> float:
        entity = self.context.model.entity(name)
        if entity.kind != "parameter" or entity.rule:
            raise ScenarioError(f"{step.title}: {name!r} is no parameter that can be set")
        return level_of(name, (step.set or {})[name], self.context)

    def _reset(self, step: Step, start: float) -> None:
        if step.reset:
            self._start_again(start)
            self.plans.resets.append(start)

    def _require_free(self, step: Step, spell: Spell) -> None:
        """One setting may end another that has no end of its own, but not cut one short."""
        for other in filter(spell.excludes, self.settings):
            first, second = sorted((other, spell), key=lambda item: item.start)
            said = f"{step.title}: {spell.target!r} is "
            if is_same_time(first.start, second.start):
                said += f"set twice at {second.start:g}"
            else:
                said += f"already set until {first.end:g}"
            self._clash(second.start, (first.occurrence, second.occurrence), said)

    def _occasions(self, step: Step, start: float) -> list[float]:
        """The times of all doses of a step."""
        times = self.occasions.times(step, start)
        self.first_dose = min(self.first_dose, times[0])
        return times


def _rates_from(time: float, rates: Rates, times: float = 1.0) -> Instant:
    """Infusions into several species at so many times their rates, from a time on."""
    changes = (Change(infusion_rate(name), 0.0, times * rate) for name, rate in rates.items())
    return Instant(time, tuple(changes))


def _washed_species(model: Model, compartment: str) -> tuple[str, ...]:
    if model.entity(compartment, "compartment").kind != "compartment":
        raise ScenarioError(f"{compartment!r} is no compartment: wash a compartment such as medium")
    return tuple(
        entity.id
        for entity in model.entities.values()
        if entity.compartment == compartment and not entity.rule and not entity.constant
    )
