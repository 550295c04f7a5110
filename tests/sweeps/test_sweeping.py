"""A sweep from Python is one dataset, whether it stands in memory or in a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import myelode
from myelode.sweeps.sections import Sweep
from tests.sweeps.decay import sweep_of, write_decay

DESIGN = "grid: {regimen.pulse.to: [1 uM, 2 uM], k: {from: 0.1 1/h, to: 1 1/h, points: 5}}"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    scenario = write_decay(tmp_path_factory.mktemp("decay"))
    return sweep_of(scenario, DESIGN, "record: [drug]\nchunk: 3\nengine: ensemble\n")


@pytest.fixture(scope="module")
def in_memory(toy: Sweep) -> xr.Dataset:
    return myelode.sweep(toy)


def test_dimensions_have_the_names_of_the_house(in_memory: xr.Dataset) -> None:
    assert dict(in_memory["left"].sizes) == {"sample": 10, "perturbation": 2}
    assert in_memory["drug"].dims == ("sample", "perturbation", "time")
    assert {"k", "regimen.pulse.to", "perturbation", "time"} <= set(in_memory.coords)
    assert in_memory["k"].attrs["units"] == "1/h"


def test_a_store_holds_the_same(toy: Sweep, in_memory: xr.Dataset, tmp_path: Path) -> None:
    stored = myelode.sweep(toy, tmp_path / "toy.zarr", workers=2).load()
    assert in_memory.identical(stored.assign(seconds=in_memory["seconds"]))
    with xr.open_zarr(tmp_path / "toy.zarr", consolidated=False) as opened:
        np.testing.assert_array_equal(opened["left"].values, in_memory["left"].values)


def test_progress_ends_with_all_points(toy: Sweep, tmp_path: Path) -> None:
    seen: list[int] = []
    for store in (None, tmp_path / "toy.zarr"):
        myelode.sweep(toy, store, progress=lambda done, total: seen.append(done))
        assert seen == sorted({3, 6, 9, 10} | {*seen})
        seen.clear()


def test_a_store_is_gone_on_with(toy: Sweep, tmp_path: Path) -> None:
    first = myelode.sweep(toy, tmp_path / "toy.zarr").load()
    again = myelode.sweep(toy, tmp_path / "toy.zarr").load()
    assert first.identical(again)  # seconds too: nothing was computed twice
