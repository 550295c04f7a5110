"""Sweeps on Dask: the same numbers as without it, whatever is killed on the way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

import myelode
from myelode.errors import ScenarioError
from myelode.sweeps.backends import with_dask
from myelode.sweeps.backends.crews import Crew
from myelode.sweeps.backends.dask_files import CLUSTERS, read_cluster
from myelode.sweeps.backends.jobs import Finished, Job
from myelode.sweeps.backends.local import Stop, unfinished
from myelode.sweeps.backends.with_dask import run_on_dask
from myelode.sweeps.blocks import CRASHED, DONE
from myelode.sweeps.stores.store import Store, create
from tests.sweeps.decay import sweep_of, write_decay
from tests.sweeps.fakes import PLANNER, FakePlan
from tests.sweeps.slurm_lab import wait_for

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask_jobqueue", reason="needs the extra 'dask'")
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    # Connections of Dask's own, once a worker or a scheduler was killed.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COUNT, CHUNK = 60, 4


@pytest.fixture(autouse=True)
def _fakes_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", folder)
    monkeypatch.syspath_prepend(folder)


def _plan(**about: object) -> FakePlan:
    return FakePlan(**{"count": COUNT, "chunk": CHUNK, **about})


def _store(folder: Path, plan: FakePlan) -> Store:
    return create(folder / "sweep.zarr", plan.layout, plan.document)


def _run(plan: FakePlan, store: Store, where: str = "local", **more: object) -> list[int]:
    """Run what is missing, with two workers unless it is said otherwise."""
    numbers = unfinished(plan, store, range(store.layout.chunks))
    return run_on_dask(plan, store, numbers, where, **{"workers": 2, "planner": PLANNER, **more})


def _require_equal(store: Store, plan: FakePlan, but: tuple[int, ...] = ()) -> None:
    """All points are what the plan computes, bit for bit, but for seconds and some points."""
    chunks = [store.read(number) for number in range(store.layout.chunks)]
    expected = plan.compute_points(range(COUNT))
    same = ~np.isin(np.arange(COUNT), but)
    for name, wanted in expected.items():
        found = np.concatenate([chunk[name] for chunk in chunks])
        if name != "seconds":
            np.testing.assert_array_equal(found[same], wanted[same], err_msg=name)


def test_from_python_the_numbers_are_those_in_memory(tmp_path: Path) -> None:
    design = "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 5}}"
    toy = sweep_of(write_decay(tmp_path), design, "chunk: 2\nengine: ensemble\n")
    expected = myelode.sweep(toy)
    found = myelode.sweep(toy, tmp_path / "toy.zarr", dask="local").load()
    assert expected.identical(found.assign(seconds=expected["seconds"]))
    with pytest.raises(ScenarioError, match="dask 'local' writes to a store: name one"):
        myelode.sweep(toy, dask="local")


def test_dask_gives_the_numbers_that_one_process_gives(tmp_path: Path) -> None:
    plan = _plan()
    store = _store(tmp_path, plan)
    told: list[Finished] = []
    assert _run(plan, store, report=told.append) == []
    _require_equal(store, _plan())
    assert sorted(done.number for done in told) == list(range(COUNT // CHUNK))
    assert sum(done.points for done in told) == COUNT
    assert _run(plan, store, "tcp://127.0.0.1:1") == []  # nothing is left: nobody is asked


def test_few_chunks_are_with_the_scheduler_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_dask, "IN_FLIGHT", 3)
    plan = _plan()
    store = _store(tmp_path, plan)
    begun: list[int] = []
    begin = with_dask._Tasks._begin

    def spy(tasks: with_dask._Tasks, waiting: Iterator[int]) -> bool:
        is_more = begin(tasks, waiting)
        begun.append(len(tasks._begun))
        return is_more

    monkeypatch.setattr(with_dask._Tasks, "_begin", spy)
    _run(plan, store)
    assert max(begun) == 3
    _require_equal(store, plan)


def test_killed_workers_lose_nothing(tmp_path: Path) -> None:
    plan = _plan(kill_once=[5, 30, 44], marks=str(tmp_path))
    store = _store(tmp_path, plan)
    told: list[Finished] = []
    assert _run(plan, store, report=told.append) == []
    assert sum(done.points for done in told) == COUNT
    assert sorted(path.name for path in tmp_path.glob("[0-9]*")) == ["30", "44", "5"]
    _require_equal(store, _plan())
    assert (store.status() == DONE).all()


def test_a_point_that_kills_its_process_is_marked_and_no_other(tmp_path: Path) -> None:
    plan = _plan(kill=[13])
    store = _store(tmp_path, plan)
    assert _run(plan, store) == []
    assert np.flatnonzero(store.status() != DONE).tolist() == [13]
    assert store.status()[13] == CRASHED
    assert "signal 11" in store.columns("reason")[13]
    _require_equal(store, _plan(), but=(13,))


class BusyCrew(Crew):
    """A crew that finds its first chunks in other hands, once or for ever."""

    times = 1

    def run(self, jobs: Sequence[Job], workers: int) -> None:
        if BusyCrew.times:
            BusyCrew.times -= 1
            for job in jobs:
                self._report(Finished(job.number, is_ours=False))
        else:
            super().run(jobs, workers)


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_chunk_that_kills_and_is_in_other_hands_is_waited_for_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_alone: bool
) -> None:
    monkeypatch.setattr(with_dask, "Crew", BusyCrew)
    monkeypatch.setattr(BusyCrew, "times", 1)
    plan = _plan(kill=[13])
    store = _store(tmp_path, plan)
    told: list[Finished] = []
    busy = _run(plan, store, report=told.append, is_alone=is_alone)
    # Two deaths may also meet a chunk that its worker had not begun: it is a suspect too.
    assert (3 in busy) != is_alone
    assert bool(busy) != is_alone
    assert all(done.is_ours and done.points == CHUNK for done in told)
    assert {*range(COUNT // CHUNK)} - {done.number for done in told} == {*busy}
    assert {number for number, key in enumerate(store.keys()) if not key} == {*busy}


def test_a_chunk_that_was_stored_before_its_worker_died_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class QuickCrew(Crew):
        def run(self, jobs: Sequence[Job], workers: int) -> None:
            for job in jobs:
                store.write(job.number, _plan().compute(job.number), plan.key(job.number))
            super().run(jobs, workers)

    monkeypatch.setattr(with_dask, "Crew", QuickCrew)
    plan = _plan(kill=[13])
    store = _store(tmp_path, plan)
    told: list[Finished] = []
    assert _run(plan, store, report=told.append) == []
    assert sum(done.points for done in told) == COUNT


def test_keys_are_asked_for_when_chunks_are_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_dask, "IN_FLIGHT", 2)
    asked: list[int] = []

    class CuriousPlan(FakePlan):
        def key(self, number: int) -> str:
            asked.append(number)
            return super().key(number)

    plan, stop = CuriousPlan(count=COUNT, chunk=CHUNK), Stop()
    store = _store(tmp_path, plan)

    def report(done: Finished) -> None:
        stop.is_asked = True

    _run(plan, store, report=report, stop=stop)
    assert asked == list(range(len(asked)))
    assert len(asked) <= 3


def test_a_fault_in_a_worker_is_one_line(tmp_path: Path) -> None:
    plan = _plan(**{"raise": [17]})
    store = _store(tmp_path, plan)
    with pytest.raises(ScenarioError, match="local: a worker failed: ZeroDivisionError: a fault"):
        _run(plan, store)


def test_who_stops_keeps_what_is_in_hand_and_nothing_else_begins(tmp_path: Path) -> None:
    plan = _plan(wait=0.2)
    store = _store(tmp_path, plan)
    stop = Stop()
    told: list[int] = []

    def report(done: Finished) -> None:
        told.append(done.number)
        stop.is_asked = True

    _run(plan, store, report=report, stop=stop)
    missing = unfinished(plan, store, range(store.layout.chunks))
    assert sorted([*told, *missing]) == list(range(COUNT // CHUNK))
    assert len(told) <= 8  # what two workers have in hand, and the next one of each
    _run(plan, store)
    _require_equal(store, _plan())


@contextmanager
def _cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler and its workers as processes of their own: its address, and the scheduler's."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    start = [sys.executable, "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with ExitStack() as stack:
        scheduler = subprocess.Popen(
            [*start, "distributed.cli.dask_scheduler", "--host=127.0.0.1", "--port=0",
             "--no-dashboard", f"--scheduler-file={file}"], **quiet,
        )  # fmt: skip
        stack.callback(_end, scheduler)
        wait_for(lambda: file.exists() and bool(file.read_text()), "the scheduler")
        address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            worker = subprocess.Popen(
                [*start, "distributed.cli.dask_worker", address, "--nthreads=1", "--no-nanny",
                 "--no-dashboard", "--death-timeout=20", f"--local-directory={folder}"], **quiet,
            )  # fmt: skip
            stack.callback(_end, worker)
        yield address, scheduler


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _after(number: int, act: Callable[[], None]) -> Callable[[Finished], None]:
    """Act when so many chunks are reported."""
    told: list[Finished] = []

    def report(done: Finished) -> None:
        told.append(done)
        if len(told) == number:
            act()

    return report


def test_a_killed_scheduler_is_told_in_a_line_and_the_sweep_goes_on(tmp_path: Path) -> None:
    plan = _plan(wait=0.05)
    store = _store(tmp_path, plan)
    with _cluster(tmp_path) as (address, scheduler):
        report = _after(4, scheduler.kill)
        with pytest.raises(ScenarioError, match=r"scheduler is gone.*sweep resume .*sweep\.zarr"):
            _run(plan, store, address, report=report)
        left = len(unfinished(plan, store, range(store.layout.chunks)))
        assert 0 < left <= COUNT // CHUNK - 4
    with _cluster(tmp_path) as (address, _):
        assert _run(plan, store, address) == []
    _require_equal(store, _plan())


def test_workers_plan_a_store_anew_when_another_takes_its_place(tmp_path: Path) -> None:
    with _cluster(tmp_path, workers=1) as (address, _):
        for version in (1, 2):
            plan = _plan(version=version)
            store = create(tmp_path / "one.zarr", plan.layout, plan.document)
            store.adopt(plan.layout, plan.document, plan.key)
            assert _run(plan, store, address) == []
            _require_equal(store, _plan(version=version))


def test_a_model_that_is_edited_is_read_again_by_workers_that_stay(tmp_path: Path) -> None:
    scenario = write_decay(tmp_path)
    design = "grid: {regimen.pulse.to: {from: 1 uM, to: 3 uM, points: 6}}"
    toy = sweep_of(scenario, design, "chunk: 2\nengine: ensemble\n")
    found = []
    with _cluster(tmp_path, workers=1) as (address, _):
        for rate in ("0.5", "0.7"):
            for name in ("decay.ant", "parameters.tsv"):
                file = tmp_path / "decay" / name
                file.write_text(file.read_text().replace("0.5", rate))
            here = myelode.sweep(toy)
            there = myelode.sweep(toy, tmp_path / "toy.zarr", dask=address).load()
            assert here.identical(there.assign(seconds=here["seconds"]))
            found.append(there["area"].values)
    assert (found[1] < found[0]).all()


def test_an_unreachable_scheduler_is_one_line(tmp_path: Path) -> None:
    plan = _plan()
    store = _store(tmp_path, plan)
    with pytest.raises(ScenarioError, match=r"tcp://127\.0\.0\.1:1: no scheduler answers"):
        _run(plan, store, "tcp://127.0.0.1:1")
    with pytest.raises(ScenarioError, match="is no address of a scheduler: unknown address"):
        _run(plan, store, "pigeon://roof:1")


def test_without_dask_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    plan = _plan()
    with pytest.raises(ScenarioError, match=r"pip install 'myelode\[dask\]'"):
        _run(plan, _store(tmp_path, plan))


def test_a_file_describes_a_cluster(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text("cluster: local\noptions: {cores: 1, memory: 1 GB}\nadapt: {maximum: 2}\n")
    plan = _plan()
    store = _store(tmp_path, plan)
    assert _run(plan, store, str(file)) == []
    _require_equal(store, plan)


def test_the_file_of_the_how_to_describes_a_cluster(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "sweep-with-dask.md"
    [text] = re.findall(r"(# cluster\.yaml\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "cluster.yaml").write_text(text)
    cluster = read_cluster(tmp_path / "cluster.yaml")
    assert cluster.options["processes"] == 8
    assert cluster.adapt == {"maximum": 64}


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_batch_system_can_be_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(
        f"cluster: {name}\noptions: {{cores: 2, memory: 1 GB}}\nadapt: {{maximum_jobs: 1}}\n"
    )
    assert read_cluster(file).kind.job_cls.config_name == name


def test_a_batch_system_that_takes_no_job_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan()
    store = _store(tmp_path, plan)
    file = tmp_path / "cluster.yaml"
    file.write_text("cluster: slurm\noptions: {cores: 1, memory: 1 GB}\nadapt: {maximum: 1}\n")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ScenarioError, match="no job can be submitted: sbatch: No such file"):
        _run(plan, store, str(file))
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\necho 'sbatch: error: invalid account' >&2; exit 1\n")
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScenarioError, match="no job can be submitted: sbatch: error: invalid acc"):
        _run(plan, store, str(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clutser: slurm", r"file\.yaml:1: clutser: unknown key 'clutser': did you mean 'cluster'"),
        ("cluster: slrum", r"file\.yaml:1: cluster: 'slrum' is none of .*did you mean 'slurm'"),
        ("- slurm", r"file\.yaml:1: must map names to values"),
        (
            "cluster: slurm\noptions: {cores: 1, memory: 1 GB, wall_time: 1h}",
            "unknown key 'wall_time': did you mean 'walltime'",
        ),
        ("cluster: pbs\noptions: {cores: 1}\nadapt: {maximum: 2}", "options: 'memory' is missing"),
        ("cluster: sge\noptions: {cores: 1, memory: 1 GB}", "adapt.*must map names"),
        ("cluster: lsf\noptions: {cores: 1, memory: 1 GB}\nadapt: {}", "'maximum' is missing"),
        (
            "cluster: slurm\noptions: {cores: 1, memory: 1 GB}\nadapt: {maximum: many}",
            r"file\.yaml:3: adapt\.maximum: must be a whole number",
        ),
        (
            "cluster: slurm\noptions: {cores: one, memory: 1 GB}\nadapt: {maximum: 1}",
            r"options\.cores: must be a whole number",
        ),
        (
            "cluster: slurm\noptions: {cores: 1, memory: lots}\nadapt: {maximum: 1}",
            "options.memory: 'lots' is no size",
        ),
    ],
)
def test_a_wrong_file_is_one_line_that_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    plan = _plan()
    with pytest.raises(ScenarioError, match=said):
        _run(plan, _store(tmp_path, plan), str(file))


def test_a_cluster_that_is_nothing_known_is_told_what_could_be(tmp_path: Path) -> None:
    plan = _plan()
    with pytest.raises(ScenarioError, match="takes local, the address of a scheduler"):
        _run(plan, _store(tmp_path, plan), "locla")
