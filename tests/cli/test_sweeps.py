"""`sweep run|status|resume|retry`: what is there is not computed twice, and nothing gets lost."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import xarray as xr

from myelode.cli import main, sweep_progress, sweep_runs
from myelode.cli.sweep_progress import Pace, duration, pace
from myelode.hardware import processors
from myelode.sweeps.backends import local
from myelode.sweeps.backends.jobs import Finished, Job, do_job
from myelode.sweeps.stores.store import open_store

from ..sweeps.decay import write_decay
from ..sweeps.fakes import differences

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]

SWEEP = """\
id: toy
title: a toy
scenario: pulse.yaml
design:
  grid: {regimen.pulse.to: [1 uM, 2 uM], k: {from: 0.1 1/h, to: 1 1/h, points: 5}}
engine: ensemble
chunk: 3
"""


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep of ten points in four chunks, in the folder where we are."""
    write_decay(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "toy.yaml"
    path.write_text(SWEEP)
    return path


def counts(summary: dict[str, Any]) -> tuple[int, ...]:
    return tuple(summary[name] for name in ("points", "done", "failed", "missing"))


def contents(store: Path) -> dict[str, bytes]:
    """All files of a store but that in which writers sign."""
    files = (file for file in store.rglob("*") if file.is_file() and file.name != "writer")
    return {str(file): file.read_bytes() for file in files}


# Run, status and resume


def test_a_run_says_what_became_of_the_points(sweep: Path, answer: Answer) -> None:
    found = answer("sweep", "run", sweep)
    assert counts(found) == (10, 10, 0, 0)
    assert found["seconds"] > 0
    assert (found["chunks"], found["chunks_there"], found["computed"]) == (4, 0, 10)
    assert found["files"] == {"store": "toy.zarr"}
    assert found["notice"].startswith("For research and teaching only")
    assert set(open_store(Path("toy.zarr")).status().tolist()) == {0}


def test_what_is_there_is_not_computed_again(sweep: Path, answer: Answer) -> None:
    answer("sweep", "run", sweep, "-o", "here.zarr")
    before = open_store(Path("here.zarr")).columns("seconds")
    for again in (("run", sweep, "-o", "here.zarr"), ("run", "here.zarr"), ("resume", "here.zarr")):
        found = answer("sweep", *again)
        assert (found["chunks_there"], found["computed"]) == (4, 0)
    np.testing.assert_array_equal(open_store(Path("here.zarr")).columns("seconds"), before)


def test_the_report_is_made_of_a_few_lines(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "run", str(sweep), "--shard", "1/4"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "toy: a toy"
    assert said[1] == "Points: 10: 3 done, 0 failed, 7 missing."
    assert said[2].startswith("This run: 3 points in ")
    assert said[3] == "0 of 1 chunks were there already."
    assert said[-3:] == [
        "To compute what is missing: myelode sweep resume toy.zarr",
        "For research and teaching only; no advice for a real person.",
        "Store: toy.zarr",
    ]
    assert main(["sweep", "run", str(sweep), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("source", ["toy.yaml", "toy.zarr"])
def test_the_status_of_a_store(sweep: Path, answer: Answer, source: str) -> None:
    answer("sweep", "run", sweep, "--shard", "0/2")
    found = answer("sweep", "status", source)
    assert counts(found) == (10, 6, 0, 4)
    assert found["writer"] == ""
    with open_store(Path("toy.zarr")).locks.writer("1/2"):
        assert "(shard 1/2)" in answer("sweep", "status", source)["writer"]


@pytest.mark.parametrize("source", ["toy.yaml", "toy.zarr"])
def test_a_store_is_found_by_its_sweep(sweep: Path, answer: Answer, source: str) -> None:
    answer("sweep", "run", sweep, "--shard", "0/2")
    assert answer("sweep", "resume", source)["missing"] == 0
    for command, file in (("show", "toy.png"), ("export", "toy.csv")):
        found = answer("sweep", command, source, "-o", file, "--quiet")
        assert found["files"]["store"] == "toy.zarr"
        assert Path(file).stat().st_size > 0


def test_points_are_tried_again_in_the_store_of_a_sweep(sweep: Path, answer: Answer) -> None:
    sweep.write_text(SWEEP + "rtol: 1e-12\nlimits: {steps: 60}\n")
    answer("sweep", "run", sweep, "-o", "own.zarr", code=1)
    retry = ("retry", sweep, "-o", "own.zarr", "--status", "gave_up", "--rtol", "1e-3")
    assert answer("sweep", *retry)["retried"] == 10


def test_a_store_of_another_sweep_is_not_shown_as_that_of_a_file(
    sweep: Path, answer: Answer, complaint: Complaint
) -> None:
    answer("sweep", "run", sweep)
    sweep.write_text(SWEEP.replace("k: {from", "medium: {from").replace("1/h", "l"))
    assert "is the store of another sweep" in complaint("sweep", "show", sweep, "-o", "x.png")


def test_shards_make_the_same_store(sweep: Path, answer: Answer) -> None:
    answer("sweep", "run", sweep, "-o", "whole.zarr", "--workers", 1)
    for shard in ("2/3", "0/3", "1/3"):
        answer("sweep", "run", sweep, "--shard", shard)
    one, other = (open_store(Path(name)) for name in ("whole.zarr", "toy.zarr"))
    assert not differences(one, other)


def test_engines_in_processes_work_on_the_same_store(sweep: Path, answer: Answer) -> None:
    sweep.write_text(SWEEP.replace("ensemble", "roadrunner"))
    assert counts(answer("sweep", "run", sweep, "--workers", 2)) == (10, 10, 0, 0)


def test_a_changed_scenario_makes_all_chunks_old(
    sweep: Path, answer: Answer, complaint: Complaint
) -> None:
    answer("sweep", "run", sweep)
    scenario = sweep.with_name("pulse.yaml")
    scenario.write_text(scenario.read_text().replace("dilute: 10", "dilute: 5"))
    assert answer("sweep", "status", sweep)["chunks_older"] == 4
    before = contents(Path("toy.zarr"))
    said = complaint("sweep", "retry", "toy.zarr", "--status", "failed")
    assert contents(Path("toy.zarr")) == before
    assert "toy.zarr: 4 chunks are of an older model or scenario: first, myelode sweep" in said
    found = answer("sweep", "run", sweep)
    assert (found["chunks_older"], found["computed"]) == (4, 10)
    answer("sweep", "run", sweep, "-o", "new.zarr")
    one, other = (open_store(Path(name)) for name in ("toy.zarr", "new.zarr"))
    assert not differences(one, other)


def test_a_shard_of_a_changed_scenario_leaves_nothing_of_the_older_one(
    sweep: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("sweep", "run", sweep)
    scenario = sweep.with_name("pulse.yaml")
    scenario.write_text(scenario.read_text().replace("dilute: 10", "dilute: 5"))
    assert main(["sweep", "run", str(sweep), "--shard", "0/2"]) == 0
    said = capsys.readouterr().out
    assert "Points: 10: 6 done, 0 failed, 4 missing." in said
    assert "4 chunks were of an older model or scenario." in said
    found = xr.open_zarr("toy.zarr").load()
    assert found.status.values.tolist() == [0] * 3 + [-1] * 3 + [0] * 3 + [-1]
    found = answer("sweep", "run", sweep, "--shard", "1/2")
    assert (found["chunks_older"], found["missing"]) == (0, 0)


def test_more_points_keep_the_chunks_that_are_there(sweep: Path, answer: Answer) -> None:
    answer("sweep", "run", sweep)
    sweep.write_text(SWEEP.replace("1 uM, 2 uM", "1 uM, 2 uM, 3 uM"))
    found = answer("sweep", "run", sweep)
    assert counts(found) == (15, 15, 0, 0)
    assert (found["chunks"], found["chunks_there"], found["computed"]) == (5, 3, 6)


# Points that fail


def test_points_that_fail_are_told_and_can_be_tried_again(sweep: Path, answer: Answer) -> None:
    sweep.write_text(SWEEP + "rtol: 1e-12\nlimits: {steps: 60}\n")
    found = answer("sweep", "run", sweep, code=1)
    assert counts(found) == (10, 0, 10, 0)
    assert sum(found["reasons"].values()) == 10
    assert all(reason.startswith("gave up: ") for reason in found["reasons"])
    found = answer("sweep", "retry", "toy.zarr", "--status", "gave_up", "--rtol", "1e-3")
    assert counts(found) == (10, 10, 0, 0)
    assert found["retried"] == 10
    assert set(open_store(Path("toy.zarr")).columns("rtol").tolist()) == {1e-3}
    assert answer("sweep", "resume", "toy.zarr")["computed"] == 0


def test_the_report_on_another_try(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep.write_text(SWEEP + "rtol: 1e-12\nlimits: {steps: 60}\n")
    assert main(["sweep", "run", str(sweep)]) == 1
    assert "Points: 10: 0 done, 10 failed, 0 missing." in capsys.readouterr().out
    retry = ["sweep", "retry", "toy.zarr", "--status", "not enough", "--rtol", "1e-3"]
    assert main(retry) == 0
    said = capsys.readouterr().out
    assert "Points: 10: 10 done, 0 failed, 0 missing." in said
    assert "This run: 10 points in " in said


def test_what_cannot_be_tried_again(sweep: Path, answer: Answer, complaint: Complaint) -> None:
    answer("sweep", "run", sweep)
    assert "toy.zarr: no point is 'failed'" in complaint(
        "sweep", "retry", "toy.zarr", "--status", "failed"
    )
    assert "must be failed, gave_up, crashed, refused, or words" in complaint(
        "sweep", "retry", "toy.zarr", "--status", "done"
    )
    assert "must lie between 0 and 1" in complaint(
        "sweep", "retry", "toy.zarr", "--status", "failed", "--rtol", "2"
    )


# Bad input


def test_without_a_command_the_help_comes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("plan", "run", "status", "resume", "retry"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "toy.yaml", "--shard", "4/4"), "--shard 4/4: I must lie between 0 and N-1"),
        (("run", "toy.yaml", "--shard", "half"), "--shard half: must be I/N, 0/8 for example"),
        (("run", "none.yaml"), "none.yaml"),
        (("run", "decay"), "decay: is not the store of a sweep"),
        (("run", "toy.yaml", "-o", "no/where.zarr"), "cannot be written: No such file or"),
        (("run", "toy.yaml", "-o", "decay"), "decay: is not the store of a sweep"),
        (("resume", "toy.yaml"), "toy.zarr: there is no such store: first, myelode sweep run toy"),
        (("resume", "toy.yaml", "-o", "x.zarr"), "first, myelode sweep run toy.yaml -o x.zarr"),
        (("resume", "none.zarr"), "none.zarr: there is no such store"),
        (("retry", "none.zarr", "--status", "failed"), "none.zarr: there is no such store"),
        (("status", "toy.yaml"), "toy.zarr: there is no such store: first, myelode sweep run toy"),
        (("show", "toy.yaml", "-o", "x.png"), "toy.zarr: there is no such store: first, myelode"),
        (("export", "toy.yaml", "-o", "x.csv"), "toy.zarr: there is no such store: first, myelode"),
        (("show", "melflufen_elasticities", "-o", "x.png"), "melflufen_elasticities.zarr: there"),
        (("show", "none.zarr", "-o", "x.png"), "none.zarr: there is no such store"),
    ],
)
def test_bad_input_is_one_line(
    sweep: Path, complaint: Complaint, arguments: tuple[str, ...], said: str
) -> None:
    assert said in complaint("sweep", *arguments)
    assert not Path("toy.zarr").exists()


def test_a_store_of_another_sweep_or_with_a_writer(
    sweep: Path, answer: Answer, complaint: Complaint
) -> None:
    answer("sweep", "run", sweep)
    assert "is a store already: -o is for" in complaint("sweep", "run", "toy.zarr", "-o", "x.zarr")
    sweep.write_text(SWEEP.replace("k: {from", "medium: {from").replace("1/h", "l"))
    assert "is the store of another sweep" in complaint("sweep", "run", sweep)
    with open_store(Path("toy.zarr")).locks.writer():
        assert "is being written by process" in complaint("sweep", "resume", "toy.zarr")


# The user stops it


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sends so many signals when the second chunk is begun; at two it is never finished.

    Each signal goes to the main thread, as from a terminal, and is heard before the next is sent.
    """
    heard, is_over = threading.Semaphore(0), threading.Event()
    hear = local.Stop._hear

    def hear_and_tell(self: local.Stop, number: int, frame: Any) -> None:
        heard.release()
        hear(self, number, frame)

    def stop(times: int) -> None:
        def do_and_stop(plan: Any, store: Any, job: Job, threads: int) -> Finished:
            for _ in range(times if job.number == 1 else 0):
                signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGINT)
                assert heard.acquire(timeout=60)
            if times > 1 and job.number == 1:
                is_over.wait()
                raise AssertionError("nobody waits for this chunk")
            return do_job(plan, store, job, threads)

        monkeypatch.setattr(local.Stop, "_hear", hear_and_tell)
        monkeypatch.setattr(local, "do_job", do_and_stop)

    yield stop
    is_over.set()


def test_who_stops_is_told_how_to_go_on(
    sweep: Path, stopping: Callable[[int], None], capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    stopping(1)
    assert main(["sweep", "run", str(sweep), "--workers", "1"]) == 130
    said = capfd.readouterr().err.strip().splitlines()
    assert said == [
        "finishing the chunks in hand; once more, and they are dropped",
        "error: interrupted: 6 of 10 points are stored; the rest: myelode sweep resume toy.zarr",
    ]
    monkeypatch.undo()
    monkeypatch.chdir(sweep.parent)
    assert main(["sweep", "resume", "toy.zarr", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["chunks_there"], found["computed"], found["missing"]) == (2, 4, 0)


def test_who_insists_leaves_at_once(
    sweep: Path, stopping: Callable[[int], None], capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sweep_runs.os, "_exit", sys.exit)
    stopping(2)
    with pytest.raises(SystemExit) as left:
        main(["sweep", "run", str(sweep), "--workers", "1", "--json"])
    assert left.value.code == 130
    said = json.loads(capfd.readouterr().out)["error"]
    assert said["type"] == "Interrupted"
    assert (said["points"], said["done"]) == (10, 3)


# How it shows


def test_lines_tell_a_log_that_it_lives(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def do_slowly(plan: Any, store: Any, job: Job, threads: int) -> Finished:
        time.sleep(0.1)
        return do_job(plan, store, job, threads)

    monkeypatch.setattr(local, "do_job", do_slowly)
    monkeypatch.setattr(sweep_progress, "SECONDS_BETWEEN_LINES", 0.05)
    assert main(["sweep", "run", str(sweep), "--workers", "1", "--json"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert "toy: 0 of 10 points (0.0 %), 0 points/s, ? left, 0 failed" in lines[0]


def test_a_terminal_shows_a_bar(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["sweep", "run", str(sweep), "--json"]) == 0
    assert "10 of 10 points (100.0 %)" in capsys.readouterr().err


def test_a_pace_counts_what_was_there() -> None:
    found = Pace(100, there=40)
    found.add(Finished(0, points=20, failed=3))
    assert found.line.startswith("60 of 100 points (60.0 %), ")
    assert found.line.endswith(" left, 3 failed")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.123, "0.12 s"), (9, "9 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"),
        (7200, "2 h 0 min"), (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_pace_in_words() -> None:
    assert (pace(1500.4), pace(0.25)) == ("1,500 points/s", "0.25 points/s")


def test_there_is_a_core() -> None:
    assert processors() >= 1
