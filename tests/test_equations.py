"""The equations agree with closed forms, with differences and with the SBML Test Suite."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from myelode.engines.protocol import Run, Tolerances
from myelode.engines.scipy import ScipyEngine
from myelode.equations import Equations, derive
from myelode.equations.mathml import symbol
from myelode.equations.system import dependency_order
from myelode.errors import ModelError, ScenarioError, UnsupportedModelError
from myelode.regimens.timeline import Timeline
from myelode.sbml import from_antimony

MICHAELIS_MENTEN = """
model enzyme
  compartment cell = 2
  species E in cell = 1, S in cell = 10, ES in cell = 0, P in cell = 0
  bind: E + S -> ES; cell*(kon*E*S - koff*ES)
  turn: ES -> E + P; cell*kcat*ES
  kon = 1; koff = 0.5; kcat = 2
end
"""

HILL = """
model hill
  compartment cell = 3
  species $drug in cell = 0.7, target in cell = 0, other in cell = 0.4
  make: -> target; cell*vmax*other^n/(K^n + other^n)
  fade: target -> ; cell*k*target*sqrt(other)
  feed: target -> other; cell*k*max(target, drug)*abs(other - 2)
  clock' = exp(-clock)*piecewise(1, time < 3, 2)
  clock = 0.2; vmax = 2; K = 0.5; n = 2.7; k = 0.3
end
"""


def equations_of(antimony: str) -> Equations:
    return derive(from_antimony(antimony, "test"))


def value_of(formula: str, **parameters: float) -> float:
    """A formula of Antimony as an assignment rule at time zero."""
    settings = "; ".join(f"{name} = {value!r}" for name, value in parameters.items())
    equations = equations_of(f"model one\n x := {formula}\n {settings}\nend")
    state, constants = equations.start({})
    return float(equations.quantities(["x"])(0.0, state, constants)[0])


def outer_braces_balance(text: str) -> bool:
    depth = 0
    for letter in text.replace(r"\{", "").replace(r"\}", ""):
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    return depth == 0


def test_right_hand_side_is_the_stoichiometry_times_the_rates() -> None:
    equations = equations_of(MICHAELIS_MENTEN)
    state, constants = equations.start({})
    assert equations.states == ("E", "S", "ES", "P")
    assert state == pytest.approx([2, 20, 0, 0])
    derivatives = equations.right_hand_side()(0.0, state, constants)
    assert derivatives == pytest.approx([-20, -20, 20, 0])


def test_an_id_means_a_concentration_unless_it_has_only_substance_units() -> None:
    text = """
    model units
      compartment well = 6e-4
      species A in well = 5
      substanceOnly species N in well = 7
      R: A -> N; well*k*A*N
      k = 2
    end
    """
    equations = equations_of(text)
    state, constants = equations.start({})
    outputs = ["A", "amount(A)", "N", "concentration(N)", "R", "well", "time"]
    values = equations.quantities(outputs)(1.5, state, constants)
    assert values == pytest.approx([5, 3e-3, 7, 7 / 6e-4, 6e-4 * 2 * 35, 6e-4, 1.5])


@pytest.mark.parametrize("text", [MICHAELIS_MENTEN, HILL])
def test_jacobian_agrees_with_central_differences(text) -> None:
    equations = equations_of(text)
    state, constants = equations.start({})
    state = state + np.linspace(0.3, 0.9, state.size)
    function, step = equations.right_hand_side(), 1e-6
    columns = [
        (function(1.0, state + shift, constants) - function(1.0, state - shift, constants))
        / step
        / 2
        for shift in np.eye(state.size) * step
    ]
    jacobian = equations.jacobian_function()(1.0, state, constants)
    np.testing.assert_allclose(jacobian, np.transpose(columns), rtol=1e-7, atol=1e-8)


def test_jacobian_of_a_hill_law_is_finite_where_the_law_starts() -> None:
    equations = equations_of(HILL)
    state, constants = equations.start({"other": 0.0})
    assert np.isfinite(equations.right_hand_side()(0.0, state, constants)).all()
    entries = equations.jacobian_function()(0.0, state, constants)
    made = equations.states.index("target"), equations.states.index("other")
    # The law rises as other**2.7, so that its slope at zero is zero; sqrt has none.
    assert np.isfinite(np.delete(entries, made[1], axis=1)).all()
    law = equations_of(
        "model h\n species X = 0, Y = 0\n X -> Y; X^n/(K^n + X^n)\n n = 2.7; K = 1\nend"
    )
    slope = law.jacobian_function()(0.0, *law.start({}))
    assert slope == pytest.approx(np.zeros((2, 2)))


def test_a_state_just_below_zero_does_not_spoil_a_power() -> None:
    law = equations_of("model h\n species X = 1, Y = 0\n X -> Y; X^n\n n = 1.5\nend")
    _, constants = law.start({})
    below = np.array([-1e-15, 1.0])
    assert law.right_hand_side()(0.0, below, constants) == pytest.approx([0, 0])


def test_jacobian_has_entries_only_where_states_meet() -> None:
    jacobian = equations_of(MICHAELIS_MENTEN).jacobian()
    assert jacobian.shape == (4, 4)
    assert all(jacobian[row, 3] == 0 for row in range(4))
    assert len(jacobian.todok()) == 10


def test_conserved_totals_of_an_enzyme_are_enzyme_and_substrate() -> None:
    totals = equations_of(MICHAELIS_MENTEN).conserved_totals()
    assert set(totals) == {"amount(E) + amount(ES)", "amount(S) + amount(ES) + amount(P)"}


def test_conserved_totals_count_copies_and_allow_minus_signs_where_they_must() -> None:
    dimer = equations_of("model d\n species M = 1, D = 0\n 2 M -> D; k*M^2\n k = 1\nend")
    assert dimer.conserved_totals() == ("amount(M) + 2 * amount(D)",)
    pair = equations_of("model p\n species A = 1, B = 0\n -> A + B; k\n k = 1\nend")
    assert pair.conserved_totals() == ("amount(A) - amount(B)",)
    assert equations_of("model o\n species A = 1\n A -> ; A\nend").conserved_totals() == ()


def test_conserved_totals_have_no_derivative() -> None:
    equations = equations_of(MICHAELIS_MENTEN)
    formulas = dict(zip(equations.states, equations.derivatives.values(), strict=True))
    assert (formulas["E"] + formulas["ES"]).expand() == 0
    assert (formulas["S"] + formulas["ES"] + formulas["P"]).expand() == 0


def test_initial_values_follow_changed_parameters_unless_they_are_given() -> None:
    text = """
    model start
      compartment cell; species A in cell, B in cell, C in cell
      cell = 2*scale; A = ksyn/kdeg; B = 3*A; C = 4
      scale = 1; ksyn = 6; kdeg = 2
      A -> ; cell*kdeg*A
      B -> C; cell*B
    end
    """
    equations = equations_of(text)

    def start(changes: dict[str, float]) -> list[float]:
        state, constants = equations.start(changes)
        return list(equations.quantities(["A", "B", "C", "cell"])(0.0, state, constants))

    assert start({}) == pytest.approx([3, 9, 4, 2])
    assert start({"ksyn": 12}) == pytest.approx([6, 18, 4, 2])
    assert start({"ksyn": 12, "A": 1}) == pytest.approx([1, 3, 4, 2])
    assert start({"B": 5, "scale": 2}) == pytest.approx([3, 5, 4, 4])


def test_names_that_do_not_exist_or_are_computed_are_refused_with_a_hint() -> None:
    equations = equations_of("model r\n x := 2*kdeg\n kdeg = 1\n y' = x\n y = 0\nend")
    with pytest.raises(ScenarioError, match="did you mean 'kdeg'"):
        equations.start({"k_deg": 2})
    with pytest.raises(ScenarioError, match="x cannot be changed"):
        equations.start({"x": 2})
    with pytest.raises(ScenarioError, match="no value 'z'"):
        equations.quantities(["z"])
    with pytest.raises(ScenarioError, match="no species 'kdeg'"):
        equations.quantities(["amount(kdeg)"])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("exp(a)", np.exp(2.5)),
        ("ln(a) + log10(a)", np.log(2.5) + np.log10(2.5)),
        ("a^b + pow(a, 3) + sqrt(a)", 2.5**-1.5 + 2.5**3 + 2.5**0.5),
        ("abs(b) + floor(b) + ceil(a)", 1.5 - 2 + 3),
        ("factorial(4)", 24),
        ("min(a, b, 7) + max(a, b)", -1.5 + 2.5),
        (
            "sin(a) + cos(a) + tan(a) + sec(a)",
            np.sin(2.5) + np.cos(2.5) + np.tan(2.5) + 1 / np.cos(2.5),
        ),
        (
            "arcsin(0.3*a) + arctan(a) + arccot(a)",
            np.arcsin(0.75) + np.arctan(2.5) + np.arctan(0.4),
        ),
        ("sinh(b) + tanh(b) + arccosh(a)", np.sinh(-1.5) + np.tanh(-1.5) + np.arccosh(2.5)),
        ("piecewise(1, a < 2, 2, a < 3, 3)", 2),
        ("piecewise(1, a < 2 || b < 0 && !(a == 2.5), 2)", 2),
        ("piecewise(1, xor(a > 1, b > 1), 2) + piecewise(1, a >= 2.5, 2)", 2),
        ("rem(7, 4) + quotient(-7, 4)", 3 - 1),
    ],
)
def test_functions_of_formulas(formula, expected) -> None:
    assert value_of(formula, a=2.5, b=-1.5) == pytest.approx(expected, rel=1e-14)


def test_ids_may_be_words_of_python_or_numpy() -> None:
    formula = "select*lambda*beta*Max + maximum + exp(select)"
    names = {"select": 1.0, "lambda": 2.0, "beta": 0.5, "Max": 3.0, "maximum": 4.0}
    assert value_of(formula, **names) == pytest.approx(7 + np.e)


def test_avogadro_is_the_number_of_sbml() -> None:
    assert value_of("avogadro*a", a=1.0) == pytest.approx(6.02214179e23)


def test_functions_are_inlined_and_parameters_of_a_reaction_stay_its_own() -> None:
    text = """
    function hill(x, half, steep)
      x^steep/(half^steep + x^steep)
    end
    model inlined
      species A = 2, B = 0
      k = 100
      first: A -> B; v*hill(A, 1, n); v = 3; n = 2
      second: B -> A; k*B
    end
    """
    equations = equations_of(text)
    state, constants = equations.start({})
    assert equations.quantities(["first"])(0.0, state, constants) == pytest.approx([2.4])


LOCAL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfCompartments><compartment id="c" size="2"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialAmount="8"/></listOfSpecies>
<listOfParameters><parameter id="k" value="100"/></listOfParameters>
<listOfReactions><reaction id="R"{fast}><listOfReactants><speciesReference species="A"/>
</listOfReactants><kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/>
<ci>k</ci><ci>A</ci></apply></math><listOfParameters><parameter id="k" value="3"/>
</listOfParameters></kineticLaw></reaction></listOfReactions></model></sbml>"""


def test_a_local_parameter_hides_the_global_one_of_its_name() -> None:
    equations = derive(LOCAL.format(fast=""))
    state, constants = equations.start({})
    assert equations.quantities(["R", "A"])(0.0, state, constants) == pytest.approx([12, 4])
    assert "R_k" in equations.constants


def test_a_compartment_that_grows_dilutes_its_species() -> None:
    text = """
    model grows
      compartment cell = 1; species A in cell = 4, $B in cell = 6
      cell' = 0.5*cell
      A -> ; cell*k*A
      k = 0
    end
    """
    equations = equations_of(text)
    state, constants = equations.start({})
    doubled = state * [1, 2]
    values = equations.quantities(["A", "B", "amount(B)"])(0.0, doubled, constants)
    assert values == pytest.approx([2, 3, 6])
    assert "(" in equations.latex()


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("model e\n species A = 1\n A -> ; A\n at (time > 1): A = 2\nend", "event"),
        ("model d\n x := delay(y, 1)\n y' = x\n y = 1\nend", "delay"),
        ("model r\n x := rateOf(y)\n y' = 1\n y = 1\nend", "rateOf"),
        ("model s\n species A = 1\n n A -> ; A\n n := 2 + time\nend", "stoichiometry"),
    ],
)
def test_constructs_that_are_not_understood_are_named(text, construct) -> None:
    with pytest.raises(UnsupportedModelError, match=construct):
        equations_of(text)


def test_fast_reactions_and_algebraic_rules_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="fast reaction 'R'"):
        derive(LOCAL.format(fast=' fast="true"'))
    rule = """<listOfRules><algebraicRule><math xmlns="http://www.w3.org/1998/Math/MathML">
    <ci>k</ci></math></algebraicRule></listOfRules><listOfReactions>"""
    with pytest.raises(UnsupportedModelError, match="algebraic rule"):
        derive(LOCAL.format(fast="").replace("<listOfReactions>", rule))


def test_values_computed_in_a_circle_are_an_error() -> None:
    with pytest.raises(ModelError, match="circle: "):
        dependency_order({"x": symbol("y") + 1, "y": symbol("x")}, {})


def test_latex_is_what_mathtext_can_draw() -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    for full in (False, True):
        text = equations_of(MICHAELIS_MENTEN).latex(full)
        assert outer_braces_balance(text)
        for line in text.splitlines()[1:-1]:
            parser.parse(f"${line.strip().removesuffix(chr(92) * 2).replace('&', '')}$")


def test_latex_names_are_upright_with_an_index() -> None:
    text = equations_of(
        "model n\n species drug_free_cell = 1\n drug_free_cell -> ; k_F\n k_F = 1\nend"
    )
    assert r"\mathrm{drug}_{\mathrm{free,cell}}" in text.latex()
    assert r"k_{\mathrm{F}}" in text.latex()
    assert r"v_{\mathrm{\_J0}}" in text.latex()


def test_latex_of_conditions_has_balanced_braces() -> None:
    assert outer_braces_balance(equations_of(HILL).latex(full=True))


def test_text_lists_derivatives_rates_and_assigned_values() -> None:
    text = equations_of(MICHAELIS_MENTEN).text().splitlines()
    assert text[0] == "d amount(E)/dt = -bind + turn"
    assert text[5] == "turn = ES*cell*kcat"
    assert "x = k^2" in equations_of("model t\n x := k^2\n k = 1\nend").text()


def test_sympy_never_reads_a_formula_as_text(monkeypatch) -> None:
    import sympy

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("sympy parsed text")

    monkeypatch.setattr("sympy.parsing.sympy_parser.parse_expr", refuse)
    monkeypatch.setattr(sympy, "parse_expr", refuse)
    assert equations_of(HILL).right_hand_side() is not None


LEVELS = ("l3v2", "l3v1", "l2v5", "l2v4")


def settings_of(folder: Path) -> dict[str, str]:
    text = next(folder.glob("*-settings.txt")).read_text(encoding="utf-8")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def expected_of(folder: Path) -> tuple[list[str], np.ndarray]:
    with next(folder.glob("*-results.csv")).open(encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    return [name.strip() for name in header[1:]], np.array(
        [row for row in rows if row], dtype=float
    )


def is_within_tolerance(folder: Path) -> bool:
    """Whether the case comes out as its own tolerance demands."""
    settings, (names, expected) = settings_of(folder), expected_of(folder)
    sbml = next(file for level in LEVELS for file in folder.glob(f"*-sbml-{level}.xml"))
    simulator = ScipyEngine().compile(sbml.read_text(encoding="utf-8"))
    species = simulator.equations.system.species
    kinds = {
        name.strip(): kind
        for kind in ("amount", "concentration")
        for name in settings[kind].split(",")
        if name.strip() in species
    }
    outputs = tuple(f"{kinds[name]}({name})" if name in kinds else name for name in names)
    times, wanted = expected[:, 0], expected[:, 1:]
    run = Run({}, Timeline((), float(times[-1])), times, outputs)
    values = simulator.run(run, Tolerances(1e-9, 1e-12))
    with np.errstate(invalid="ignore"):
        margin = float(settings["absolute"]) + float(settings["relative"]) * np.abs(wanted)
        near = np.abs(values - wanted) <= margin
    return bool(np.all(near | (values == wanted) | (np.isnan(values) & np.isnan(wanted))))


# In 00269 the rate is a factorial of a staircase, at whose edges LSODA creeps for many seconds.
SLOW = {"00269"}


def test_core_cases_of_the_sbml_test_suite_pass_or_are_refused(external_cases: Path) -> None:
    suite = external_cases / "semantic"
    cases = json.loads((suite / "index.json").read_text(encoding="utf-8"))["cases"]
    passed, failed = [], []
    for case, facts in cases.items():
        if facts["tier"].startswith("1") and "event" not in facts["features"] and case not in SLOW:
            try:
                (passed if is_within_tolerance(suite / case) else failed).append(case)
            except UnsupportedModelError:
                continue
    assert not failed
    assert len(passed) > 350
