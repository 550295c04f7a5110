"""A sweep, planned: its points in chunks, what each chunk is known by, and how it is computed.

A plan is made from a sweep file, or again, in another process or on another machine, from the
document that a store holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from time import perf_counter

import numpy as np

from myelode.engines import Tolerances
from myelode.engines.protocol import Limits
from myelode.errors import ScenarioError
from myelode.model import load_model
from myelode.simulation import read_tolerances
from myelode.sweeps.axes import Axis
from myelode.sweeps.blocks import REFUSED, Block, Layout
from myelode.sweeps.cores import Core, Simulated
from myelode.sweeps.designs.reading import read_points
from myelode.sweeps.documents import Document, files_behind, read_document, where_of
from myelode.sweeps.keys import chunk_key, plan_state, structure_digest
from myelode.sweeps.layouts import fitting, make_layout
from myelode.sweeps.readouts import read_out
from myelode.sweeps.sections import Sweep, load_sweep, sweep_from_text
from myelode.sweeps.stores.packing import require_packable
from myelode.sweeps.structures import Places, Structure, build_structure, planner_at, read_axes
from myelode.sweeps.verdicts import without_labels

LARGEST_SLAB = 2**25
"""Bytes that the trajectories of points computed together may take, so that caches hold them."""

NEAR = 1024
"""Points that are no further apart are looked up together."""

THREADED, ONE_BY_ONE = (1024, 8192), (1, 256)
"""Points of the smallest and of the largest chunk, for engines that do many runs at once or one."""
MOST_CHUNKS = 128
"""Chunks of a sweep, until they have the largest size."""

TOO_SMALL = 16
"""How much smaller than usual chunks are of which it is said."""

MOST_MODELS, MOST_STRUCTURES = 16, 64
"""How many models, and how many scenarios at different places, are kept at hand."""


class SweepPlan:
    """The points of a sweep, and what is computed at each.

    Parameters
    ----------
    chunk : how many points are computed and written together, where not as the sweep says.
    engine : the one to take where the sweep leaves the choice.
    """

    def __init__(self, sweep: Sweep, chunk: int | None = None, engine: str = "auto"):
        self.sweep = sweep
        self.tolerances: Tolerances = read_tolerances(sweep.rtol, sweep.atol)
        self._load = lru_cache(maxsize=MOST_MODELS)(load_model)
        self._axes_of = read_axes(sweep, self._load)
        self._points = read_points(sweep.design, self._axes_of, sweep.at, sweep.beside)
        self.axes: Mapping[str, Axis] = {n: self._axes_of.axis(n) for n in self._points.names}
        self._numbers = {n: axis for n, axis in self.axes.items() if not axis.is_place}
        self._structure = lru_cache(maxsize=MOST_STRUCTURES)(self._build)
        self._engine = engine if sweep.engine == "auto" else sweep.engine
        self._engine = self._first.chosen.engine  # one for all structures
        self._digest = lru_cache(maxsize=MOST_STRUCTURES)(self._structure_digest)
        self.key = lru_cache(maxsize=None)(self._key)
        self._chunk = chunk or sweep.chunk or usual_chunk(self.points, self.is_threaded)
        self.document = self._document()

    @property
    def points(self) -> int:
        """How many points there are."""
        return self._points.count

    @property
    def engine(self) -> str:
        """The name of the engine."""
        return self._engine

    @property
    def is_threaded(self) -> bool:
        """Whether chunks may run side by side in threads; else each needs a process of its own."""
        return self._first.chosen.is_bulk

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the sweep file does not hold, and chunks that a store has from smaller days."""
        limits, usual = self.sweep.limits, usual_chunk(self.points, self.is_threaded)
        has_limits = limits.steps is not None or limits.seconds is not None
        found = [f"{self.engine} keeps no limits"] if has_limits and not self.is_threaded else []
        if self.sweep.chunk is None and TOO_SMALL * self._chunk <= usual:
            said = f"{self.layout.chunks:,} chunks, which are as small as the store has them"
            few = -(-self.points // usual)
            found.append(f"{said}: in another store (-o) there would be {few:,}")
        return tuple(found)

    @cached_property
    def layout(self) -> Layout:
        """The arrays of the sweep."""
        shape = self._shape_of(self._first)
        nothing = np.full((*shape[:-3], 2, *shape[-2:]), np.nan)
        kept = read_out(self.sweep, self._first, nothing, np.arange(2))
        model = self._first.planner.model
        axes = self.axes.values()
        layout = make_layout(self.sweep, model, axes, kept, self.points, self._chunk)
        with self.sweep.at("chunk"):
            require_packable(layout)
        return layout

    def _document(self) -> str:
        """All that is needed to make the plan again, as JSON."""
        sweep, planner = self.sweep, self._axes_of.planner
        files = files_behind(sweep, planner, self._points)
        state = plan_state(sweep, planner, self._points.about, files)
        return Document(sweep.text, where_of(sweep), self._chunk, self.engine, state).as_text()

    def _key(self, number: int) -> str:
        """What a chunk is known by; it changes with whatever its numbers depend on."""
        first, last = self.layout.bounds(number)
        marks = self._points.marks(first, last)
        parts = (
            (self._digest(places), which, self._at(marks, which))
            for places, which in self._by_places(marks, last - first)
        )
        return chunk_key(self.axes, self._points.about, parts)

    def compute(self, number: int, threads: int = 1) -> Block:
        """A chunk; all but its seconds is the same whenever and wherever it is computed."""
        first, last = self.layout.bounds(number)
        return self.compute_points(np.arange(first, last), threads)

    def compute_points(
        self, numbers: Sequence[int] | np.ndarray, threads: int = 1, rtol: float | None = None
    ) -> Block:
        """Some points, in their order, perhaps to another relative tolerance."""
        numbers = np.asarray(numbers, dtype=np.int64)
        return self.compute_at(self.columns(numbers), numbers, threads, rtol)

    def compute_at(
        self,
        columns: Mapping[str, np.ndarray],
        numbers: np.ndarray,
        threads: int = 1,
        rtol: float | None = None,
    ) -> Block:
        """Points with these values of all axes, in the design or beside it.

        `numbers` are what assays know them by, whose noise depends on it.
        """
        tolerances = replace(self.tolerances, relative=rtol) if rtol else self.tolerances
        block = self.layout.empty(len(numbers))
        for places, which in self._by_places(columns, len(numbers)):
            structure = replace(self._structure(places), tolerances=tolerances)
            for slab in self._slabs(structure, which):
                values = self._at(columns, slab)
                self._fill(block, slab, numbers[slab], structure, values, threads)
        for name in self.axes:
            block[name][:] = columns[name]
        return block

    def columns(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """The values of all axes at some points, which increase."""
        numbers = np.asarray(numbers, dtype=np.int64)
        found: list[dict[str, np.ndarray]] = []
        for near in np.split(numbers, np.flatnonzero(np.diff(numbers) > NEAR) + 1):
            first = int(near[0])
            span = self._points.columns(first, int(near[-1]) + 1)
            found.append({name: values[near - first] for name, values in span.items()})
        return {name: np.concatenate([part[name] for part in found]) for name in self.axes}

    @cached_property
    def _first(self) -> Structure:
        """The structure of the first point."""
        [(places, _), *_] = self._by_places(self._points.columns(0, 1), 1)
        return self._structure(places)

    def _build(self, places: Places) -> Structure:
        planner = self._axes_of.planner
        if places:
            planner = planner_at(self.sweep, places, self._load)
        return build_structure(
            self.sweep, planner, places, self._numbers, self.tolerances, self._engine, self.points
        )

    def _structure_digest(self, places: Places) -> str:
        return structure_digest(self.sweep, self._structure(places))

    def _by_places(
        self, columns: Mapping[str, np.ndarray], count: int
    ) -> Iterator[tuple[Places, np.ndarray]]:
        """Points that share a structure: its places, and the points' numbers among these."""
        names = [name for name, axis in self.axes.items() if axis.is_place]
        if not names:
            yield (), np.arange(count)
            return
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, key in enumerate(zip(*(columns[name] for name in names), strict=True)):
            groups.setdefault(key, []).append(number)
        for key, which in groups.items():
            yield tuple(zip(names, key, strict=True)), np.array(which)

    def _at(self, columns: Mapping[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
        """The numbers of some points, by axis."""
        return {name: columns[name][which] for name in self._numbers}

    def _shape_of(self, structure: Structure) -> tuple[int, ...]:
        """The shape of a structure's values, for no points."""
        plan = structure.plan
        sizes = (len(axis.values) for axis in plan.axes)
        return (*sizes, 0, len(plan.times), len(plan.columns))

    @property
    def slab_bytes(self) -> int:
        """Bytes of the trajectories that are in memory together."""
        each = self._bytes_of(self._first)
        return each * max(1, min(self._chunk, self.points, LARGEST_SLAB // each))

    def _bytes_of(self, structure: Structure) -> int:
        """Bytes of the trajectories of one point."""
        shape = self._shape_of(structure)
        return 8 * int(np.prod([*shape[:-3], *shape[-2:]]))

    def _slabs(self, structure: Structure, which: np.ndarray) -> Iterator[np.ndarray]:
        """The points of a structure, so many at a time as memory should hold."""
        size = max(1, LARGEST_SLAB // self._bytes_of(structure))
        for first in range(0, len(which), size):
            yield which[first : first + size]

    def _fill(
        self, block: Block, which: np.ndarray, numbers: np.ndarray, structure: Structure,
        values: Mapping[str, np.ndarray], threads: int,
    ) -> None:  # fmt: skip
        """Compute points of a structure, and put what became of them into a block."""
        started = perf_counter()
        limits = Limits(self.sweep.limits.steps, self.sweep.limits.seconds)
        found = Core(structure, values, len(which), limits, threads).run()
        self._read(block, which, numbers, structure, found)
        found.put(block, which, structure.tolerances.relative, perf_counter() - started)

    def _read(
        self, block: Block, which: np.ndarray, numbers: np.ndarray, structure: Structure,
        found: Simulated,
    ) -> None:  # fmt: skip
        """Put the results of points into a block; those that cannot be evaluated are refused."""
        try:
            kept = read_out(self.sweep, structure, found.values, numbers)
        except ScenarioError as error:
            if len(which) == 1:
                found.status[:], found.reasons[:] = REFUSED, str(error)
                return
            middle = len(which) // 2
            for half in (slice(middle), slice(middle, None)):
                self._read(block, which[half], numbers[half], structure, found.part(half))
            return
        for variable in self.layout.variables:
            if variable.name in kept:
                with self.sweep.at("design"):
                    values = fitting(kept[variable.name], variable)
                block[variable.name][which] = without_labels(values, variable, found.status)


def usual_chunk(points: int, is_threaded: bool) -> int:
    """How many points a chunk has where nobody says.

    Larger ones make fewer files; an engine that does one run at a time needs a process for each
    chunk, and so smaller ones.
    """
    smallest, largest = THREADED if is_threaded else ONE_BY_ONE
    return min(largest, max(smallest, 1 << (points // MOST_CHUNKS).bit_length()))


def plan_sweep(name_or_path: str | Path | Sweep, chunk: int | None = None) -> SweepPlan:
    """The plan of a sweep; raises ScenarioError or ModelError with the place of a fault."""
    if isinstance(name_or_path, Sweep):
        return SweepPlan(name_or_path, chunk)
    return SweepPlan(load_sweep(name_or_path), chunk)


def plan_again(document: str) -> SweepPlan:
    """The plan that a document describes; raises ScenarioError where the document is none."""
    found = read_document(document)
    return SweepPlan(sweep_from_text(found.sweep, found.where), found.chunk, found.engine)
