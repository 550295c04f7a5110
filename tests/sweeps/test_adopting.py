"""Stores that take over another plan: nothing of the old one counts as done, whatever is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from myelode.errors import ScenarioError
from myelode.sweeps.backends.jobs import Job, do_job
from myelode.sweeps.blocks import DONE, MISSING, Layout
from myelode.sweeps.stores import skeletons
from myelode.sweeps.stores.ledgers import read_ledger
from myelode.sweeps.stores.store import Store, open_store

from .deaths import life, require_honest, require_readable
from .fakes import FakePlan, differences, new_store, plan_again, whole_store

OTHERS: dict[str, dict[str, Any]] = {
    "zeros": {"hours": 0.0},
    "growing": {"count": 44},
    "all": {"version": 2, "hours": 12.0, "count": 44},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweep.zarr"


@pytest.fixture
def _skeletons_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """zarr needs some 100 ms for each; here it is asked once for each plan."""
    build, made = skeletons._build, dict[str, Path]()

    def build_once(folder: Path, layout: Layout, document: str) -> None:
        if document not in made:
            made[document] = tmp_path / f"made_{len(made)}"
            build(made[document], layout, document)
        shutil.copytree(made[document], folder, dirs_exist_ok=True)

    monkeypatch.setattr(skeletons, "_build", build_once)


def adopt(path: Path, plan: FakePlan) -> Store:
    store = open_store(path)
    store.adopt(plan.layout, plan.document, plan.key)
    return store


def metadata(path: Path) -> dict[str, bytes]:
    """All that a store says before it holds a number."""
    files = [*path.rglob("zarr.json"), *path.glob("time/c*"), *path.glob("perturbation/c*")]
    files += path.glob("plan/document/c*")
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def finish(path: Path, plan: FakePlan) -> Store:
    store = adopt(path, plan)
    for number in range(plan.layout.chunks):
        do_job(plan, store, Job(number))
    return store


# What stays


def test_more_points_keep_the_chunks_that_are_there(path: Path) -> None:
    whole_store(path, count=20)
    more = FakePlan(count=44)
    store = adopt(path, more)
    assert (store.layout.count, store.document) == (44, more.document)
    store = open_store(path)
    assert (store.layout.count, store.document) == (44, more.document)
    assert store.keys() == ["1-0-8", "1-8-16", "", "", "", ""]
    assert not differences(finish(path, more), whole_store(path.with_name("other"), count=44)[1])
    assert xr.open_zarr(path).sizes["sample"] == 44


@pytest.mark.parametrize("counts", [(10, 40, 3000), (10, 1000), (999, 1001)], ids=str)
def test_a_sweep_of_less_than_a_chunk_grows(path: Path, counts: tuple[int, ...]) -> None:
    new_store(path, count=counts[0], chunk=1000)
    for count in counts:
        plan = FakePlan(count=count, chunk=1000, fail=[3])
        store = finish(path, plan)
        assert store.keys() == [plan.key(number) for number in range(plan.layout.chunks)]
        expected = whole_store(path.with_name(str(count)), count=count, chunk=1000, fail=[3])[1]
        assert not differences(open_store(path), expected)
        found = xr.open_zarr(path).load()
        assert found.sizes["sample"] == count
        assert np.flatnonzero(found.status.values).tolist() == [3]


def test_the_same_plan_touches_nothing(path: Path) -> None:
    plan, store = whole_store(path)
    before = (path / "zarr.json").stat().st_ino
    assert store.adopt(plan.layout, plan.document, plan.key) == []
    assert (path / "zarr.json").stat().st_ino == before


# What is forgotten


def test_all_that_is_of_an_older_plan_is_forgotten_at_once(path: Path) -> None:
    whole_store(path)
    plan = FakePlan(version=2)
    store = open_store(path)
    assert store.adopt(plan.layout, plan.document, plan.key) == [0, 1, 2, 3, 4]
    assert set(xr.open_zarr(path).status.values.tolist()) == {MISSING}
    assert store.keys() == [""] * 5
    assert read_ledger(store).missing == 40


def test_what_was_written_without_its_key_is_forgotten_too(path: Path) -> None:
    _, store = whole_store(path)
    (path / "plan" / "keys" / "c.1").unlink()
    plan = FakePlan(version=2)
    assert store.adopt(plan.layout, plan.document, plan.key) == [0, 2, 3, 4]
    assert set(xr.open_zarr(path).status.values.tolist()) == {MISSING}


def test_keys_are_asked_only_of_chunks_that_are_there(path: Path) -> None:
    old, store = new_store(path, count=800)
    for number in (2, 5):
        do_job(old, store, Job(number))
    plan = FakePlan(count=808)
    assert store.adopt(plan.layout, plan.document, plan.key) == []
    assert set(plan.asked) == {2, 5}


def test_who_cannot_say_a_key_changes_nothing(path: Path) -> None:
    _, store = whole_store(path)
    before = metadata(path)

    def fail(number: int) -> str:
        raise ScenarioError("the model is gone")

    plan = FakePlan(version=2)
    with pytest.raises(ScenarioError, match="the model is gone"):
        store.adopt(plan.layout, plan.document, fail)
    assert metadata(path) == before
    assert set(store.status().tolist()) == {DONE}


def test_who_opened_the_store_before_writes_nothing_after(path: Path) -> None:
    old, store = new_store(path)
    adopt(path, FakePlan(version=2))
    with pytest.raises(ScenarioError, match="has changed while the sweep was running: run it"):
        do_job(old, store, Job(0))
    assert set(xr.open_zarr(path).status.values.tolist()) == {MISSING}
    assert open_store(path).keys() == [""] * 5


# Whatever is killed


def deaths(path: Path, plan: FakePlan) -> Iterator[Path]:
    """Copies of a store in which the taking over of a plan was killed, at each moment once."""
    for calls in range(10_000):
        there = shutil.copytree(path, path.with_name(f"killed_{calls}.zarr"))
        with life(calls) as mortal:
            adopt(there, plan)
        if not mortal.is_dead:
            return
        yield there
        shutil.rmtree(there)
    raise AssertionError("it never ends")


@pytest.mark.usefixtures("_skeletons_are_made_once")
@pytest.mark.parametrize("other", OTHERS)
def test_taking_over_a_plan_may_be_killed_at_any_moment(path: Path, other: str) -> None:
    whole_store(path, fail=[3])
    plan = FakePlan(**OTHERS[other], fail=[3])
    _, expected = whole_store(path.with_name("expected.zarr"), **OTHERS[other], fail=[3])
    moments = 0
    for there in deaths(path, plan):
        moments += 1
        require_honest(there)
        require_readable(there)
        store = adopt(there, plan)
        assert metadata(there) == metadata(expected.path)
        assert (store.document, store.layout.count) == (plan.document, plan.layout.count)
        if moments % 5 == 0:
            assert not differences(finish(there, plan), expected)
    assert moments >= 20


@pytest.mark.usefixtures("_skeletons_are_made_once")
@pytest.mark.parametrize("other", ["zeros"])
def test_after_a_kill_one_may_also_go_back(path: Path, other: str) -> None:
    old, before = whole_store(path)
    for there in deaths(path, FakePlan(**OTHERS[other])):
        adopt(there, old)
        assert metadata(there) == metadata(path)
        assert not differences(finish(there, old), before)


@pytest.mark.usefixtures("_skeletons_are_made_once")
@pytest.mark.parametrize("other", ["all"])
def test_after_a_kill_the_store_itself_says_how_to_go_on(path: Path, other: str) -> None:
    """Its document is that of a plan which the store can take over."""
    whole_store(path)
    for there in deaths(path, FakePlan(**OTHERS[other])):
        plan = plan_again(open_store(there).document)
        store = finish(there, plan)
        _, expected = new_store(there.with_name("right.zarr"), **plan.about)
        assert metadata(there) == metadata(expected.path)
        assert set(store.status().tolist()) == {DONE}
        shutil.rmtree(expected.path)


# What is refused


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"id": "another"}, "its id is: fake, not another"),
        ({"chunk": 10}, "points in a chunk: 8, not 10"),
        ({"count": 39}, "points: 40, not 39"),
    ],
)
def test_the_store_of_another_sweep_is_refused(
    path: Path, about: dict[str, Any], what: str
) -> None:
    _, store = whole_store(path)
    other = FakePlan(**about)
    with pytest.raises(
        ScenarioError, match=f"is the store of another sweep .{what}.: name another"
    ):
        store.adopt(other.layout, other.document, other.key)
    assert store.keys()[0] == "1-0-8"


def test_another_axis_is_another_sweep(path: Path) -> None:
    plan, store = whole_store(path)
    renamed = tuple(
        replace(item, name="k_other") if item.name == "k" else item
        for item in plan.layout.variables
    )
    with pytest.raises(ScenarioError, match=r"another sweep \(k: float64 .*, not absent\)"):
        store.adopt(replace(plan.layout, variables=renamed), "{}", plan.key)
