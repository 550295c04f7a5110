"""Strangers' SBML: what would harm or mislead the libraries is refused, the rest passes.

Each fault has one small text and the id of its test. The faults were tried on libSBML 5.21 and
libRoadRunner 2.10: they crash, hang, read files or are accepted silently.
"""

from __future__ import annotations

import time
from functools import reduce

import pytest

from myelode.errors import ModelError, UnsupportedModelError
from myelode.preflight import check_sbml, lint_sbml

MATHML = "http://www.w3.org/1998/Math/MathML"
SYMBOLS = "http://www.sbml.org/sbml/symbols"
COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
CORE = {
    (2, 4): "http://www.sbml.org/sbml/level2/version4",
    (3, 1): "http://www.sbml.org/sbml/level3/version1/core",
    (3, 2): "http://www.sbml.org/sbml/level3/version2/core",
}


def math(content: str) -> str:
    return f'<math xmlns="{MATHML}">{content}</math>'


def ci(name: str) -> str:
    return f"<ci>{name}</ci>"


def apply(operator: str, *arguments: str) -> str:
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


def call(function: str, *arguments: str) -> str:
    return f"<apply>{ci(function)}{''.join(arguments)}</apply>"


def symbol(name: str, *arguments: str) -> str:
    head = f'<csymbol encoding="text" definitionURL="{SYMBOLS}/{name}">s</csymbol>'
    return f"<apply>{head}{''.join(arguments)}</apply>" if arguments else head


def function(name: str, arguments: str, body: str) -> str:
    bound = "".join(f"<bvar>{ci(argument)}</bvar>" for argument in arguments.split())
    return f'<functionDefinition id="{name}">{math(f"<lambda>{bound}{body}</lambda>")}' + (
        "</functionDefinition>"
    )


def compartment(name: str = "c", **attributes: str) -> str:
    return element("compartment", id=name, **{"size": "1", "constant": "true"} | attributes)


def species(name: str, **attributes: str) -> str:
    defaults = {"compartment": "c", "initialConcentration": "1", "constant": "false"}
    return element("species", id=name, **defaults | attributes)


def parameter(name: str, **attributes: str) -> str:
    return element("parameter", id=name, **{"value": "1", "constant": "false"} | attributes)


def element(tag: str, **attributes: str) -> str:
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{written}/>"


def rule(kind: str, variable: str, formula: str) -> str:
    return f'<{kind}Rule variable="{variable}">{math(formula)}</{kind}Rule>'


def initial(name: str, formula: str) -> str:
    return f'<initialAssignment symbol="{name}">{math(formula)}</initialAssignment>'


LAW = apply("times", ci("k"), ci("A"))


def reaction(
    name: str = "J",
    law: str = LAW,
    reactant: str = "A",
    product: str = "B",
    local: str = "",
    reference: str = "",
) -> str:
    return (
        f'<reaction id="{name}"><listOfReactants>'
        f'<speciesReference {reference} species="{reactant}" stoichiometry="1"/>'
        f'</listOfReactants><listOfProducts><speciesReference species="{product}"/>'
        f"</listOfProducts><kineticLaw>{math(law)}{local}</kineticLaw></reaction>"
    )


def event(variable: str = "A", trigger: str = "<true/>") -> str:
    assignment = f'<eventAssignment variable="{variable}">{math("<cn>1</cn>")}</eventAssignment>'
    return (
        f'<event id="e"><trigger>{math(trigger)}</trigger>'
        f"<listOfEventAssignments>{assignment}</listOfEventAssignments></event>"
    )


def listed(tag: str, members: tuple[str, ...]) -> str:
    return f"<{tag}>{''.join(members)}</{tag}>" if members else ""


TWO_SPECIES = (species("A"), species("B"))


def sbml(content: str, root: str = "", version: tuple[int, int] = (3, 2)) -> str:
    level, number = version
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sbml xmlns="{CORE[version]}" level="{level}" version="{number}" {root}>\n'
        f"{content}\n</sbml>"
    )


def model(
    *,
    functions: tuple[str, ...] = (),
    compartments: tuple[str, ...] = (compartment(),),
    species: tuple[str, ...] = TWO_SPECIES,
    parameters: tuple[str, ...] = (parameter("k"),),
    initials: tuple[str, ...] = (),
    rules: tuple[str, ...] = (),
    reactions: tuple[str, ...] = (reaction(),),
    events: tuple[str, ...] = (),
    extra: str = "",
    root: str = "",
    version: tuple[int, int] = (3, 2),
) -> str:
    """A small valid model, A -> B, of which each test spoils one thing."""
    lists = {
        "listOfFunctionDefinitions": functions,
        "listOfCompartments": compartments,
        "listOfSpecies": species,
        "listOfParameters": parameters,
        "listOfInitialAssignments": initials,
        "listOfRules": rules,
        "listOfReactions": reactions,
        "listOfEvents": events,
    }
    inside = "".join(listed(tag, members) for tag, members in lists.items())
    return sbml(f'<model id="m">{inside}{extra}</model>', root, version)


def law(formula: str) -> str:
    return model(reactions=(reaction(law=formula),))


def parameters(*names: str) -> tuple[str, ...]:
    return tuple(parameter(name) for name in ("k", *names))


def many(template: str, count: int) -> tuple[str, ...]:
    return tuple(template.replace("#", str(index)) for index in range(count))


def submodels(*references: str) -> str:
    used = "".join(
        f'<comp:submodel comp:id="s{index}" comp:modelRef="{name}"/>'
        for index, name in enumerate(references)
    )
    return f"<comp:listOfSubmodels>{used}</comp:listOfSubmodels>"


def composed(definitions: dict[str, tuple[str, ...]], main: tuple[str, ...]) -> str:
    defined = "".join(
        f'<comp:modelDefinition id="{name}"><listOfParameters>{parameter("p")}'
        f"</listOfParameters>{submodels(*inside)}</comp:modelDefinition>"
        for name, inside in definitions.items()
    )
    content = f'<model id="m">{submodels(*main)}</model>' + (
        f"<comp:listOfModelDefinitions>{defined}</comp:listOfModelDefinitions>"
    )
    return sbml(content, f'xmlns:comp="{COMP}" comp:required="true"')


DOUBLING_RULES = model(
    parameters=parameters(*many("p#", 26)),
    rules=(
        rule("assignment", "p0", ci("A")),
        *(
            rule("assignment", f"p{n}", apply("plus", ci(f"p{n - 1}"), ci(f"p{n - 1}")))
            for n in range(1, 26)
        ),
    ),
)
DOUBLING_FUNCTIONS = model(
    functions=(
        function("f0", "x", ci("x")),
        *(
            function(f"f{n}", "x", apply("plus", *[call(f"f{n - 1}", ci("x"))] * 2))
            for n in range(1, 26)
        ),
    ),
    reactions=(reaction(law=call("f25", ci("A"))),),
)
LONG_CHAIN = model(
    parameters=parameters(*many("p#", 300)),
    initials=tuple(initial(f"p{n}", ci(f"p{n + 1}")) for n in range(299)),
)
ENTITIES = (
    '<?xml version="1.0"?>\n<!DOCTYPE sbml [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>\n'
    '<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4">'
    '<model id="m" name="&b;"/></sbml>'
)
LEVEL_1 = (
    '<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">'
    '<listOfCompartments><compartment name="c"/></listOfCompartments><listOfSpecies>'
    '<species name="A" compartment="c" initialAmount="1"/></listOfSpecies>'
    '<listOfParameters><parameter name="k" value="2e-1"/></listOfParameters>'
    '<listOfRules><parameterRule name="k" type="rate" formula="{rule}"/></listOfRules>'
    '<listOfReactions><reaction name="J"><listOfReactants><speciesReference species="A"/>'
    '</listOfReactants><kineticLaw formula="{law}"/></reaction></listOfReactions></model></sbml>'
)


def level_1(law: str, rule: str = "1") -> str:
    return LEVEL_1.format(law=law, rule=rule)


LOOP = model(
    functions=(function("f", "x", call("f", ci("x"))),),
    reactions=(reaction(law=call("f", ci("A"))),),
)

KILLS_THE_PROCESS = {
    "sbml_without_model": (sbml(""), "0 <model> elements"),
    "recursive_function": (LOOP, "f -> f"),
    "circular_initial_assignments": (
        model(
            parameters=parameters("p", "q"), initials=(initial("p", ci("q")), initial("q", ci("p")))
        ),
        "p -> q -> p",
    ),
    "rate_law_of_itself": (law(ci("J")), "J -> J"),
    "rate_law_of_itself_and_its_rate": (
        law(apply("plus", ci("J"), symbol("rateOf", ci("J")))),
        "J -> J",
    ),
    "rate_of_nothing": (law(symbol("rateOf")), "rateOf"),
    "function_without_body": (
        model(functions=(function("f", "x", ""),), reactions=(reaction(law=call("f", ci("A"))),)),
        "0 bodies",
    ),
    "formula_10000_deep": (
        law("<apply><abs/>" * 10_000 + "<ci>A</ci>" + "</apply>" * 10_000),
        "deep",
    ),
    "same_reaction_twice": (model(reactions=(reaction(), reaction())), "'J' is already that"),
    "id_of_200000_characters": (
        model(parameters=(parameter("k"), parameter("x" * 200_000))),
        "too long",
    ),
    "comment_of_200000_characters": (sbml(f"<!--{'x' * 200_000}--><model id='m'/>"), "too long"),
    "factorial_of_a_billion": (law(apply("factorial", "<cn>1e9</cn>")), "0 to 170"),
    "function_in_a_foreign_namespace": (
        LOOP.replace("<lambda>", '<x:lambda xmlns:x="urn:x">').replace("</lambda>", "</x:lambda>"),
        "unknown namespace",
    ),
    "loop_in_an_unknown_package": (
        LOOP.replace("<functionDefinition ", "<x:functionDefinition ")
        .replace("</functionDefinition", "</x:functionDefinition")
        .replace('level="3"', 'xmlns:x="urn:x" x:required="false" level="3"'),
        "f -> f",
    ),
}

HANGS = {
    "10000_species": (model(species=(*TWO_SPECIES, *many(species("S#"), 10_000))), "over 10000"),
    "6000_species": (model(species=(*TWO_SPECIES, *many(species("S#"), 6_000))), "at most 5000"),
    "sum_of_50000_terms": (law(apply("plus", *[ci("A")] * 50_000)), "over 10000"),
    "sum_of_2000_terms": (law(apply("plus", *[ci("A")] * 2_000)), "at most 1000"),
    "many_long_sums": (
        model(
            reactions=tuple(reaction(f"J{n}", apply("plus", *[ci("A")] * 900)) for n in range(8))
        ),
        "too many terms altogether",
    ),
    "piecewise_of_1000_pieces": (
        law(f"<piecewise>{'<piece><cn>1</cn><true/></piece>' * 1000}</piecewise>"),
        "at most 300",
    ),
    "rules_that_double": (DOUBLING_RULES, "terms or more when functions and rules"),
    "functions_that_double": (DOUBLING_FUNCTIONS, "terms or more when functions and rules"),
    "arguments_that_double": (
        model(
            functions=(function("f", "x", apply("plus", ci("x"), ci("x"))),),
            reactions=(
                reaction(law=reduce(lambda inner, _: call("f", inner), range(25), ci("A"))),
            ),
        ),
        "terms or more when functions and rules",
    ),
    "rates_that_double": (
        model(
            parameters=parameters(*many("p#", 26)),
            rules=tuple(
                rule("rate", f"p{n + 1}", apply("plus", *[symbol("rateOf", ci(f"p{n}"))] * 2))
                for n in range(25)
            ),
        ),
        "terms or more when functions and rules",
    ),
    "chain_of_300_values": (LONG_CHAIN, "at most 200"),
    "submodels_that_double": (
        composed({"d0": (), **{f"d{n}": (f"d{n - 1}",) * 2 for n in range(1, 20)}}, main=("d19",)),
        "levels of submodels",
    ),
}

READS_OR_EXPANDS = {
    "doctype_with_entities": (ENTITIES, ":2: a DOCTYPE"),
    "doctype_that_reads_a_file": (
        '<!DOCTYPE s [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + sbml("").split("?>\n")[1],
        "DOCTYPE",
    ),
    "external_model": (
        sbml(
            '<model id="m"/><comp:listOfExternalModelDefinitions><comp:externalModelDefinition '
            'comp:id="x" comp:source="/etc/passwd"/></comp:listOfExternalModelDefinitions>',
            f'xmlns:comp="{COMP}" comp:required="true"',
        ),
        "stands in another file",
    ),
}

NOT_SBML = {
    "empty_text": ("", "empty"),
    "only_blanks": (" \n", "empty"),
    "6_million_characters": (model() + " " * 6_000_000, "too many"),
    "no_xml": ("A -> B; k*A", "no well-formed XML"),
    "cut_off": (model()[:-20], "no well-formed XML"),
    "html": ("<html/>", "outermost element is <html>"),
    "bare_model": ('<model id="m"/>', "outermost element is <model>"),
    "byte_order_mark": ("\ufeff" + model(), "byte order mark"),
    "nul": (model().replace('"m"', '"m\0"'), "no well-formed XML"),
    "lone_surrogate": (model().replace('"m"', '"\ud800"'), "UTF-8"),
    "utf_16_declared": (model().replace("UTF-8", "UTF-16"), "'UTF-16' is not read"),
    "utf_7_declared": (model().replace("UTF-8", "UTF-7"), "'UTF-7' is not read"),
    "latin_1_with_umlauts": (
        model().replace('id="m"', 'id="m" name="ä"').replace("UTF-8", "ISO-8859-1"),
        "save the file as UTF-8",
    ),
    "xml_1.1": (model().replace('"1.0"', '"1.1"'), "XML 1.1 is not read"),
    "two_models": (sbml('<model id="m"/><model id="n"/>'), "2 <model> elements"),
    "model_in_a_model": (sbml('<model id="m"><model id="n"/></model>'), "2 <model> elements"),
    "model_in_the_wrong_place": (sbml('<listOfX><model id="n"/></listOfX>'), "exactly 1"),
    "namespace_of_another_level": (
        model().replace("level3/version2", "level3/version1"),
        "has the namespace",
    ),
    "no_namespace": (model().replace(f'xmlns="{CORE[3, 2]}"', ""), "has the namespace ''"),
    "foreign_element": (
        sbml('<model id="m"><x:list xmlns:x="urn:x"/></model>'),
        "stands inside <annotation>",
    ),
    "attribute_with_two_values": (
        sbml('<model id="m" x:id="n"/>', 'xmlns:x="urn:x" x:required="false"'),
        "'id' has two values",
    ),
    "notes_200_deep": (
        sbml(f'<model id="m"><notes>{"<p>" * 200}{"</p>" * 200}</notes></model>'),
        "nested more than 150 deep",
    ),
}

UNSUPPORTED = {
    "level_4": (model().replace('level="3"', 'level="4"'), "SBML level '4'"),
    "level_1_version_1": (level_1("k").replace('version="2"', 'version="1"'), "version '1'"),
    "no_level": (model().replace('level="3"', ""), "level ''"),
    "unknown_required_package": (
        sbml('<model id="m"/>', 'xmlns:x="urn:x" x:required="true"'),
        "requires the SBML package 'urn:x'",
    ),
    "required_package_multi": (
        sbml(
            '<model id="m"/>',
            'xmlns:x="http://www.sbml.org/sbml/level3/version1/multi/version1" x:required="true"',
        ),
        "package 'multi'",
    ),
    "external_model": READS_OR_EXPANDS["external_model"],
    "semantics_in_a_formula": (law(f"<semantics>{ci('A')}</semantics>"), "<semantics>"),
}

WRONG_IDS = {
    "species_twice": (model(species=(*TWO_SPECIES, species("A"))), "'A' is already that"),
    "parameter_named_like_a_species": (model(parameters=parameters("A")), "of the species in line"),
    "list_of_species_twice": (
        model(extra=f"<listOfSpecies>{species('A')}</listOfSpecies>"),
        "'A' is already that",
    ),
    "species_reference_named_like_a_parameter": (
        model(reactions=(reaction(reference='id="k"'),)),
        "'k' is already that of the parameter",
    ),
    "local_parameter_twice": (
        model(
            reactions=(
                reaction(
                    local="<listOfLocalParameters>"
                    + '<localParameter id="k" value="2"/>' * 2
                    + "</listOfLocalParameters>"
                ),
            )
        ),
        "in the rate law of 'J'",
    ),
    "unit_twice": (
        model(
            extra="<listOfUnitDefinitions>"
            + '<unitDefinition id="u"/>' * 2
            + "</listOfUnitDefinitions>"
        ),
        "'u' is already that",
    ),
    "id_with_a_blank": (model(parameters=parameters("a b")), "'a b' is not allowed"),
    "id_that_starts_with_a_digit": (model(parameters=parameters("2a")), "'2a' is not allowed"),
    "id_that_is_not_ascii": (model(parameters=parameters("ä")), "'ä' is not allowed"),
    "id_of_2000_characters": (model(parameters=parameters("x" * 2000)), "id of 2000 characters"),
    "species_without_id": (model(species=(*TWO_SPECIES, species(""))), "<species> has no id"),
    "formula_id_of_5000_characters": (law(ci("x" * 5000)), "not one id"),
}

UNKNOWN_REFERENCES = {
    "compartment": (
        model(species=(species("A", compartment="d"), species("B"))),
        "compartment 'd'",
    ),
    "no_compartment": (
        model(species=(element("species", id="A"), species("B"))),
        "names no compartment",
    ),
    "reactant": (model(reactions=(reaction(reactant="Z"),)), "unknown species 'Z'"),
    "rule_variable": (model(rules=(rule("rate", "Z", ci("A")),)), "rate rule sets 'Z'"),
    "rule_without_variable": (model(rules=(f"<rateRule>{math(ci('A'))}</rateRule>",)), "sets ''"),
    "initial_assignment": (model(initials=(initial("Z", ci("A")),)), "initial assignment sets 'Z'"),
    "event_assignment": (model(events=(event("Z"),)), "event assignment sets 'Z'"),
    "event_assignment_of_a_reaction": (model(events=(event("J"),)), "event assignment sets 'J'"),
    "conversion_factor": (
        model(species=(species("A", conversionFactor="f"), species("B"))),
        "conversionFactor 'f'",
    ),
    "id_in_a_rate_law": (law(ci("kk")), "unknown id 'kk': did you mean 'k'?"),
    "id_in_a_trigger": (model(events=(event(trigger=apply("gt", ci("Z"), ci("A"))),)), "'Z'"),
    "id_in_level_1": (level_1("k * Z"), "unknown id 'Z'"),
    "id_in_a_function": (model(functions=(function("f", "x", ci("A")),)), "unknown id 'A'"),
    "function": (law(call("f", ci("A"))), "unknown function 'f'"),
    "function_as_a_value": (
        model(functions=(function("f", "x", ci("x")),), reactions=(reaction(law=ci("f")),)),
        "unknown id 'f'",
    ),
    "submodel": (composed({}, main=("d",)), "unknown model 'd'"),
    "two_models_of_one_id": (composed({"m": ()}, main=()), "two models of the file"),
}

CIRCLES = {
    "two_functions": (
        model(
            functions=(
                function("f", "x", call("g", ci("x"))),
                function("g", "x", call("f", ci("x"))),
            )
        ),
        "the function 'f' depends on itself: f -> g -> f",
    ),
    "assignment_rules": (
        model(
            parameters=parameters("p", "q"),
            rules=(rule("assignment", "p", ci("q")), rule("assignment", "q", ci("p"))),
        ),
        "p -> q -> p",
    ),
    "rule_and_rate_law": (
        model(
            parameters=parameters("p"),
            rules=(rule("assignment", "p", ci("J")),),
            reactions=(reaction(law=ci("p")),),
        ),
        "p -> J -> p",
    ),
    "species_and_its_volume": (model(initials=(initial("c", ci("A")),)), "A -> c -> A"),
    "rates_of_one_another": (
        model(
            parameters=parameters("p", "q"),
            rules=(
                rule("rate", "p", symbol("rateOf", ci("q"))),
                rule("rate", "q", symbol("rateOf", ci("p"))),
            ),
        ),
        "rate of p -> rate of q -> rate of p",
    ),
    "stoichiometry_and_rate": (
        model(
            rules=(rule("assignment", "n", symbol("rateOf", ci("A"))),),
            reactions=(reaction(reference='id="n"'),),
        ),
        "rate of A -> n -> rate of A",
    ),
    "rule_for_its_own_rate": (
        model(rules=(rule("assignment", "k", symbol("rateOf", ci("k"))),)),
        "k -> rate of k -> k",
    ),
    "rate_of_the_own_species": (law(symbol("rateOf", ci("A"))), "J -> rate of A -> J"),
    "level_1": (level_1("J"), "J -> J"),
    "model_in_itself": (composed({"d": ("d",)}, main=("d",)), "contains itself: d -> d"),
    "models_in_one_another": (composed({"d": ("e",), "e": ("d",)}, main=("d",)), "contains itself"),
}

WRONG_FORMULAS = {
    "two_numbers_in_one": ("<cn>1 2</cn>", "not one number"),
    "number_that_is_a_word": ("<cn>many</cn>", "not one number"),
    "empty_number": ("<cn/>", "not one number"),
    "number_with_a_child": ("<cn>1<ci>A</ci></cn>", "not one number"),
    "number_in_base_2": ('<cn type="integer" base="2">101</cn>', "another base"),
    "number_too_large": ("<cn>1e999</cn>", "larger than any number"),
    "exponent_too_large": ('<cn type="e-notation">1<sep/>999</cn>', "larger than any number"),
    "half_a_fraction": ('<cn type="rational">1</cn>', "not one number"),
    "fraction_over_zero": ('<cn type="rational">1<sep/>0</cn>', "larger than any number"),
    "unknown_kind_of_number": ('<cn type="complex-polar">1<sep/>2</cn>', "not one number"),
    "empty_id": ("<ci/>", "not one id"),
    "two_ids_in_one": ("<ci>A B</ci>", "not one id"),
    "empty_apply": ("<apply/>", "<apply> is empty"),
    "text_in_apply": ("<apply><abs/>A<ci>A</ci></apply>", "the text 'A'"),
    "operator_without_apply": ("<plus/>", "cannot stand here"),
    "operator_second": ("<apply><ci>A</ci><plus/></apply>", "cannot stand here"),
    "number_as_operator": ("<apply><cn>1</cn><cn>2</cn></apply>", "no such operator"),
    "unknown_operator": (apply("integral", "<ci>A</ci>"), "no such operator"),
    "unknown_value": ("<emptyset/>", "no such value"),
    "lambda_in_a_rate_law": ("<lambda><ci>A</ci></lambda>", "no such value"),
    "quotient_of_three": (apply("divide", *["<ci>A</ci>"] * 3), "3 arguments, exactly 2"),
    "power_of_one": (apply("power", "<ci>A</ci>"), "1 arguments, exactly 2"),
    "difference_of_three": (apply("minus", *["<ci>A</ci>"] * 3), "1 to 2 are right"),
    "sine_of_nothing": (apply("sin"), "0 arguments, exactly 1"),
    "comparison_of_one": (apply("lt", "<ci>A</ci>"), "at least 2"),
    "root_of_nothing": (apply("root", "<degree><cn>2</cn></degree>"), "0 arguments"),
    "empty_degree": (apply("root", "<degree/>", "<ci>A</ci>"), "<degree> has 0"),
    "factorial_of_minus_one": (apply("factorial", "<cn>-1</cn>"), "0 to 170"),
    "piece_without_condition": (
        "<piecewise><piece><cn>1</cn></piece></piecewise>",
        "<piece> has 1",
    ),
    "otherwise_twice": (
        f"<piecewise>{'<otherwise><cn>1</cn></otherwise>' * 2}</piecewise>",
        "at most one <otherwise>",
    ),
    "unknown_symbol": (symbol("temperature"), "time and avogadro"),
    "time_of_something": (symbol("time", "<ci>A</ci>"), "delay and rateOf"),
    "delay_without_duration": (symbol("delay", "<ci>A</ci>"), "1 arguments, exactly 2"),
    "rate_of_a_number": (symbol("rateOf", "<cn>1</cn>"), "rateOf needs one id"),
    "two_formulas": ("<ci>A</ci><ci>B</ci>", "holds 2 formulas"),
    "text_instead_of_a_formula": ("k*A", "holds 0 formulas"),
}

WRONG_FUNCTIONS = {
    "no_lambda": (
        '<functionDefinition id="f">' + math(ci("A")) + "</functionDefinition>",
        "<lambda>",
    ),
    "rate_in_a_function": (
        function("f", "x", symbol("rateOf", ci("x"))),
        "cannot stand in a function",
    ),
    "two_bodies": (function("f", "x", ci("x") * 2), "2 bodies"),
    "same_argument_twice": (function("f", "x x", ci("x")), "different names"),
    "argument_without_name": (
        function("f", "x", ci("x")).replace("<ci>x</ci></bvar>", "</bvar>"),
        "<bvar> has no id",
    ),
    "too_few_arguments": (function("f", "x y", ci("x")), "with 1 arguments, it takes 2"),
    "too_many_arguments": (function("f", "", "<cn>1</cn>"), "with 1 arguments, it takes 0"),
    "missing_formula": ('<functionDefinition id="f"/>', "unknown function 'f'"),
}

WRONG_NUMBERS = {
    "hexadecimal": (parameter("p", value="0x10"), "value='0x10'"),
    "decimal_comma": (parameter("p", value="1,5"), "value='1,5'"),
    "word": (parameter("p", value="high"), "value='high'"),
    "empty": (parameter("p", value=""), "value=''"),
    "too_large": (parameter("p", value="1e999"), "value='1e999'"),
    "underscore": (parameter("p", value="1_000"), "value='1_000'"),
}

REFUSED = {
    f"{group}-{name}": case
    for group, cases in {
        "kills": KILLS_THE_PROCESS,
        "hangs": HANGS,
        "reads": READS_OR_EXPANDS,
        "not_sbml": NOT_SBML,
        "unsupported": UNSUPPORTED,
        "ids": WRONG_IDS,
        "unknown": UNKNOWN_REFERENCES,
        "circle": CIRCLES,
        "formula": {name: (law(text), said) for name, (text, said) in WRONG_FORMULAS.items()},
        "function": {
            name: (model(functions=(text,), reactions=(reaction(law=call("f", ci("A"))),)), said)
            for name, (text, said) in WRONG_FUNCTIONS.items()
        },
        "number": {
            name: (model(parameters=(parameter("k"), text)), said)
            for name, (text, said) in WRONG_NUMBERS.items()
        },
    }.items()
    for name, case in cases.items()
}


HANGING = 20.0
"""Seconds of one processor after which a check counts as hanging: it takes far below one."""


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_bad_sbml_is_refused_at_once_in_one_line(text: str, said: str) -> None:
    start = time.process_time()
    with pytest.raises(ModelError) as caught:
        check_sbml(text, "strange.xml")
    assert time.process_time() - start < HANGING
    message = str(caught.value)
    assert said in message
    assert message.startswith("strange.xml")
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize(("text", "said"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_valid_sbml_that_no_engine_reads_is_called_unsupported(text: str, said: str) -> None:
    with pytest.raises(UnsupportedModelError):
        check_sbml(text, "strange.xml")


def test_a_message_names_the_line() -> None:
    text = model(parameters=(parameter("k"), "\n\n", parameter("k")))
    with pytest.raises(ModelError, match=r"^strange\.xml:5: the id 'k'"):
        check_sbml(text, "strange.xml")


def test_a_lint_of_bad_sbml_is_refused_as_well() -> None:
    with pytest.raises(ModelError, match="depends on itself"):
        lint_sbml(LOOP, "strange.xml")


ACCEPTED = {
    "level_3_version_2": model(),
    "level_3_version_1": model(version=(3, 1)),
    "level_2_version_4": model(version=(2, 4)),
    "level_1_version_2": level_1("k * A / (1 + sqrt(A))", rule="-2.5e-1 * k"),
    "no_xml_declaration": model().split("?>\n")[1],
    "latin_1_that_is_ascii": model().replace("UTF-8", "ISO-8859-1"),
    "notes_and_annotations": sbml(
        '<model id="m"><notes><p xmlns="urn:x">a < is &lt;</p></notes><annotation>'
        '<x:any xmlns:x="urn:x" x:id="m" id="n">1</x:any></annotation></model>'.replace("a < ", "")
    ),
    "long_notes": sbml(f'<model id="m"><notes><p>{"text " * 100_000}</p></notes></model>'),
    "package_for_layout": sbml(
        '<model id="m"><y:listOfLayouts><y:layout y:id="m"/></y:listOfLayouts></model>',
        'xmlns:y="http://www.sbml.org/sbml/level3/version1/layout/version1" y:required="false"',
    ),
    "unknown_package_that_is_not_required": sbml(
        '<model id="m"/>', 'xmlns:x="urn:x" x:required="false"'
    ),
    "submodels": composed({"d": (), "e": ("d", "d")}, main=("e", "d")),
    "formula_100_deep": law("<apply><abs/>" * 100 + "<ci>A</ci>" + "</apply>" * 100),
    "sum_of_1000": law(apply("plus", *[ci("A")] * 1000)),
    "numbers": law(
        apply(
            "plus",
            '<cn type="e-notation">1.5<sep/>-3</cn>',
            '<cn type="rational">1<sep/>3</cn>',
            '<cn type="integer"> -4 </cn>',
            "<cn>.5</cn>",
            "<pi/>",
        )
    ),
    "piecewise": law(
        f"<piecewise><piece><cn>1</cn>{apply('gt', ci('A'), '<cn>2</cn>')}</piece>"
        "<otherwise><cn>0</cn></otherwise></piecewise>"
    ),
    "degree_and_base": law(
        apply(
            "times",
            apply("root", "<degree><cn>3</cn></degree>", ci("A")),
            apply("log", "<logbase><cn>2</cn></logbase>", ci("A")),
        )
    ),
    "symbols": law(
        apply("times", symbol("time"), symbol("avogadro"), symbol("delay", ci("A"), ci("k")))
    ),
    "rate_of_another_species": model(
        parameters=parameters("p"), rules=(rule("assignment", "p", symbol("rateOf", ci("A"))),)
    ),
    "function_of_a_function": model(
        functions=(
            function("f", "x y", apply("plus", ci("x"), ci("y"))),
            function("g", "x", call("f", ci("x"), ci("x"))),
        ),
        reactions=(reaction(law=call("g", call("g", ci("A")))),),
    ),
    "unused_function_without_formula": model(functions=('<functionDefinition id="f"/>',)),
    "local_parameter": model(
        parameters=(),
        reactions=(
            reaction(
                local='<listOfLocalParameters><localParameter id="k" value="2"/>'
                "</listOfLocalParameters>"
            ),
        ),
    ),
    "variable_stoichiometry": model(
        reactions=(reaction(reference='id="n"'),), initials=(initial("n", ci("k")),)
    ),
    "rate_law_that_reads_a_reaction": model(
        reactions=(reaction(), reaction("K", ci("J"))),
    ),
    "amounts_may_set_their_volume": model(
        species=(species("A", hasOnlySubstanceUnits="true"), species("B")),
        initials=(initial("c", ci("A")),),
    ),
    "event": model(events=(event(),)),
    "infinite_parameter": model(parameters=(*parameters(), parameter("p", value="INF"))),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_good_sbml_passes(text: str) -> None:
    check_sbml(text, "good.xml")


LINT_ERRORS = {
    "empty_model": (sbml('<model id="m"/>'), "the model is empty"),
    "reaction_without_rate_law": (
        model(reactions=(reaction().replace(f"<kineticLaw>{math(LAW)}</kineticLaw>", ""),)),
        "'J' has no rate law",
    ),
    "rate_law_without_formula": (
        model(reactions=(reaction().replace(math(LAW), ""),)),
        "'J' has no rate law",
    ),
    "negative_volume": (model(compartments=(compartment(size="-1"),)), "size -1"),
    "no_volume": (model(compartments=(compartment(size="0"),)), "size 0"),
    "infinite_volume": (model(compartments=(compartment(size="INF"),)), "size inf"),
    "volume_that_is_no_number": (model(compartments=(compartment(size="NaN"),)), "size nan"),
    "infinite_start": (
        model(species=(species("A", initialConcentration="INF"), species("B"))),
        "'A' starts at inf",
    ),
    "start_that_is_no_number": (
        model(species=(species("A", initialConcentration="NaN"), species("B"))),
        "'A' starts at nan",
    ),
    "infinite_stoichiometry": (
        model(reactions=(reaction().replace('stoichiometry="1"', 'stoichiometry="INF"'),)),
        "stoichiometry is inf",
    ),
    "two_rules_for_one_variable": (
        model(rules=(rule("rate", "k", ci("A")), rule("assignment", "k", ci("A")))),
        "several rules set 'k'",
    ),
    "rule_against_reactions": (
        model(rules=(rule("rate", "A", ci("k")),)),
        "'A' is set by a rule and changed by reactions",
    ),
    "rule_for_a_constant": (
        model(parameters=(parameter("k", constant="true"),), rules=(rule("rate", "k", ci("A")),)),
        "the rate rule changes 'k', which is declared constant",
    ),
    "rule_for_a_constant_of_level_2": (
        model(
            parameters=(element("parameter", id="k", value="1"),),
            rules=(rule("rate", "k", ci("A")),),
            version=(2, 4),
        ),
        "the rate rule changes 'k', which is declared constant",
    ),
    "event_for_a_constant": (
        model(parameters=(parameter("k", constant="true"),), events=(event("k"),)),
        "the event changes 'k', which is declared constant",
    ),
}

LINT_WARNINGS = {
    "nothing_changes": (
        model(species=(), reactions=(), rules=()),
        "nothing in the model changes",
    ),
    "species_without_start": (
        model(species=(element("species", id="A", compartment="c"), species("B"))),
        "the species 'A' has no initial value",
    ),
    "parameter_without_value": (
        model(parameters=(element("parameter", id="k"),)),
        "the parameter 'k' has no initial value",
    ),
    "compartment_without_size": (
        model(compartments=(element("compartment", id="c"),)),
        "the compartment 'c' has no initial value",
    ),
    "infinite_parameter": (model(parameters=(parameter("k", value="-INF"),)), "'k' is -inf"),
    "negative_start": (
        model(species=(species("A", initialConcentration="-2"), species("B"))),
        "'A' starts at -2, below 0",
    ),
    "parameter_named_time": (model(parameters=parameters("time")), "the id 'time' usually means"),
    "local_parameter_that_hides_another": (
        model(
            reactions=(
                reaction(
                    local='<listOfLocalParameters><localParameter id="k" value="2"/>'
                    "</listOfLocalParameters>"
                ),
            )
        ),
        "hides the parameter 'k'",
    ),
    "rule_without_formula": (
        model(rules=('<rateRule variable="k"/>',)),
        "<rateRule> has no formula",
    ),
}


@pytest.mark.parametrize(("text", "said"), LINT_ERRORS.values(), ids=LINT_ERRORS)
def test_what_libraries_accept_silently_is_an_error(text: str, said: str) -> None:
    found = lint_sbml(text, "odd.xml").errors
    assert found
    assert said in found[0]
    assert found[0].startswith("odd.xml:")


@pytest.mark.parametrize(("text", "said"), LINT_WARNINGS.values(), ids=LINT_WARNINGS)
def test_what_may_be_meant_is_a_warning(text: str, said: str) -> None:
    findings = lint_sbml(text, "odd.xml")
    assert findings.errors == ()
    assert any(said in warning for warning in findings.warnings)


NO_FINDINGS = {
    "plain": model(),
    "values_set_by_initial_assignments": model(
        compartments=(compartment(size="NaN"),),
        species=(
            element("species", id="A", compartment="c", hasOnlySubstanceUnits="true"),
            species("B", initialConcentration="NaN"),
        ),
        initials=tuple(initial(name, "<cn>1</cn>") for name in "cAB"),
    ),
    "unused_compartment_without_volume": model(
        compartments=(compartment(), compartment("d", size="NaN"))
    ),
    "compartment_without_dimensions": model(
        compartments=(compartment(size="0", spatialDimensions="0"),)
    ),
    "rule_for_a_boundary_species": model(
        species=(species("A", boundaryCondition="true"), species("B")),
        rules=(rule("rate", "A", ci("k")),),
    ),
    "flux_balance_needs_no_rate_laws": sbml(
        '<model id="m" y:strict="true"><listOfCompartments>'
        + compartment()
        + f"</listOfCompartments><listOfSpecies>{''.join(TWO_SPECIES)}</listOfSpecies>"
        + f"<listOfReactions>{reaction().replace(math(LAW), '')}</listOfReactions></model>",
        'xmlns:y="http://www.sbml.org/sbml/level3/version1/fbc/version2" y:required="false"',
    ),
    "submodels_may_replace_anything": composed({"d": ()}, main=("d",)),
}


@pytest.mark.parametrize("text", NO_FINDINGS.values(), ids=NO_FINDINGS)
def test_a_good_model_gives_no_findings(text: str) -> None:
    findings = lint_sbml(text, "good.xml")
    assert findings.errors == findings.warnings == ()
