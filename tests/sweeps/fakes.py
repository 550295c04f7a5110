"""A sweep of three lines of arithmetic, which fails, dies or waits where its document says so.

It has all that storing and running need of a sweep, and worker processes can plan it again.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from myelode.sweeps.backends.local import Stop, run_chunks, unfinished
from myelode.sweeps.blocks import DONE, FAILED, TEXT, Block, Layout, Variable, ledger
from myelode.sweeps.stores.store import Store, create, open_store

FOLDER = Path(__file__).resolve().parent
PLANNER = "fakes:plan_again"
"""Worker processes find it if FOLDER is on their path."""

TIMES = np.linspace(0.0, 24.0, 7)

VARIABLES = (
    Variable("k", attributes={"units": "1/h", "long_name": "a rate"}, is_coordinate=True),
    Variable("line", dtype=TEXT, fill="", attributes={"long_name": "line"}, is_coordinate=True),
    *ledger("h"),
    Variable("drug", ("time",), (len(TIMES),), "float32", attributes={"units": "uM"}),
    Variable("half_life", ("perturbation",), (2,), attributes={"units": "h"}),
    Variable(
        "outcome", dtype="int8", fill=-1,
        attributes={"flag_values": [0, 1], "flag_meanings": "sensitive resistant"},
    ),
)  # fmt: skip

Document = dict[str, Any]


class FakePlan:
    """A sweep as its document describes it.

    Keys of the document: `count`, `chunk`, `version` (of the model: it scales everything), `hours`
    until the end, `id`, `threaded`; and lists of points: `fail`, `raise`, `kill` (end the process), `kill_once` (the
    first time only, by a mark in the folder `marks`); `wait` seconds in each chunk.

    Attributes
    ----------
    asked : the chunks of which somebody has asked the key.
    """

    def __init__(self, **about: Any):
        defaults = {"count": 40, "chunk": 8, "version": 1, "id": "fake", "threaded": False}
        self.about: Document = defaults | {"hours": TIMES[-1]} | about
        self.times = np.linspace(0.0, self.about["hours"], len(TIMES))
        self.asked: list[int] = []
        self.engine = "fake"
        self.is_threaded = bool(self.about["threaded"])
        fixed = {
            "time": (("time",), self.times, {"units": "h"}),
            "perturbation": (("perturbation",), np.array(["none", "slow"]), {}),
        }
        self.layout = Layout(
            self.about["count"], self.about["chunk"], VARIABLES, fixed,
            {"title": f"a fake of version {self.about['version']}", "sweep_id": self.about["id"]},
        )  # fmt: skip

    @property
    def document(self) -> str:
        return json.dumps(self.about)

    def key(self, number: int) -> str:
        self.asked.append(number)
        first, last = self.layout.bounds(number)
        until = "" if self.about["hours"] == TIMES[-1] else f"-until-{self.about['hours']}"
        return f"{self.about['version']}-{first}-{last}{until}"

    def columns(self, numbers: np.ndarray) -> Block:
        lines = np.array(["MM.1S", "RPMI-8226"], dtype=object)
        return {"k": 0.1 + np.asarray(numbers) / 7, "line": lines[np.asarray(numbers) % 2]}

    def compute(self, number: int, threads: int = 1) -> Block:
        return self.compute_points(range(*self.layout.bounds(number)), threads)

    def compute_points(
        self, numbers: Sequence[int] | np.ndarray, threads: int = 1, rtol: float | None = None
    ) -> Block:
        numbers = np.asarray(numbers)
        if wait := self.about.get("wait"):
            time.sleep(wait)
        self._misbehave(set(numbers.tolist()))
        block = self.layout.empty(len(numbers)) | self.columns(numbers)
        rate = block["k"] * self.about["version"]
        block["drug"][:] = np.exp(-rate[:, None] * self.times)
        block["half_life"][:] = np.log(2) / rate[:, None] * [1, 2]
        block["outcome"][:] = rate > 1
        block["status"][:], block["steps"][:] = DONE, numbers
        block["time_reached"][:], block["rtol"][:] = self.times[-1], rtol or 1e-6
        block["seconds"][:] = time.process_time() % 1
        if rtol is None:
            self._fail(block, np.isin(numbers, self.about.get("fail", [])))
        return block

    def _fail(self, block: Block, which: np.ndarray) -> None:
        block["status"][which], block["reason"][which] = FAILED, "the derivatives are not finite"
        for name in ("drug", "half_life"):
            block[name][which] = np.nan

    def _misbehave(self, numbers: set[int]) -> None:
        if numbers & set(self.about.get("raise", [])):
            raise ZeroDivisionError("a fault of ours")
        if numbers & set(self.about.get("kill", [])):
            signal.raise_signal(signal.SIGSEGV)
        for number in numbers & set(self.about.get("kill_once", [])):
            mark = Path(self.about["marks"]) / str(number)
            if not mark.exists():
                mark.touch()
                signal.raise_signal(signal.SIGKILL)


def plan_again(document: str) -> FakePlan:
    return FakePlan(**json.loads(document))


def leave(document: str) -> FakePlan:
    """A plan that cannot be made: the process ends."""
    sys.exit(7)


def main() -> None:
    """Run a store in a process of its own: `python fakes.py STORE WORKERS`."""
    store = open_store(Path(sys.argv[1]))
    plan = plan_again(store.document)
    with store.locks.writer(), Stop().listening() as stop:
        store.sweep_up()
        todo = unfinished(plan, store, range(plan.layout.chunks))
        run_chunks(plan, store, todo, int(sys.argv[2]), stop=stop, planner=PLANNER)


def new_store(path: Path, **about: Any) -> tuple[FakePlan, Store]:
    """A plan and its store, in which nothing has been computed."""
    plan = FakePlan(**about)
    return plan, create(path, plan.layout, plan.document)


def whole_store(path: Path, **about: Any) -> tuple[FakePlan, Store]:
    """The same, computed by one worker that nothing has interrupted."""
    plan, store = new_store(path, **about)
    for number in range(plan.layout.chunks):
        store.write(number, plan.compute(number), plan.key(number))
    return plan, store


def differences(one: Store, other: Store) -> list[str]:
    """Which variables differ in a bit anywhere, and `keys`; time is never the same."""
    names = [variable.name for variable in one.layout.variables if variable.name != "seconds"]
    found = [name for name in names if not same(one.columns(name), other.columns(name))]
    return found + (["keys"] if one.keys() != other.keys() else [])


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether arrays are the same, bit for bit."""
    if one.dtype == object:
        return one.tolist() == other.tolist()
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


if __name__ == "__main__":
    main()
