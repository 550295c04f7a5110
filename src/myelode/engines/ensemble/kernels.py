"""The kernels of a model: what a driver calls for eight simulations at once, as text for LLVM.

All arguments are addresses of arrays whose places hold eight numbers, one of each simulation: `t`
the time, `h` the step size, `y` states, `p` constants, `q` values that hold for a whole simulation,
`f` slopes, `k` the stages of a step one after another, `s` shares of steps. What changes from model
to model is written out line by line; what is the same for every state is a loop.

======== ============================== =====================================================
prepare  p, q                           computes q
slopes   t, y, p, q, f                  computes f
step     t, h, y, p, q, k, y_new, work  one step: computes k and y_new
error    y, y_new, k, tolerances, e,    tolerances: absolute ones, then the relative one; e is the
         factor                         mean square error, factor the advice for the next size
accept   a, y_new, y                    y becomes y_new in lanes where a is not zero
dense    k, d                           the three coefficients of the interpolation, of all states
                                        where there are roots, else of those that outputs follow
roots    t, y, p, q, out                values of the roots
observe  t, y, p, q, out                values of the outputs
sample   t, s, y, y_new, d, p, q, out   values of the outputs within a step, t is the time there
======== ============================== =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from myelode.engines.ensemble.assembly import READ, VECTOR, WRITTEN, Function, number
from myelode.engines.ensemble.instructions import library, write_operation
from myelode.engines.ensemble.matrices import Matrix
from myelode.engines.ensemble.oracle import SAFETY
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.stages import MODEL, Parts, load_stage, write_step
from myelode.engines.ensemble.tableau import RODAS5P
from myelode.engines.ensemble.tape import STATE
from myelode.engines.ensemble.values import Inside, Values, hoisted_values


@dataclass(frozen=True)
class KernelText:
    """The kernels of a model.

    Attributes
    ----------
    hoisted : how many values `prepare` computes.
    work : how many places of memory `step` needs.
    """

    text: str
    hoisted: int
    work: int


def write_kernels(program: Program, outputs: Sequence[str], *, contract: bool) -> KernelText:
    """The kernels of a model and its chosen outputs.

    Parameters
    ----------
    contract : whether a product and a sum may be rounded once, where the processor can do that.
    """
    writer = _Writer(program, outputs, contract)
    slopes = writer.slopes_at()
    parts = writer.parts(slopes)
    functions = [
        writer.prepare(),
        slopes,
        writer.slopes(slopes),
        parts.linearise,
        *parts.factorise,
        parts.solve,
        write_step(parts, contract),
        writer.error(),
        writer.accept(),
        writer.dense(),
        writer.values("roots", writer.roots),
        writer.values("observe", writer.observed),
        writer.sample(),
    ]
    text = "\n".join([*(function.text() for function in functions), *library(functions)])
    return KernelText(text, len(writer.hoisted), parts.work)


class _Writer:
    """Writes the functions of one model, a method for each."""

    def __init__(self, program: Program, outputs: Sequence[str], contract: bool):
        self.program, self.contract = program, contract
        self.states = len(program.states)
        self.roots = [root.value for root in program.roots]
        self.observed = [program.outputs[name] for name in outputs]
        moving = (program.slopes, program.jacobian.values(), program.by_time)
        wanted = [value for values in (*moving, self.roots, self.observed) for value in values]
        hoisted = hoisted_values(program.tape, wanted)
        self.hoisted = {value: place for place, value in enumerate(hoisted)}
        self.dense_states = self._dense_states()

    def prepare(self) -> Function:
        """What holds for a whole simulation."""
        function = self._kernel("prepare", {"p": READ, "q": WRITTEN})
        Values(function, self.program.tape, {}, "").store(self.hoisted, "%q")
        function.returns()
        return function

    def slopes_at(self) -> Function:
        """The slopes at a time that is at hand."""
        function = self._part("slopes_at", {"now": VECTOR, **MODEL, "f": WRITTEN})
        self._values(function, "%now").store(self.program.slopes, "%f")
        function.returns()
        return function

    def slopes(self, slopes_at: Function) -> Function:
        """The slopes at a time in memory."""
        function = self._kernel("slopes", {"t": READ, **MODEL, "f": WRITTEN})
        function.run(slopes_at, function.load("%t"), "%y", "%p", "%q", "%f")
        function.returns()
        return function

    def values(self, name: str, wanted: Sequence[int]) -> Function:
        """A kernel that computes values of the tape."""
        function = self._kernel(name, {"t": READ, **MODEL, "out": WRITTEN})
        self._values(function, function.load("%t")).store(wanted, "%out")
        function.returns()
        return function

    def parts(self, slopes_at: Function) -> Parts:
        """What a step calls."""
        program, matrix = self.program, Matrix(self.program, self.contract)
        autonomous = all(program.tape.is_number(value, 0.0) for value in program.by_time)
        return Parts(
            linearise=self.linearise(matrix, autonomous),
            factorise=matrix.factorise(),
            slopes=slopes_at,
            solve=matrix.solve(),
            states=self.states,
            entries=len(matrix.places),
            autonomous=autonomous,
        )

    def linearise(self, matrix: Matrix, autonomous: bool) -> Function:
        """At the start of a step: slopes, also those by time, and the matrix."""
        written = {"matrix": WRITTEN, "f": WRITTEN, "by_time": WRITTEN}
        function = self._part("linearise", {"now": VECTOR, **MODEL, "diagonal": VECTOR, **written})
        values = self._values(function, "%now")
        values.store(self.program.slopes, "%f")
        if not autonomous:
            values.store(self.program.by_time, "%by_time")
        matrix.store(function, values)
        function.returns()
        return function

    def error(self) -> Function:
        """How wrong a step is, and what that says about the size of the next one."""
        read = dict.fromkeys(("y", "y_new", "k", "tolerances"), READ)
        function = self._kernel("error", {**read, "e": WRITTEN, "factor": WRITTEN})
        total = function.sum_over(self.states, lambda place: self._squared_error(function, place))
        found = function.multiply(total, number(1 / max(self.states, 1)))
        function.store(found, "%e")
        # The error itself to the power of -1 / order is its square to half of that; for advice the
        # short way through the logarithm is exact enough.
        logarithm = write_operation(function, "log", [found])
        change = function.multiply(logarithm, number(-0.5 / RODAS5P.order))
        factor = write_operation(function, "exp", [change])
        function.store(function.multiply(factor, number(SAFETY)), "%factor")
        function.returns()
        return function

    def accept(self) -> Function:
        """The states after a step that not every lane accepts."""
        function = self._kernel("accept", {"a": READ, "y_new": READ, "y": WRITTEN})
        accepted = function.compare("une", function.load("%a"), number(0.0))
        with function.loop(self.states) as place:
            ends = function.load("%y_new", place), function.load("%y", place)
            function.store(function.select(accepted, *ends), "%y", place)
        function.returns()
        return function

    def dense(self) -> Function:
        """The coefficients of the interpolation within a step."""
        function = self._kernel("dense", {"k": READ, "d": WRITTEN})
        if len(self.dense_states) == self.states:
            with function.loop(self.states) as place:
                self._bend(function, place)
        else:
            for state in self.dense_states:
                self._bend(function, str(state))
        function.returns()
        return function

    def sample(self) -> Function:
        """Outputs within a step, of which only the states are interpolated that they need."""
        read = dict.fromkeys(("t", "s", "y", "y_new", "d", "p", "q"), READ)
        function = self._kernel("sample", {**read, "out": WRITTEN})
        inside = Inside(function, self.program.tape, self.hoisted, self.states)
        inside.store(self.observed, "%out")
        function.returns()
        return function

    def _dense_states(self) -> Sequence[int]:
        """The states that are looked at within steps."""
        if self.roots:
            return range(self.states)
        tape = self.program.tape
        needed = (tape.operations[value] for value in tape.needed_for(self.observed))
        return sorted({int(line.number) for line in needed if line.name == STATE})

    def _bend(self, function: Function, place: str) -> None:
        """The coefficients of one state."""
        stages = [
            load_stage(function, stage, place, self.states) for stage in range(RODAS5P.stages)
        ]
        for power, weights in enumerate(RODAS5P.dense):
            found = function.combination(weights, stages)
            function.store(found, "%d", function.count(place, power * self.states))

    def _kernel(self, name: str, parameters: Mapping[str, str]) -> Function:
        """A function that a driver can call."""
        return Function(name, parameters, exported=True, contract=self.contract)

    def _part(self, name: str, parameters: Mapping[str, str]) -> Function:
        """A function that kernels call."""
        return Function(name, parameters, contract=self.contract)

    def _values(self, function: Function, now: str) -> Values:
        return Values(function, self.program.tape, self.hoisted, now)

    def _squared_error(self, function: Function, place: str) -> str:
        """The last stage of a state over what it may be wrong by, squared."""
        before = function.intrinsic("fabs", function.load("%y", place))
        after = function.intrinsic("fabs", function.load("%y_new", place))
        largest = function.select(function.compare("olt", before, after), after, before)
        relative = function.multiply(function.load("%tolerances", self.states), largest)
        allowed = function.add(function.load("%tolerances", place), relative)
        last = load_stage(function, RODAS5P.stages - 1, place, self.states)
        share = function.divide(last, allowed)
        return function.multiply(share, share)
