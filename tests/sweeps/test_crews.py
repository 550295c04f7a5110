"""Crews of worker processes: chunks that kill come last, and no region of them ends a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.errors import ScenarioError
from myelode.sweeps.backends import crews, culprits
from myelode.sweeps.backends.crews import Crew, Hope
from myelode.sweeps.backends.jobs import Finished, Job
from myelode.sweeps.backends.local import Stop, run_chunks
from myelode.sweeps.backends.processes import Worker, _answer
from myelode.sweeps.backends.running import run_missing, writing
from myelode.sweeps.backends.suspects import Agenda, Suspect
from myelode.sweeps.blocks import CRASHED, DONE, MISSING

from .fakes import PLANNER, FakePlan, new_store, whole_store

SEGMENTATION = -11

pytestmark = pytest.mark.usefixtures("workers_find_the_fake")


class CuriousPlan(FakePlan):
    """Tells of which chunks the key was asked for."""

    def __init__(self, **about: Any):
        super().__init__(**about)
        self.asked: list[int] = []

    def key(self, number: int) -> str:
        self.asked.append(number)
        return super().key(number)


# What kills


@pytest.mark.parametrize("workers", [1, 2])
def test_a_region_that_kills_does_not_end_a_sweep(
    path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(crews, "HOPELESS", 2)
    plan, store = new_store(path, count=12, chunk=6, kill=[0, 1, 2])
    told: list[int] = []
    run_chunks(plan, store, [0, 1], workers, lambda d: told.append(d.number), planner=PLANNER)
    assert told == [1, 0]
    assert np.flatnonzero(store.status() == CRASHED).tolist() == [0, 1, 2]
    assert (store.status()[3:] == DONE).all()


def test_chunks_that_are_there_show_that_a_sweep_is_worth_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "HOPELESS", 2)
    plan, store = new_store(path, count=6, chunk=3, kill=[3, 4, 5])
    for number in (0, 1):
        run_chunks(plan, store, [number], 1, planner=PLANNER)
    assert store.status().tolist() == [DONE] * 3 + [CRASHED] * 3


def test_a_sweep_of_which_every_point_kills_ends_soon(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "HOPELESS", 3)
    started: list[Path] = []

    class Counted(Worker):
        def __init__(self, path: Path, planner: str):
            started.append(path)
            super().__init__(path, planner)

    monkeypatch.setattr(crews, "Worker", Counted)
    plan, store = new_store(path, count=1000, chunk=10, kill=[*range(1000)])
    with pytest.raises(ScenarioError, match=r"whatever point .* signal 11 .*: 3 from all over"):
        run_chunks(plan, store, range(100), 2, planner=PLANNER)
    assert len(started) <= crews.DOUBTFUL + crews.HOPELESS + 2 * 2
    assert not any(store.keys())


def test_hope_tries_points_from_everywhere_and_one_that_was_computed(path: Path) -> None:
    plan, store = whole_store(path, count=64, chunk=8)
    for number in range(8):
        block = plan.compute(number)
        block["status"][:] = CRASHED if number < 5 else MISSING
        block["status"][4:] = DONE if number == 3 else block["status"][4:]
        store.write(number, block, plan.key(number))
    hope = Hope(store)
    *tried, innocent = _tried(hope)
    assert innocent == 3 * 8 + 4
    assert [point // 4 for point in tried] == list(range(16))
    for _ in tried:
        assert hope.after_death(True, SEGMENTATION) == []
        hope.require()
    hope.after_death(True, SEGMENTATION)
    with pytest.raises(ScenarioError, match="17 from all over the sweep were tried"):
        hope.require()
    hope.is_sure = True  # somebody had a slow chunk in hand
    hope.require()


def test_another_try_has_other_points(path: Path) -> None:
    _, store = new_store(path, count=10_000, chunk=1000)
    assert len({tuple(_tried(Hope(store))) for _ in range(5)}) == 5


def _tried(hope: Hope) -> list[int]:
    """What is tried after so many deaths."""
    return [hope.after_death(False, SEGMENTATION) for _ in range(crews.DOUBTFUL)][-1]


@pytest.mark.parametrize(("count", "tried"), [(crews.HOPELESS - 1, 0), (crews.HOPELESS, 16)])
def test_points_of_a_small_sweep_are_simply_all_tried(path: Path, count: int, tried: int) -> None:
    _, store = new_store(path, count=count, chunk=4)
    points = _tried(Hope(store))
    assert len(set(points)) == tried
    assert set(points) <= set(range(count))


def test_points_that_kill_are_known_to_who_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = [1, 2, 6]
    plan, store = new_store(path, count=8, chunk=8, kill=kill)
    convict, tried = Crew._convict, []

    def spy(crew: Crew, suspect: Suspect, point: int, code: int) -> None:
        tried.append(point)
        convict(crew, suspect, point, code)
        if len(tried) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Crew, "_convict", spy)
    with pytest.raises(KeyboardInterrupt):
        run_chunks(plan, store, [0], 1, planner=PLANNER)
    note = path / "plan" / "locks" / "culprits.0"
    note.write_text(note.read_text() + '["cut off')
    run_chunks(plan, store, [0], 1, planner=PLANNER)
    assert tried == kill
    assert np.flatnonzero(store.status() == CRASHED).tolist() == kill
    assert set(store.columns("reason")[kill]) == {
        "the process was ended by signal 11 (Segmentation fault)"
    }
    assert not list((path / "plan" / "locks").glob("culprits*"))


def test_only_what_was_noted_of_the_same_chunk_counts(path: Path) -> None:
    plan, store = new_store(path)
    job = Job(0, plan.key(0))
    culprits.note(store, job, 3, "a signal")
    culprits.note(store, Job(0, "another model"), 4, "a signal")
    assert culprits.noted(store, job) == {3: "a signal"}
    assert culprits.noted(store, Job(1, plan.key(0))) == {}
    assert culprits.noted(store, Job(0, plan.key(0), points=(3,))) == {}  # to be tried again


# The order of things


def test_chunks_that_kill_wait_for_all_others_and_are_cut_one_after_the_other() -> None:
    agenda = Agenda([Job(0), Job(1), Job(2)])
    first, second = agenda.next(), agenda.next()
    agenda.suspect(Suspect(first.job, (0, 1, 2)))
    agenda.again(second)
    agenda.suspect(Suspect(agenda.next().job, (4, 5, 6), {5: "a signal"}))
    assert len(agenda) == 3
    assert agenda.next().job == Job(2)
    piece = agenda.next()
    assert piece.points == (0, 1)
    agenda.halve(piece)
    assert [agenda.next().points for _ in range(5)] == [(0,), (1,), (2,), (4,), (6,)]
    assert not agenda
    agenda.probe([7, 8])
    assert agenda.next().points == (7,)
    agenda.drop_probes()
    assert not agenda


@given(st.lists(st.integers(1, 9), max_size=6), st.sets(st.integers(0, 53)))
def test_each_point_is_known_once_and_chunks_are_cut_one_after_the_other(
    sizes: list[int], culprits: set[int]
) -> None:
    ends = np.cumsum([0, *sizes]).tolist()
    agenda = Agenda(Job(number) for number in range(len(sizes)))
    known, cut = [], []
    while agenda:
        task = agenda.next()
        points = task.points or tuple(range(ends[task.job.number], ends[task.job.number + 1]))
        if task.suspect is None and culprits & {*points}:
            agenda.suspect(Suspect(task.job, points))
        elif task.suspect is not None and culprits & {*points} and len(points) > 1:
            agenda.halve(task)
        else:
            known += points
        cut += [task.job.number] * (task.suspect is not None)
    assert sorted(known) == list(range(ends[-1]))
    assert cut == sorted(cut)


# What chunks are known by


def test_a_piece_is_not_computed_from_another_model(path: Path) -> None:
    plan, store = new_store(path)
    assert isinstance(_answer(plan, store, Job(0, plan.key(0), (1, 2)), True), dict)
    with pytest.raises(ScenarioError, match="has changed while the sweep was running"):
        _answer(FakePlan(version=2), store, Job(0, plan.key(0), (1, 2)), True)


@pytest.mark.parametrize("is_threaded", [True, False])
def test_keys_are_asked_for_when_chunks_are_begun(path: Path, is_threaded: bool) -> None:
    _, store = new_store(path, threaded=is_threaded)
    plan, stop = CuriousPlan(threaded=is_threaded), Stop()

    def report(done: Finished) -> None:
        stop.is_asked = True

    run_chunks(plan, store, range(5), 1, report, stop, planner=PLANNER)
    assert set(plan.asked) == {0}


def test_a_shard_asks_for_no_keys_but_its_own(path: Path) -> None:
    whole_store(path)
    for number in (1, 2, 3):
        (path / "plan" / "keys" / f"c.{number}").unlink()
    plan = CuriousPlan(threaded=True)
    plan.about["threaded"] = False  # the document is that of the store
    with writing(plan, path, "1/3") as run:
        assert run.todo == [1]
        assert run_missing(run, 1, lambda done: None, Stop()) == []
    assert set(plan.asked) == {1, 4}
