"""SBML becomes the differential equations that the model means, whatever it is written with."""

from __future__ import annotations

import numpy as np
import pytest

from myelode.engines.ensemble.evaluation import assign, evaluate, started
from myelode.engines.ensemble.program import Program
from myelode.engines.ensemble.reading import read_program
from myelode.engines.protocol import Run, Tolerances
from myelode.engines.roadrunner import RoadRunnerEngine
from myelode.equations import derive
from myelode.errors import ModelError, UnsupportedModelError
from myelode.model import load_model
from myelode.regimens.timeline import Timeline
from myelode.sbml import canonical, from_antimony

from .reference import course, program_from

DECAY = """
model decay
  compartment blood = 4
  species drug in blood = 10, gone in blood = 0
  k = 0.3
  lose: drug -> gone; blood*k*drug
end
"""
TIMES = (0.0, 0.5, 1.0, 2.5, 4.0)


def now(program: Program, name: str, time: float = 0.0, **given: float) -> float:
    """The value of an output at the start, as if it were a certain time."""
    states, constants = started(program, {n: np.array([v]) for n, v in given.items()}, 1)
    value = program.outputs[name]
    return float(evaluate(program.tape, [value], states, constants, np.array([time]))[0, 0])


def agrees(antimony: str, *outputs: str, given: dict[str, float] | None = None) -> None:
    """The same course as libRoadRunner."""
    sbml = from_antimony(antimony, "a test")
    run = Run(given or {}, Timeline(end=TIMES[-1], instants=()), np.array(TIMES), outputs)
    wanted = RoadRunnerEngine().compile(sbml).run(run, Tolerances(1e-10, 1e-13))
    found = course(read_program(sbml), TIMES, outputs, given)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def level_3(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">'
        f'<model id="m">{body}</model></sbml>'
    )


def test_a_concentration_is_kept_as_an_amount() -> None:
    program = program_from(DECAY)
    assert program.states == ("amount(drug)", "amount(gone)")
    assert program.constants == ("blood", "k")
    states, constants = started(program, {}, 1)
    assert states[:, 0].tolist() == [40.0, 0.0]
    assert constants[:, 0].tolist() == [4.0, 0.3]
    assert now(program, "drug") == now(program, "concentration(drug)") == 10
    assert now(program, "amount(drug)") == 40
    assert now(program, "lose") == pytest.approx(12)
    assert now(program, "time", 7.0) == 7


def test_slopes_and_jacobian() -> None:
    program = program_from(DECAY)
    states, constants = started(program, {}, 1)
    slopes = evaluate(program.tape, program.slopes, states, constants, np.zeros(1))
    assert slopes[:, 0] == pytest.approx([-12, 12])
    assert set(program.jacobian) == {(0, 0), (1, 0)}
    assert all(program.tape.is_number(value, 0.0) for value in program.by_time)


@pytest.mark.parametrize(("name", "variant"), [("melflufen", "dish"), ("belantamab", "dish")])
def test_a_shipped_model_has_the_equations_of_the_second_engine(name: str, variant: str) -> None:
    sbml = load_model(name, variant).sbml
    program, equations = read_program(sbml), derive(sbml)
    states, constants = equations.start({})
    found = [values[:, 0] for values in started(program, {}, 1)]
    places = [equations.constants.index(_id(kept)) for kept in program.constants]
    assert found[0] == pytest.approx(states, rel=1e-14)
    assert found[1] == pytest.approx(constants[places], rel=1e-14)

    random = np.random.default_rng(1)
    typical = float(np.median(states[states > 0]))
    states = np.where(states > 0, states, typical) * np.exp(random.normal(size=len(states)))
    columns = states[:, None], constants[places][:, None], np.array([2.0])
    slopes = evaluate(program.tape, program.slopes, *columns)[:, 0]
    wanted = equations.right_hand_side()(2.0, states, constants)
    assert slopes == pytest.approx(wanted, rel=1e-9, abs=1e-12 * np.abs(wanted).max())
    matrix = np.zeros((len(states), len(states)))
    entries = evaluate(program.tape, list(program.jacobian.values()), *columns)[:, 0]
    matrix[tuple(np.array(list(program.jacobian)).T)] = entries
    wanted = equations.jacobian_function()(2.0, states, constants)
    assert matrix == pytest.approx(wanted, rel=1e-6, abs=1e-9 * np.abs(wanted).max())


def _id(kept: str) -> str:
    return kept.removeprefix("amount(").removesuffix(")")


class TestStart:
    CHAIN = """
    model chain
      compartment blood = 2
      species A in blood = dose / blood, B in blood = 3
      dose = 10; half = dose / 2; doubled := 2 * half
      A -> B; 0*A
    end
    """

    def test_what_depends_on_a_change_follows(self) -> None:
        program = program_from(self.CHAIN)
        assert now(program, "A") == 5
        assert now(program, "A", dose=20) == 10
        assert now(program, "doubled", dose=20) == 20
        assert now(program, "A", blood=4) == 2.5
        assert now(program, "amount(B)", blood=4) == 12

    def test_a_change_replaces_a_formula(self) -> None:
        program = program_from(self.CHAIN)
        assert now(program, "A", A=7) == 7
        assert now(program, "doubled", dose=20, half=1) == 2

    def test_some_simulations_are_given_what_others_compute(self) -> None:
        program = program_from(self.CHAIN)
        states, _ = started(program, {"A": np.array([7.0, np.nan]), "dose": np.array([1, 1.0])}, 2)
        assert states[program.states.index("amount(A)")].tolist() == [14, 1]

    def test_what_the_model_states_as_an_amount(self) -> None:
        program = read_program(
            level_3(
                '<listOfCompartments><compartment id="c" size="4" constant="true"/>'
                "</listOfCompartments><listOfSpecies>"
                '<species id="A" compartment="c" initialAmount="2" hasOnlySubstanceUnits="false"'
                ' boundaryCondition="false" constant="false"/>'
                '<species id="B" compartment="c" initialConcentration="2"'
                ' hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false"/>'
                "</listOfSpecies>"
            )
        )
        assert (now(program, "A"), now(program, "amount(A)")) == (0.5, 2)
        assert (now(program, "B"), now(program, "concentration(B)")) == (8, 2)
        assert (now(program, "A", c=1), now(program, "B", c=1)) == (2, 2)


class TestSetters:
    def test_a_concentration_meets_the_new_size(self) -> None:
        program = program_from(DECAY)
        states, constants = started(program, {}, 1)
        changes = [(program.setters[name], np.array([value])) for name, value in
                   (("drug", 3.0), ("blood", 2.0))]  # fmt: skip
        assign(program, states, constants, np.zeros(1), changes)
        assert states[0, 0] == 6
        assert constants[0, 0] == 2

    def test_what_the_model_computes_cannot_be_set(self) -> None:
        program = program_from("model m; x := 2*k; k = 1; y = 0; y' = x; end")
        assert set(program.setters) == {"y", "k"}


class TestConstructs:
    def test_rules_and_local_parameters_and_functions(self) -> None:
        agrees(
            """
            function hill(x, K, n) x^n / (K^n + x^n) end
            model m
              species A = 1, B = 0
              K = 0.7; n = 1.6; factor := 1 + 0.2*sin(time); slow = 2; slow' = -0.1*slow*factor
              A -> B; slow*hill(A, K, n)
              B -> A; 0.3*min(B, 0.4) + 0.1*abs(A - B) + 0.01*ln(1 + A)
            end
            """,
            "A", "B", "slow", "factor",
        )  # fmt: skip

    def test_a_compartment_that_grows(self) -> None:
        agrees(
            """
            model m
              compartment c = 1
              species A in c = 2, B in c = 0, C in c = 5
              A -> B; 0.4*A*c
              c' = 0.3; C' = -0.2*C
            end
            """,
            "A", "B", "C", "amount(A)", "amount(C)", "c",
        )  # fmt: skip

    def test_a_root_law_ends_at_zero(self) -> None:
        program = program_from("model m; species A = 1; A -> ; 0.8*A^n; n = 0.5; end")
        found = course(program, (0, 1, 2, 3, 9), ("A",))[:, 0]
        assert found == pytest.approx([1, 0.36, 0.04, 0, 0], abs=1e-6)

    def test_stoichiometries_that_vary(self) -> None:
        agrees(
            """
            model m
              species A = 1, B = 0, C = 0
              yield_ = 1; yield_' = 0.5
              A -> two B + yield_ C; 0.3*A
              two = 2
            end
            """,
            "A", "B", "C",
        )  # fmt: skip

    def test_conversion_factors(self) -> None:
        sbml = from_antimony(DECAY, "a test")
        scaled = sbml.replace("<model ", '<model conversionFactor="k" ')
        assert "conversionFactor" in canonical(scaled, "a test")
        program = read_program(scaled)
        states, constants = started(program, {}, 1)
        slopes = evaluate(program.tape, program.slopes, states, constants, np.zeros(1))
        assert slopes[:, 0] == pytest.approx([-3.6, 3.6])

    def test_the_rate_of_a_concentration_where_the_volume_grows(self) -> None:
        program = program_from(
            """
            model m
              compartment c = 2
              species A in c = 3
              A -> ; 0.4*A*c; c' = 0.5
              speed := rateOf(A); growth := rateOf(c); none := rateOf(k); k = 1
            end
            """
        )
        assert now(program, "speed") == pytest.approx(-0.4 * 3 - 3 * 0.5 / 2)
        assert (now(program, "growth"), now(program, "none")) == (0.5, 0)


class TestJumps:
    def test_a_window_of_time_is_met_exactly(self) -> None:
        program = program_from(
            "model m; y = 0; on = 1; long = 1e-3; y' = piecewise(1, time >= on && time < on + long, 0); end"
        )
        assert not program.roots
        assert sorted(_stops(program)) == [1.0, 1.001]
        assert course(program, (0, 0.5, 5), ("y",))[:, 0] == pytest.approx([0, 0, 1e-3])
        later = course(program, (0, 5), ("y",), {"on": 3.0, "long": 0.5})
        assert later[:, 0] == pytest.approx([0, 0.5])

    def test_a_window_that_repeats(self) -> None:
        for window in ("time - 2*floor(time/2) < 0.25", "rem(time, 2) < 0.25"):
            program = program_from(f"model m; y = 0; y' = piecewise(1, {window}, 0); end")
            assert not program.roots
            found = course(program, (0, 0.1, 1, 2.1, 6, 7), ("y",))
            assert found[:, 0] == pytest.approx([0, 0.1, 0.25, 0.35, 0.75, 1])

    @pytest.mark.parametrize(
        "when", ["time >= 21", "time/7 >= 3", "21/7 <= time/7", "-time/3 <= -7"]
    )
    def test_a_flip_has_happened_at_its_time(self, when: str) -> None:
        program = program_from(f"model m; x := piecewise(1, {when}, 0); y = 0; y' = x; end")
        found = course(program, (20.9, 21, 22), ("x", "y"))
        assert found[:, 0].tolist() == [0, 1, 1]
        assert found[:, 1] == pytest.approx([0, 0, 1], abs=1e-9)

    def test_a_comparison_of_states_is_a_root(self) -> None:
        antimony = """
        model m
          x = 1; x' = -piecewise(0.5, x > 0.6, 0.1)*x
        end
        """
        program = program_from(antimony)
        assert [root.closed for root in program.roots] == [False]
        switch = np.log(1 / 0.6) / 0.5
        wanted = 0.6 * np.exp(-0.1 * (4 - switch))
        assert course(program, (0, 4), ("x",))[1, 0] == pytest.approx(wanted, rel=1e-7)

    def test_what_is_only_looked_at_stops_nothing(self) -> None:
        program = program_from(
            "model m; x = 1; x' = -x; low := piecewise(1, x < 0.5, 0); late := piecewise(1, time > 2, 0); end"
        )
        assert (program.roots, program.stops, program.held) == ((), (), ())
        assert course(program, (0.6, 0.8, 2, 3), ("low", "late")).tolist() == [
            [0, 0], [1, 0], [1, 0], [1, 1],
        ]  # fmt: skip


def _stops(program: Program) -> list[float]:
    states, constants = started(program, {}, 1)
    return evaluate(program.tape, program.stops, states, constants, np.zeros(1))[:, 0].tolist()


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "what"),
        [
            (
                '<listOfRules><algebraicRule><math xmlns="http://www.w3.org/1998/Math/MathML">'
                "<cn>0</cn></math></algebraicRule></listOfRules>",
                "an algebraic rule",
            ),
            ('<listOfReactions><reaction id="r" reversible="false"/></listOfReactions>', "rate"),
        ],
    )
    def test_what_is_not_supported_is_named(self, body: str, what: str) -> None:
        with pytest.raises(UnsupportedModelError, match=what):
            read_program(level_3(body))

    def test_delays_are_refused(self) -> None:
        with pytest.raises(UnsupportedModelError, match="delay"):
            program_from("model m; x = 1; x' = -delay(x, 2); end")

    def test_a_circle_is_named(self) -> None:
        circle = (
            '<listOfParameters><parameter id="a" constant="false"/>'
            '<parameter id="b" constant="false"/></listOfParameters><listOfRules>'
            '<assignmentRule variable="a"><math xmlns="http://www.w3.org/1998/Math/MathML">'
            "<ci>b</ci></math></assignmentRule>"
            '<assignmentRule variable="b"><math xmlns="http://www.w3.org/1998/Math/MathML">'
            "<ci>a</ci></math></assignmentRule></listOfRules>"
        )
        with pytest.raises(ModelError, match=r"circle: (a -> b -> a|b -> a -> b)"):
            read_program(level_3(circle))
