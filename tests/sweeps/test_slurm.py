"""Sweeps on SLURM: a cluster of one node is started, its jobs are killed, and no number changes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myelode.cli import main
from myelode.cli.cluster_jobs import submission_lines
from myelode.errors import ScenarioError
from myelode.sweeps.backends.running import writing
from myelode.sweeps.backends.slurm_scripts import Request, Tasks, folder_of, write_scripts
from myelode.sweeps.backends.with_slurm import Pace, largest_array, share
from myelode.sweeps.blocks import DONE
from myelode.sweeps.plans import plan_sweep
from myelode.sweeps.stores.store import open_store
from tests.sweeps.fakes import differences
from tests.sweeps.slurm_lab import SlurmLab, slurm_lab, wait_for, what_is_missing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("cluster")

MODEL = """
model clearance()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole
  unit volume = 1 litre; unit per_hour = 1 / (3600 second)
  compartment plasma = 3; plasma has volume
  species drug in plasma; drug = 0
  k = 0.2; k has per_hour
  loss: drug => ; plasma * k * drug
end
"""
SCENARIO = """
id: half_life
title: How long half of a bolus stays, asked so often that it takes a while
model: ./clearance.ant
perturbations: [none]
regimen: [{at: 0 h, label: bolus, dose: drug, amount: 30 umol}]
observe: {every: 3 s, until: 24 h, outputs: [drug]}
endpoints: {half_life: {of: drug, take: time_to, below: 5 umol/L}}
"""
SWEEP = """
id: half_lives
title: Half lives
scenario: half_life.yaml
design: {grid: {k: {from: 0.05 1/h, to: 1 1/h, points: 30, spacing: log}}}
engine: roadrunner
chunk: 1
"""
POINTS = 30


@pytest.fixture(scope="module")
def lab() -> Iterator[SlurmLab]:
    if missing := what_is_missing():
        pytest.skip(missing)
    with slurm_lab() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", running.environment["SLURM_CONF"])
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep, and the store that one process has made of it."""
    folder = tmp_path_factory.mktemp("sweep")
    for name, text in {"clearance.ant": MODEL, "half_life.yaml": SCENARIO, "s.yaml": SWEEP}.items():
        (folder / name).write_text(text)
    serial = ["sweep", "run", str(folder / "s.yaml"), "-o", str(folder / "serial.zarr")]
    assert main([*serial, "--workers", "1", "--quiet"]) == 0
    return folder


def _answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    """The JSON object of a command."""
    assert main(["sweep", *map(str, arguments), "--json"]) == 0, capsys.readouterr().out
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def _stored(store: Path) -> set[int]:
    """The chunks that are there."""
    if not (store / "zarr.json").is_file():
        return set()
    return {number for number, key in enumerate(open_store(store).keys()) if key}


def _require_equal(store: Path, serial: Path) -> None:
    """Two stores hold the same, bit for bit, but for seconds; and all points are there."""
    assert differences(open_store(store), open_store(serial)) == []
    assert (open_store(store).status() == DONE).all()


def _process_of(store: Path, shard: str) -> int:
    """The process of a task that runs, by its command line."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if str(store) in words and shard in words:
            return int(entry.parent.name)
    raise AssertionError(f"shard {shard} has ended before it could be killed")


def _wait_for_a_chunk(lab: SlurmLab, store: Path, shard: int) -> None:
    """Until one of two tasks has stored something."""

    def story() -> str:
        texts = [path.read_text() for path in folder_of(store).glob("*.log")]
        return "\n".join([f"a chunk of shard {shard}: {lab.queue()}", *texts, lab.logs()])

    def happened() -> bool:
        assert lab.queue(), story()
        return any(number % 2 == shard for number in _stored(store))

    wait_for(happened, story)


@pytest.mark.timeout(900)
def test_an_array_of_jobs_that_are_killed_and_requeued_ends_as_one_process_does(
    lab: SlurmLab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = folder / "array.zarr"
    first = _answer(capsys, "submit", folder / "s.yaml", "-o", store, "--slurm", "--tasks", 2)
    assert (first["missing"], first["array"], first["shards"]) == (POINTS, "0-1", 2)
    _wait_for_a_chunk(lab, store, shard=1)
    os.kill(_process_of(store, "1/2"), signal.SIGKILL)
    _wait_for_a_chunk(lab, store, shard=0)
    lab.requeue(f"{first['job']}_0")
    assert main(["sweep", "submit", str(store), "--slurm"]) == 2
    assert "tasks of job" in capsys.readouterr().err  # they would be done twice
    lab.begin(f"{first['job']}_0")

    lab.wait_until_idle()
    left = sorted({*range(POINTS)} - _stored(store))
    assert left
    assert {number % 2 for number in left} == {1}
    status = json.loads((folder_of(store) / "status.json").read_text())
    assert (status["points"], status["missing"]) == (POINTS, len(left))

    second = _answer(capsys, "submit", store, "--slurm", "--tasks", 2, "--throttle", 1)
    assert (second["missing"], second["array"]) == (len(left), "1")
    lab.wait_until_idle()
    _require_equal(store, folder / "serial.zarr")
    assert _answer(capsys, "submit", store, "--slurm")["job"] is None  # nothing is left


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # connections to the job that is killed
def test_dask_jobqueue_replaces_a_job_that_is_cancelled(
    lab: SlurmLab, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs the extra 'dask'")
    store, file = folder / "dask.zarr", folder / "cluster.yaml"
    options = f"{{cores: 1, memory: 1 GB, interface: lo, local_directory: {folder}, log_directory: {folder}}}"
    file.write_text(f"cluster: slurm\noptions: {options}\nadapt: {{minimum: 1, maximum: 2}}\n")
    cancelled: list[str] = []

    def cancel() -> None:
        wait_for(lambda: bool(_stored(store)), lambda: f"a chunk: {lab.queue()}\n{lab.logs()}")
        cancelled.extend(job for job, state in lab.queue() if state == "RUNNING")
        lab.call("scancel", *cancelled)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(cancel)
        answer = _answer(capsys, "run", folder / "s.yaml", "-o", store, "--dask", file)
        done.result()
    assert cancelled
    assert answer["done"] == POINTS
    _require_equal(store, folder / "serial.zarr")


def test_an_array_may_have_as_many_tasks_as_the_cluster_says(lab: SlurmLab) -> None:
    largest = largest_array()
    assert largest == 101
    command = ["sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap=true"]
    for last, is_taken in ((largest - 1, True), (largest, False)):
        done = subprocess.run([*command, f"--array={last}"], capture_output=True, text=True)
        assert (done.returncode == 0) == is_taken, done.stderr
        if is_taken:
            lab.call("scancel", done.stdout.strip())


def test_without_sbatch_one_line_says_what_else_can_be_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    store = str(folder / "nowhere.zarr")
    submit = ["sweep", "submit", str(folder / "s.yaml"), "-o", store, "--slurm"]
    assert main(submit) == 2
    assert "--dry-run" in capsys.readouterr().err
    assert main([*submit, "--dry-run", "--tasks", "7", "--throttle", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["tasks"], answer["chunks_per_task"], answer["job"]) == (7, 5, None)
    text = Path(answer["files"]["array"]).read_text()
    assert "\n#SBATCH --array=0-6%2\n" in text
    assert f'sweep run {store} --workers 1 --shard "$SLURM_ARRAY_TASK_ID/7"\n' in text
    assert f"sweep status {store}" in Path(answer["files"]["summary"]).read_text()


def test_other_batch_systems_are_told_how_to_share(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "submit", str(folder / "s.yaml")]) == 2
    assert "--shard I/N" in capsys.readouterr().err


def test_options_come_into_the_script_and_no_more_than_options(tmp_path: Path) -> None:
    request = Request(
        throttle=4, time="2:00:00", memory="4G", partition="long", account="lab", cores=2,
        options=["--qos=high"],
    )  # fmt: skip
    tasks = Tasks(10, (0, 1, 2, 5, 7, 8), 3, 100.0)
    array, _ = write_scripts(tmp_path / "a % b.zarr", tasks, request)
    lines = array.read_text().splitlines()
    for line in (
        "--array=0-2,5,7-8%4", "--time=2:00:00", "--mem=4G", "--partition=long", "--account=lab",
        "--cpus-per-task=2", "--qos=high", "--requeue", "--open-mode=append",
        f'--output="{tmp_path}/a %% b.slurm/%A_%a.log"',
    ):  # fmt: skip
        assert f"#SBATCH {line}" in lines
    assert f"'{tmp_path}/a % b.zarr'" in lines[-1]
    with pytest.raises(ScenarioError, match="--partition 'a b': must be one word"):
        replace(request, partition="a b")
    with pytest.raises(ScenarioError, match="must be an option such as --qos=long"):
        replace(request, options=["--qos=high\nrm -r x"])


def _block(page: str, *words: str) -> str:
    """The code block of a page that has these words."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\S* \w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    [found] = [block for block in blocks if all(word in block for word in words)]
    return str(found)


def test_the_script_of_the_how_to_is_the_one_that_is_written(tmp_path: Path) -> None:
    tasks = Tasks(4, (0, 1, 2, 3), 2, 0.1)
    array, _ = write_scripts(tmp_path / "entry.zarr", tasks, Request(throttle=2))
    text = array.read_text().replace(shlex.quote(sys.executable), "/project/venv/bin/python")
    assert text.replace(str(tmp_path), "/project") == _block("sweep-on-slurm.md", "#SBATCH")


def test_the_script_for_pbs_computes_a_shard(folder: Path) -> None:
    store = folder / "entry.zarr"
    with writing(plan_sweep(folder / "s.yaml"), store):
        pass
    script = _block("sweep-on-slurm.md", "#PBS").replace("/project/venv/bin/python", sys.executable)
    script = script.replace("/project", str(folder))
    subprocess.run(
        ["bash"], input=script, env={**os.environ, "PBS_ARRAY_INDEX": "3"}, text=True, check=True
    )
    assert _stored(store) == set(range(3, POINTS, 8))


def test_a_chunk_that_takes_hours_is_pointed_out() -> None:
    summary = {
        "points": 9, "missing": 9, "tasks": 3, "chunks_per_task": 1, "chunks_at_once": 1,
        "seconds_per_task": 9000.0, "job": "7", "summary_job": "8", "files": {"store": "s.zarr", "logs": "s.slurm"},
    }  # fmt: skip
    assert "a smaller `chunk`" in "\n".join(submission_lines(summary))
    less = {**summary, "seconds_per_task": 900.0}
    assert "a smaller `chunk`" not in "\n".join(submission_lines(less))


def _tasks(
    missing: range, seconds: float, cores: int = 1, is_threaded: bool = True, **more: int
) -> Tasks:
    """The missing chunks of so many seconds, shared on a cluster with the usual limit."""
    pace = Pace(seconds, cores, is_threaded)
    return share(missing, pace, Request(cores=cores, **more), 1001)


def test_tasks_are_few_large_and_even() -> None:
    few = _tasks(range(1000), 3.0)  # 3000 s: tasks of 5 min
    assert (few.count, few.text, few.chunks, few.seconds) == (10, "0-9", 100, 300)
    assert _tasks(range(1000), 3.0, cores=2).count == 5
    assert _tasks(range(10), 0.1).count == 1
    assert _tasks(range(3), 9000.0).count == 3  # no more tasks than chunks
    assert _tasks(range(100_000), 60.0).count == 1001
    with pytest.raises(ScenarioError, match="this cluster takes 1001"):
        _tasks(range(100_000), 60.0, tasks=1002)


@pytest.mark.parametrize(
    ("chunks", "seconds", "cores", "tasks"),
    [(40, 7680.0, 8, 5), (41, 7680.0, 8, 6), (1000, 100.0, 4, 84), (10, 7.0, 16, 1)],
)
def test_an_engine_that_has_one_core_for_a_chunk_keeps_all_cores_of_a_task_busy(
    chunks: int, seconds: float, cores: int, tasks: int
) -> None:
    found = _tasks(range(chunks), seconds, cores, is_threaded=False)
    rounds = -(-found.chunks // cores)
    assert (found.count, found.seconds) == (tasks, rounds * seconds)
    assert (rounds - 1) * seconds < 300
    one_each = _tasks(range(chunks), seconds, cores, is_threaded=False, tasks=chunks)
    assert one_each.seconds == seconds  # a chunk takes as long, however many cores stand idle


def test_threads_share_a_chunk_where_there_are_fewer_chunks_than_cores() -> None:
    assert _tasks(range(3), 9000.0, cores=8).seconds == 9000 / 8
    assert _tasks(range(3), 9000.0, cores=8, tasks=1).seconds == 9000 / 2
    assert _tasks(range(9), 9000.0, cores=8, tasks=1).seconds == 9000 * 2


@given(
    st.integers(1, 3000), st.floats(0.01, 1e5), st.integers(1, 64), st.booleans(),
    st.integers(1, 2000),
)  # fmt: skip
def test_every_missing_chunk_has_a_task_that_the_cluster_takes(
    chunks: int, seconds: float, cores: int, is_threaded: bool, largest: int
) -> None:
    pace = Pace(seconds, cores, is_threaded)
    found = share(range(chunks), pace, Request(cores=cores), largest)
    assert 1 <= found.count <= largest
    assert found.numbers == tuple(range(found.count))
    assert found.chunks == -(-chunks // found.count)
    assert found.seconds == pace.predicted(found.chunks)


def test_a_cluster_without_arrays_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Configuration data\nMaxArraySize            = 0\n"
    monkeypatch.setattr("myelode.sweeps.backends.with_slurm._said", lambda *command: said)
    pace = Pace(30.0, 1, is_threaded=True)
    with pytest.raises(ScenarioError, match="takes no array jobs .* --shard I/N"):
        share(range(1000), pace, Request(), largest_array())
    assert share(range(1000), pace, Request(), 1).text == "0"
    with pytest.raises(ScenarioError, match="--tasks 2: this cluster takes 1 "):
        share(range(1000), pace, Request(tasks=2), 1)


def test_what_a_killed_task_left_is_shared_among_new_ones() -> None:
    left = range(7, 1000, 10)  # a tenth of the chunks, all of one task
    for is_threaded in (True, False):
        tasks = _tasks(left, 30.0, is_threaded=is_threaded)
        assert tasks.count >= 10
        assert tasks.chunks <= 11
    assert _tasks(left, 30.0, tasks=10).text == "7"
