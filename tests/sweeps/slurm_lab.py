"""A real SLURM of one node, started by the tests on free ports: nothing of it outlives them.

It needs root and Debian's packages slurmctld, slurmd, slurm-client and munge, but no systemd, no
cgroups and no accounting. Its keys, states and logs stand in a folder of its own, so that a SLURM
that the machine may have is neither used nor disturbed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
PATIENCE = 120.0  # seconds
CORES = 4  # more than the machine may have: tasks of these tests are small

CONFIGURATION = """
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1,sched_interval=1
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=2
MinJobAge=600
MaxArraySize=101
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} Boards=1 SocketsPerBoard=1 CoresPerSocket={cores} ThreadsPerCore=1 RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefMemPerCPU=1000 State=UP
"""


def what_is_missing() -> str:
    """Why no SLURM can be started here; empty where one can."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"needs {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)"
    return "" if os.geteuid() == 0 else "needs root to start a SLURM"


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@dataclass(frozen=True)
class SlurmLab:
    """A running SLURM; `environment` lets its commands find it."""

    folder: Path
    environment: dict[str, str]

    def call(self, *command: str) -> str:
        """What a command prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}\n{self.logs()}"
        return done.stdout

    def queue(self) -> list[tuple[str, str]]:
        """Number and state of each job, or task of an array, that waits or runs."""
        lines = self.call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()
        return [(number, state) for number, state in map(str.split, lines)]

    def requeue(self, task: str) -> None:
        """Kill a task that runs, to be begun again later."""
        self.call("scontrol", "requeue", task)
        wait_for(lambda: (task, "PENDING") in self.queue(), self.logs)

    def begin(self, task: str) -> None:
        """Let a task that was requeued begin: SLURM would wait two minutes."""
        self.call("scontrol", "update", f"JobId={task}", "StartTime=now")

    def wait_until_idle(self) -> None:
        """Until no job waits or runs."""
        wait_for(lambda: not self.queue(), lambda: f"jobs to end\n{self.queue()}\n{self.logs()}")

    def logs(self) -> str:
        """The ends of what its daemons wrote."""
        texts = [path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log"))]
        return "\n".join(text[-2000:] for text in texts)


def wait_for(
    happened: Callable[[], bool], what: Callable[[], str] | str, patience: float = PATIENCE
) -> None:
    """Until it has happened; fails the test when that takes beyond reason."""
    end = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < end, (
            f"waited {patience} s for {what if isinstance(what, str) else what()}"
        )
        time.sleep(0.1)


@contextmanager
def slurm_lab() -> Iterator[SlurmLab]:
    """Start a SLURM of one node; afterwards cancel its jobs and stop it."""
    # A short path: those of sockets are limited.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    lab = SlurmLab(folder, {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")})
    _configure(folder)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _start(stack, lab, "munged", "--foreground", "--force", *_munge_options(folder))
        wait_for((folder / "munge.socket").exists, lab.logs)
        _start(stack, lab, "slurmctld", "-D", "-c")
        _start(stack, lab, "slurmd", "-D")
        wait_for(lambda: _is_up(lab), lab.logs)
        stack.callback(_cancel_all, lab)
        yield lab


def _configure(folder: Path) -> None:
    for name in ("controller", "node"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    controller, node = _free_ports()
    text = CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0], folder=folder, cores=CORES,
        controller=controller, node=node,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text, encoding="utf-8")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _munge_options(folder: Path) -> list[str]:
    files = {
        "socket": "socket",
        "key-file": "key",
        "log-file": "log",
        "pid-file": "pid",
        "seed-file": "seed",
    }
    return [f"--{option}={folder}/munge.{ending}" for option, ending in files.items()]


def _start(stack: ExitStack, lab: SlurmLab, name: str, *arguments: str) -> None:
    program = _program(name)
    assert program is not None
    with (lab.folder / f"{name}.output.log").open("w") as output:
        process = subprocess.Popen(
            [program, *arguments], env=lab.environment, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    stack.callback(_stop, process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_up(lab: SlurmLab) -> bool:
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"], env=lab.environment, capture_output=True, text=True
    )
    return done.stdout.strip() in ("idle", "mixed", "allocated")


def _cancel_all(lab: SlurmLab) -> None:
    with suppress(AssertionError):
        lab.call("scancel", "--user=root")
        lab.wait_until_idle()
