"""Processes that die wherever they write to a store, without dying: and what must hold then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xarray as xr

from myelode.sweeps.blocks import DONE, MISSING
from myelode.sweeps.stores import files, replacements, skeletons
from myelode.sweeps.stores.store import open_store

from .fakes import plan_again, same

WRITING: tuple[ModuleType, ...] = (files, replacements, skeletons)
"""The modules in which stores are written."""


class Killed(BaseException):
    """The process ends here: nothing is tidied up."""


class Mortal:
    """`os` for a process that dies at the call of a system function after so many others.

    Attributes
    ----------
    is_dead : whether it came to that.
    """

    def __init__(self, calls: int):
        self._left = calls
        self.is_dead = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._counted(real) if name in ("open", "write", "replace", "unlink") else real

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                self.is_dead = True
                raise Killed
            return real(*arguments)

        return call


@contextmanager
def life(calls: int) -> Iterator[Mortal]:
    """Whoever writes to stores here dies after so many calls."""
    mortal = Mortal(calls)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for module in WRITING:
            patch.setattr(module, "os", mortal)
        stack.enter_context(suppress(Killed))
        yield mortal


def require_honest(path: Path) -> None:
    """Who reads the store sees no point as done whose numbers are not those of its plan.

    Neither those that look at keys nor those that do not, as plain xarray. What a loss of power has
    torn may be missing.
    """
    store = open_store(path)
    plan, layout = plan_again(store.document), store.layout
    for number in range(layout.chunks):
        raw, points = store.read(number), np.arange(*layout.bounds(number))
        right = plan.compute_points(points)
        done = raw["status"] == DONE
        for name in ("drug", "half_life"):
            lost = np.isnan(raw[name]).all()
            assert lost or same(raw[name][done], right[name][done]), (number, name)
        if not store.key(number):
            assert set(store.column("status", number).tolist()) == {MISSING}


def require_readable(path: Path) -> None:
    """Plain xarray opens it, and sees what we see or less."""
    store = open_store(path)
    with xr.open_zarr(path, chunks=None) as found:
        assert found.sizes["sample"] == store.layout.count
        times = found.time.values
        for number in range(store.layout.chunks):
            first, last = store.layout.bounds(number)
            if (found.status.values[first:last] == DONE).any():
                assert same(times, plan_again(store.document).times)
