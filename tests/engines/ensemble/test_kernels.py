"""The kernels as machine code against the method and the tape in plain NumPy."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from myelode import library
from myelode.engines.ensemble import oracle
from myelode.engines.ensemble.assembly import LANES
from myelode.engines.ensemble.evaluation import evaluate, started
from myelode.engines.ensemble.kernels import write_kernels
from myelode.engines.ensemble.machine import PROCESSOR, MachineCode, compile_program, load
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.reading import read_program
from myelode.engines.ensemble.tableau import RODAS5P
from myelode.engines.ensemble.tape import Tape
from myelode.model import load_model
from myelode.model_folder import read_variants

from .programs import aligned, binding, call, network, program_of

SHIPPED = [(name, form) for name, path in library.models().items() for form in read_variants(path)]
OUTPUTS = ("both", "time", "bound", "p0")


@dataclass(frozen=True)
class Bench:
    """Eight simulations of a program, in arrays as kernels want them."""

    program: Program
    code: MachineCode
    time: np.ndarray
    size: np.ndarray
    states: np.ndarray
    constants: np.ndarray
    hoisted: np.ndarray

    def run(self, name: str, *arrays: np.ndarray) -> None:
        kernel = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))
        call(kernel(getattr(self.code.kernels, name)), *arrays)

    def values(self, name: str, count: int) -> np.ndarray:
        """What `slopes`, `roots` or `observe` computes."""
        found = aligned(count, LANES)
        self.run(name, self.time, self.states, self.constants, self.hoisted, found)
        return found

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """The stages, of shape (8, states, lanes), and the states at the end."""
        sizes = self.code.sizes
        stages, after = aligned(8, sizes.states, LANES), aligned(sizes.states, LANES)
        start = (self.time, self.size, self.states, self.constants, self.hoisted)
        self.run("step", *start, stages, after, aligned(sizes.work))
        return stages, after

    def problem(self, lane: int) -> oracle.Problem:
        """The program with the constants of one simulation, for the plain method."""
        program, constants = self.program, self.constants[:, lane : lane + 1]
        rows, columns = zip(*program.jacobian, strict=True)

        def values(wanted: tuple[int, ...], time: float, state: np.ndarray) -> np.ndarray:
            found = evaluate(program.tape, wanted, state[:, None], constants, np.array([time]))
            return np.asarray(found[:, 0])

        def jacobian(time: float, state: np.ndarray) -> np.ndarray:
            found = np.zeros((len(state), len(state)))
            found[rows, columns] = values(tuple(program.jacobian.values()), time, state)
            return found

        return oracle.Problem(
            lambda time, state: values(program.slopes, time, state),
            jacobian,
            lambda time, state: values(program.by_time, time, state),
        )


def bench(
    program: Program,
    states: np.ndarray,
    constants: np.ndarray,
    sizes: np.ndarray,
    outputs: tuple[str, ...] = (),
    reproducible: bool = False,
) -> Bench:
    code = compile_program(program, outputs, reproducible)
    shapes = [(LANES,), (LANES,), states.shape, constants.shape, (code.sizes.hoisted, LANES)]
    time, size, inside, given, hoisted = (aligned(*shape) for shape in shapes)
    time[:] = np.linspace(0, 3, LANES)
    size[:], inside[:], given[:] = sizes, states, constants
    found = Bench(program, code, time, size, inside, given, hoisted)
    found.run("prepare", given, hoisted)
    return found


def binding_bench(reproducible: bool = False, seed: int = 1) -> Bench:
    random = np.random.default_rng(seed)
    constants = random.lognormal(0, 1, (4, LANES))
    states = random.lognormal(0, 1, (2, LANES))
    states[0, 0] = 0.0  # where Hill laws start
    return bench(binding(), states, constants, np.full(LANES, 0.3), OUTPUTS, reproducible)


def network_bench(reproducible: bool = False, outputs: tuple[str, ...] = ()) -> Bench:
    """Rates over seven orders of magnitude, and steps from tiny to far beyond the fastest of them."""
    random = np.random.default_rng(2)
    constants = random.lognormal(0, 3, (60, LANES))
    states = random.lognormal(-3, 1, (30, LANES))
    sizes = np.geomspace(1e-6, 0.1, LANES)
    return bench(network(30, 60, seed=3), states, constants, sizes, outputs, reproducible)


@pytest.mark.parametrize("reproducible", [False, True])
def test_values_are_those_of_the_tape(reproducible: bool) -> None:
    case = binding_bench(reproducible)
    program = case.program
    observed = tuple(program.outputs[name] for name in OUTPUTS)
    roots = tuple(root.value for root in program.roots)
    for name, wanted in (("slopes", program.slopes), ("observe", observed), ("roots", roots)):
        expected = evaluate(program.tape, wanted, case.states, case.constants, case.time)
        found = case.values(name, len(wanted))
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("reproducible", [False, True])
@pytest.mark.parametrize("make", [binding_bench, network_bench])
def test_step_is_that_of_the_plain_method(make: type[Bench], reproducible: bool) -> None:
    assert_step_is_right(make(reproducible))


def assert_step_is_right(
    case: Bench, near: float = 1e-12, lanes: Sequence[int] = range(LANES)
) -> None:
    stages, after = case.step()
    for lane in lanes:
        state, time, size = case.states[:, lane], case.time[lane], case.size[lane]
        expected = oracle.step(case.problem(lane), time, state, size)
        end = oracle.end_of(state, expected)
        scale = np.abs(end).max() + np.abs(state).max()
        np.testing.assert_allclose(stages[:, :, lane], expected, rtol=near, atol=near * scale)
        np.testing.assert_allclose(after[:, lane], end, rtol=near, atol=near * scale)


@pytest.mark.parametrize(("model", "variant"), SHIPPED)
def test_steps_of_shipped_models(model: str, variant: str) -> None:
    program = read_program(load_model(model, variant=variant).sbml)
    states, constants = started(program, {}, LANES)
    # States at zero hide half of a model.
    states = states + 1e-3 * np.random.default_rng(5).random(states.shape)
    sizes = np.geomspace(1e-5, 1e-2, LANES)
    assert_step_is_right(bench(program, states, constants, sizes), near=1e-10, lanes=(0, 3, 7))


def test_error_is_the_mean_square_over_the_tolerances() -> None:
    case = network_bench()
    stages, after = case.step()
    tolerances, error, factor = aligned(31, LANES), aligned(LANES), aligned(LANES)
    tolerances[:] = np.random.default_rng(4).lognormal(-7, 1, (31, LANES))
    case.run("error", case.states, after, stages, tolerances, error, factor)
    largest = np.maximum(np.abs(case.states), np.abs(after))
    expected = np.mean((stages[-1] / (tolerances[:-1] + tolerances[-1] * largest)) ** 2, axis=0)
    np.testing.assert_allclose(error, expected, rtol=1e-13)
    np.testing.assert_allclose(factor, 0.9 * expected**-0.1, rtol=1e-13)


def test_error_of_a_perfect_step_and_of_none() -> None:
    case = binding_bench()
    stages, tolerances, error, factor = (
        aligned(8, 2, LANES),
        aligned(3, LANES),
        aligned(LANES),
        aligned(LANES),
    )
    tolerances[:] = 1e-6
    stages[-1, 0, 1] = np.nan
    case.run("error", case.states, case.states, stages, tolerances, error, factor)
    assert error[0] == 0
    assert factor[0] == np.inf
    assert np.isnan(error[1])
    assert np.isnan(factor[1])


def test_interpolation_is_that_of_the_plain_method() -> None:
    case = network_bench(outputs=("x20", "x3"))
    stages, after = case.step()
    bends, found = aligned(3, 30, LANES), aligned(2, LANES)
    case.run("dense", stages, bends)
    values = (case.states, after, bends, case.constants, case.hoisted)
    for share in (0.0, 0.3, 1.0):
        shares = aligned(LANES)
        shares[:] = share
        case.run("sample", case.time, shares, *values, found)
        for lane in range(LANES):
            ends = (case.states[:, lane], after[:, lane])
            expected = oracle.within(share, *ends, stages[:, :, lane])
            np.testing.assert_allclose(found[:, lane], expected[[20, 3]], rtol=1e-12, atol=1e-12)


def test_all_states_are_interpolated_where_there_are_roots() -> None:
    case = binding_bench()
    stages, _ = case.step()
    bends = aligned(3, 2, LANES)
    case.run("dense", stages, bends)
    expected = np.tensordot(RODAS5P.dense, stages, axes=1)
    np.testing.assert_allclose(bends, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("reproducible", [False, True])
def test_samples_are_outputs_of_interpolated_states(reproducible: bool) -> None:
    case = binding_bench(reproducible)
    stages, after = case.step()
    bends, shares, found = aligned(3, 2, LANES), aligned(LANES), aligned(len(OUTPUTS), LANES)
    case.run("dense", stages, bends)
    shares[:] = np.linspace(0, 1, LANES)
    ends = (case.states, after)
    case.run("sample", case.time, shares, *ends, bends, case.constants, case.hoisted, found)
    bend = bends[0] + shares * (bends[1] + shares * bends[2])
    inside = (1 - shares) * case.states + shares * (after + (1 - shares) * bend)
    observed = tuple(case.program.outputs[name] for name in OUTPUTS)
    expected = evaluate(case.program.tape, observed, inside, case.constants, case.time)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_only_accepted_steps_are_taken() -> None:
    case = network_bench()
    before, (_, after) = case.states.copy(), case.step()
    accepted = aligned(LANES)
    accepted[[1, 4]] = 1.0
    case.run("accept", accepted, after, case.states)
    np.testing.assert_array_equal(case.states, np.where(accepted == 1, after, before))


@pytest.mark.parametrize("make", [binding_bench, network_bench])
def test_lanes_do_not_mix(make: type[Bench]) -> None:
    """A simulation has the same numbers, bit for bit, in another lane and beside others."""
    case = make()
    stages, after = (array.copy() for array in case.step())
    for array in (case.time, case.size, case.states, case.constants):
        array[:] = np.roll(array, 3, axis=-1)
        array[..., 0] = np.nan
    case.run("prepare", case.constants, case.hoisted)
    moved_stages, moved_after = case.step()
    np.testing.assert_array_equal(moved_stages[..., 1:], np.roll(stages, 3, axis=-1)[..., 1:])
    np.testing.assert_array_equal(moved_after[..., 1:], np.roll(after, 3, axis=-1)[..., 1:])


def test_no_product_is_fused_with_a_sum_where_numbers_must_be_reproducible() -> None:
    program = network(6, 8, seed=1)
    assert " contract " in write_kernels(program, (), contract=True).text
    assert " contract " not in write_kernels(program, (), contract=False).text


@pytest.mark.skipif(platform.machine() != "x86_64", reason="kinds of processors of another family")
@pytest.mark.parametrize("processor", ["x86-64", "x86-64-v3"])
def test_reproducible_numbers_do_not_depend_on_the_processor(processor: str) -> None:
    case = binding_bench(reproducible=True)
    stages, after = (array.copy() for array in case.step())
    engine = load(write_kernels(case.program, (), contract=False).text, processor)
    kernels = case.code.kernels._replace(step=engine.get_function_address("step"))
    older = Bench(**{**vars(case), "code": MachineCode(kernels, case.code.sizes, engine)})
    older_stages, older_after = older.step()
    np.testing.assert_array_equal(older_stages, stages)
    np.testing.assert_array_equal(older_after, after)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="kinds of processors of another family")
def test_kernels_are_for_the_processor_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    case = network_bench(reproducible=True)
    stages, after = (array.copy() for array in case.step())
    monkeypatch.setenv(PROCESSOR, "x86-64-v3")
    other = network_bench(reproducible=True)
    assert other.code.kernels != case.code.kernels
    for found, expected in zip(other.step(), (stages, after), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_model_is_compiled_once() -> None:
    one, same = (compile_program(binding(), OUTPUTS) for _ in range(2))
    assert one.kernels == same.kernels
    assert compile_program(binding(), OUTPUTS[:1]).kernels != one.kernels


def test_a_model_without_states_can_be_observed() -> None:
    tape = Tape()
    doubled = tape.apply("add", tape.given(0), tape.time())
    program = program_of(tape, (), 1, {"sum": doubled})
    case = bench(program, np.zeros((0, LANES)), np.ones((1, LANES)), np.ones(LANES), ("sum",))
    np.testing.assert_array_equal(case.values("observe", 1)[0], 1 + case.time)
