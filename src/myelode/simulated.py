"""What a model answers when it is simulated without a scenario.

These methods of `Model` only say what may be asked; `model_runs.py` does it, and is loaded when it
is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from myelode.engines.summary import Summary
    from myelode.model import Model


class RunOptions(TypedDict, total=False):
    """How runs are done, beside what is run.

    Attributes
    ----------
    precision : of trajectories; they are computed in float64 in any case.
    reproducible : the same numbers, bit for bit, on every kind of processor; somewhat slower.
    threads : how many, where the ensemble engine runs; as many as there are processors by default.
        Numbers do not depend on it.
    most_steps : steps after which the ensemble engine gives up one simulation.
    most_seconds : the same by the clock, which it looks at every thousand steps.
    memory : bytes that results may take; by default half of what the machine has left.
    """

    precision: Literal["float64", "float32"]
    reproducible: bool
    threads: int | None
    most_steps: int | None
    most_seconds: float | None
    memory: float | None


class Simulated:
    """The part of a model that runs it."""

    def simulate(
        self,
        times: Sequence[float] | np.ndarray,
        outputs: Sequence[str] | None = None,
        changes: Mapping[str, Any] | None = None,
        engine: str = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        **options: Unpack[RunOptions],
    ) -> xr.Dataset:
        """Trajectories of the plain model, without a scenario.

        Parameters
        ----------
        times : increasing, in the model's time unit, none before zero.
        outputs : ids, ``amount(X)`` or ``concentration(X)``; all species and rule-driven
            parameters where None.
        changes : numbers, or arrays of one length (dimension ``sample``), by id.
        engine : ``auto`` or the name of an engine.
        rtol, atol : relative tolerance, and absolute tolerance as a share of each state's size.
        options : ``precision``, ``reproducible``, ``threads``, ``most_steps``, ``most_seconds``
            and ``memory``, as `RunOptions` says.

        Returns
        -------
        Dataset with one variable per output and dimensions ``(time)`` or ``(sample, time)``. Beside
        arrays stand the coordinates ``status`` (0 where a run has reached its end, 1 where not:
        then all its values are NaN), ``reason``, ``time_reached`` and ``steps``.

        Raises
        ------
        ScenarioError, UnsupportedModelError; SimulationError where no run reaches its end.
        """
        from myelode.model_runs import simulate_model

        model = cast("Model", self)
        return simulate_model(
            model, times, outputs, changes, engine=engine, rtol=rtol, atol=atol, **options
        )

    def summarize(
        self,
        summaries: Mapping[str, Summary],
        end: float,
        changes: Mapping[str, Any] | None = None,
        engine: str = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        **options: Unpack[RunOptions],
    ) -> xr.Dataset:
        """Numbers that say something about whole runs, computed while these are integrated.

        As exact as the integration, and without trajectories: that many runs take little memory.
        Where libRoadRunner has to run, they are computed from samples, and ``attrs`` say so.

        Parameters
        ----------
        summaries : what is wanted, by the name that it gets.
        end : when runs end, in the model's time unit.

        The others are those of `simulate`.

        Returns
        -------
        Dataset with one variable per summary, without dimensions or along ``sample``, with
        coordinates as in `simulate`.
        """
        from myelode.model_runs import summarize_model

        model = cast("Model", self)
        return summarize_model(
            model, summaries, end, changes, engine=engine, rtol=rtol, atol=atol, **options
        )

    def simulate_blocks(
        self,
        times: Sequence[float] | np.ndarray,
        outputs: Sequence[str] | None = None,
        changes: Mapping[str, Any] | None = None,
        engine: str = "auto",
        rtol: float | None = None,
        atol: float | None = None,
        *,
        summaries: Mapping[str, Summary] | None = None,
        block: int | None = None,
        **options: Unpack[RunOptions],
    ) -> Iterator[xr.Dataset]:
        """As `simulate`, block after block, for more runs than memory holds.

        Parameters
        ----------
        summaries : variables beside the trajectories, as in `summarize`.
        block : how many runs there are in a block; as many as memory holds by default, and no more
            than 8192.

        Yields datasets in the order of the runs, whose numbers are the coordinate ``sample``. A
        block in which no run reaches its end is like any other.
        """
        from myelode.model_runs import simulate_in_blocks

        model = cast("Model", self)
        return simulate_in_blocks(
            model, times, outputs, changes, summaries, block, engine=engine, rtol=rtol, atol=atol,
            **options,
        )  # fmt: skip
