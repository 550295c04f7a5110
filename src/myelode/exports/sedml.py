"""Runs as a SED-ML document (Level 1 Version 4): models, time course, tasks, report and plots.

Every run has an SBML file of its own, so that no program has to apply changes to a model. The XML
is written here: where python-libsedml is imported, libSBML no longer reads formulas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from myelode.engines import Tolerances
from myelode.exports.selection import ExportedRun
from myelode.plan import Plan
from myelode.sbml import Entity
from myelode.units import to_unit

STEPS = 500
"""Intervals of a time course for which the scenario names none."""

LANGUAGE = "urn:sedml:language:sbml.level-3.version-2"
TIME = "urn:sedml:symbol:time"
_NAMESPACES = {
    "xmlns": "http://sed-ml.org/sed-ml/level1/version4",
    "xmlns:sbml": "http://www.sbml.org/sbml/level3/version2/core",
    "level": "1",
    "version": "4",
}
_CVODE, _RELATIVE, _ABSOLUTE = "KISAO:0000019", "KISAO:0000209", "KISAO:0000211"
_EXPLICIT = re.compile(r"(amount|concentration)\((\w+)\)")
_LISTS = {
    "compartment": "listOfCompartments/sbml:compartment",
    "species": "listOfSpecies/sbml:species",
    "parameter": "listOfParameters/sbml:parameter",
    "reaction": "listOfReactions/sbml:reaction",
    "stoichiometry": "listOfReactions/sbml:reaction/*/sbml:speciesReference",
}


def sedml_document(plan: Plan, runs: Sequence[ExportedRun], files: Sequence[str]) -> str:
    """The SED-ML of the runs, whose SBML stands in `files` beside it.

    The time course is the scenario's ``every``, ``from`` and ``until``; its further moments
    (``at``) have no place in a uniform time course, and a step that does not divide it is adjusted.
    Values are in the model's own mathematics.
    """
    root = Element("sedML", _NAMESPACES)
    _add_models(root, runs, files)
    _add_course(SubElement(root, "listOfSimulations"), plan)
    _add_tasks(root, runs)
    generators = SubElement(root, "listOfDataGenerators")
    for run in runs:
        _add_generators(generators, plan, run)
    outputs = SubElement(root, "listOfOutputs")
    _add_report(outputs, plan, runs)
    for number, output in enumerate(plan.outputs, 1):
        _add_plot(outputs, plan, runs, number, output)
    return xml_text(root)


def xml_text(root: Element) -> str:
    """An XML file of that root, indented."""
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_models(root: Element, runs: Sequence[ExportedRun], files: Sequence[str]) -> None:
    models = SubElement(root, "listOfModels")
    for run, file in zip(runs, files, strict=True):
        name = {"id": f"model_{run.id}", "name": _plain(run.label)}
        SubElement(models, "model", name, language=LANGUAGE, source=file)


def _add_course(simulations: Element, plan: Plan) -> None:
    start, end, steps = _course(plan)
    course = SubElement(
        simulations, "uniformTimeCourse", id="course", initialTime="0",
        outputStartTime=repr(start), outputEndTime=repr(end), numberOfSteps=str(steps),
    )  # fmt: skip
    algorithm = SubElement(course, "algorithm", name="CVODE", kisaoID=_CVODE)
    parameters = SubElement(algorithm, "listOfAlgorithmParameters")
    tolerances = Tolerances()
    for kisao, value in ((_RELATIVE, tolerances.relative), (_ABSOLUTE, tolerances.absolute)):
        SubElement(parameters, "algorithmParameter", kisaoID=kisao, value=f"{value:g}")


def _course(plan: Plan) -> tuple[float, float, int]:
    """Start, end and number of intervals of what is recorded."""
    observe, unit = plan.scenario.observe, plan.model.time_unit
    start = 0.0 if observe.from_ is None else to_unit(observe.from_, unit, "from")
    end = to_unit(observe.until, unit, "until")
    if observe.every is None:
        return start, end, STEPS
    return start, end, max(1, round((end - start) / to_unit(observe.every, unit, "every")))


def _add_tasks(root: Element, runs: Sequence[ExportedRun]) -> None:
    tasks = SubElement(root, "listOfTasks")
    for run in runs:
        references = {"modelReference": f"model_{run.id}", "simulationReference": "course"}
        SubElement(tasks, "task", references, id=f"task_{run.id}")


def _add_generators(generators: Element, plan: Plan, run: ExportedRun) -> None:
    """What the run gives: time, and each output."""
    title = _quantity("time", plan.model.time_unit)
    time = _add_generator(
        generators, f"{run.id}_time", title, "", {f"{run.id}_t": {"symbol": TIME}}
    )
    _refer_to_task(time, run)
    for number, output in enumerate(plan.outputs, 1):
        name = f"{run.id}_output_{number}"
        sign, entities = _composition(plan, output)
        variables = {f"{name}_{entity.id}": {"target": _target(entity)} for entity in entities}
        title = _quantity(output, plan.model.unit_of(output))
        _refer_to_task(_add_generator(generators, name, title, sign, variables), run)


def _composition(plan: Plan, output: str) -> tuple[str, list[Entity]]:
    """What an output consists of: one id, or a species ``times`` or ``divide`` its compartment."""
    match = _EXPLICIT.fullmatch(output)
    if match is None:
        return "", [plan.model.entity(output)]
    species = plan.model.entity(match[2])
    if species.is_amount == (match[1] == "amount"):
        return "", [species]
    compartment = plan.model.entity(species.compartment or "")
    return "times" if match[1] == "amount" else "divide", [species, compartment]


def _target(entity: Entity) -> str:
    return f"/sbml:sbml/sbml:model/sbml:{_LISTS[entity.kind]}[@id='{entity.id}']"


def _add_generator(
    generators: Element, name: str, title: str, sign: str, variables: dict[str, dict[str, str]]
) -> Element:
    generator = SubElement(generators, "dataGenerator", id=name, name=_plain(title))
    math = SubElement(generator, "math", xmlns="http://www.w3.org/1998/Math/MathML")
    formula = math
    if sign:
        formula = SubElement(math, "apply")
        SubElement(formula, sign)
    listed = SubElement(generator, "listOfVariables")
    for variable, source in variables.items():
        SubElement(formula, "ci").text = variable
        SubElement(listed, "variable", source, id=variable)
    return generator


def _refer_to_task(generator: Element, run: ExportedRun) -> None:
    for variable in generator.iter("variable"):
        variable.set("taskReference", f"task_{run.id}")


def _add_report(outputs: Element, plan: Plan, runs: Sequence[ExportedRun]) -> None:
    """Time, then every output of every run."""
    report = SubElement(outputs, "report", id="report", name=_plain(plan.scenario.title))
    columns = {f"{runs[0].id}_time": "time"}
    for run in runs:
        for number, output in enumerate(plan.outputs, 1):
            label = output if len(runs) == 1 else f"{output} | {run.label}"
            columns[f"{run.id}_output_{number}"] = _plain(label)
    listed = SubElement(report, "listOfDataSets")
    for generator, label in columns.items():
        SubElement(
            listed, "dataSet", id=f"report_{generator}", label=label, dataReference=generator
        )


def _add_plot(
    outputs: Element, plan: Plan, runs: Sequence[ExportedRun], number: int, output: str
) -> None:
    """One output over time, with a curve for each run."""
    title = _plain(plan.model.label_of(output))
    plot = SubElement(outputs, "plot2D", id=f"plot_{number}", name=title)
    x, y = _quantity("time", plan.model.time_unit), _quantity(output, plan.model.unit_of(output))
    SubElement(plot, "xAxis", type="linear", name=_plain(x))
    SubElement(plot, "yAxis", type="linear", name=_plain(y))
    curves = SubElement(plot, "listOfCurves")
    for order, run in enumerate(runs):
        data = {"xDataReference": f"{run.id}_time", "yDataReference": f"{run.id}_output_{number}"}
        name = {"id": f"plot_{number}_{run.id}", "name": _plain(run.label), "order": str(order)}
        SubElement(curves, "curve", {**name, **data})


def _quantity(name: str, unit: str | None) -> str:
    return f"{name} ({unit})" if unit else name


def _plain(text: str) -> str:
    """The text without quotes and backslashes: some programs paste names into code they run."""
    return " ".join(re.sub(r"[\"'\\{}]", "", text).split())
