"""The shipped sweeps run, and their points say what their titles say."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from myelode.library import sweeps
from myelode.sweeps.blocks import DONE, Block, joined
from myelode.sweeps.plans import plan_sweep

ANALYSED = {"melflufen_elasticities"}
"""Sweeps that have tests of their own beside those of their analysis."""


@cache
def ran(name: str) -> Block:
    """All points of a shipped sweep; computed once for all tests of a process."""
    plan = plan_sweep(name)
    return joined([plan.compute(number) for number in range(plan.layout.chunks)])


def on_grid(block: Block, name: str, axes: tuple[str, str]) -> np.ndarray:
    """An endpoint as a table: rows are values of the first axis, columns those of the second."""
    sizes = [len(np.unique(block[axis])) for axis in axes]
    values = block[name]
    assert (block["status"] == DONE).all()
    return values.reshape(*sizes, *values.shape[1:])


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where rising values pass a level, on a logarithmic scale."""
    return float(np.exp(np.interp(level, y, np.log(x))))


def losing_apn_costs_much_only_where_the_others_are_low(block: Block) -> None:
    peptidases, esterases = np.unique(block["APc"]), np.unique(block["EST"])
    fold = on_grid(block, "fold", ("APc", "EST"))[..., 1]
    assert fold[-1, -1] < 1.05
    assert fold[:, esterases > 0.45].max() < 1.5
    assert fold[peptidases > 0.65].max() < 1.5
    assert fold[np.abs(peptidases - 0.1).argmin(), np.abs(esterases - 0.1).argmin()] > 1.7
    assert fold[0, 0] == np.inf


def fewer_copies_need_less_efflux(block: Block) -> None:
    copies, pumps = np.unique(block["R0"]), np.unique(block["fMRP"])
    effect = 1 - on_grid(block, "left", ("R0", "fMRP"))[..., 0]
    half = [crossing(pumps, -row / row[0], -0.5) for row in effect]
    many, few = np.abs(copies - 9500).argmin(), np.abs(copies - 3000).argmin()
    assert 30 < half[many] < 60
    assert 7 < half[few] < 14
    assert (np.diff(half)[copies[1:] > 1000] > 0).all()
    assert effect[copies < 1000, 0].max() < 0.1
    twelve = np.abs(pumps - 12).argmin()
    assert min(effect[many, twelve], effect[few, 0]) > 0.6 * effect[many, 0]
    assert effect[few, twelve] < 0.4 * effect[many, 0]


def affinity_costs_potency_and_cereblon_the_effect(block: Block) -> None:
    axes = ("CRBN_copies", "scale_K")
    largest, half = (on_grid(block, name, axes) for name in ("emax_96", "ec50_96"))
    largest, half = (values.reshape(8, 4, 4) for values in (largest, half))  # ..., ligand
    assert (largest[:, 0] - largest[:, -1]).max() < 0.06
    assert (half[:, -1] / half[:, 0] > 20).all()
    parallel = half[-1, -1] / half[-1, 0]
    assert parallel.max() < 1.1 * parallel.min()
    third = np.abs(np.unique(block["CRBN_copies"]) - 0.37).argmin()
    lenalidomide, mezigdomide = largest[third, 0, 0], largest[third, 0, 3]
    assert lenalidomide < 0.55 * largest[-1, 0, 0]
    assert mezigdomide > 0.98 * largest[-1, 0, 3]
    assert (np.diff(largest[0, 0]) > 0).all()  # the stronger the glue, the more is left to it


MESSAGES: dict[str, Callable[[Block], None]] = {
    "melflufen_apn_and_others": losing_apn_costs_much_only_where_the_others_are_low,
    "belantamab_copies_and_efflux": fewer_copies_need_less_efflux,
    "cereblon_level_and_affinity": affinity_costs_potency_and_cereblon_the_effect,
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_shipped_sweep_shows_what_its_title_says(name: str) -> None:
    MESSAGES[name](ran(name))


def test_every_shipped_sweep_has_a_test() -> None:
    assert {*sweeps()} == {*MESSAGES, *ANALYSED}
