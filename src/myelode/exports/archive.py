"""A scenario as a COMBINE archive: SBML of every run, SED-ML, the scenario and its numbers.

Equal inputs give equal bytes: the archive holds no time stamps.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from myelode.datasets import NOTICE
from myelode.errors import ScenarioError
from myelode.exports.sedml import sedml_document, xml_text
from myelode.exports.selection import ExportedRun, exported_runs
from myelode.exports.standalone import standalone_sbml
from myelode.files import read_text, table_text
from myelode.plan import Plan
from myelode.scenario import Scenario

MOST_RUNS = 1000
_COMBINE = "http://identifiers.org/combine.specifications"
_MEDIA = "http://purl.org/NET/mediatypes"
SBML, SEDML = f"{_COMBINE}/sbml.level-3.version-2", f"{_COMBINE}/sed-ml.level-1.version-4"
METADATA = f"{_COMBINE}/omex-metadata"
TABLE, YAML_TEXT = f"{_MEDIA}/text/tab-separated-values", f"{_MEDIA}/application/yaml"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DUBLIN_CORE = "http://purl.org/dc/terms/"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Entry:
    """One file of the archive."""

    location: str
    format: str
    text: str
    master: bool = False


def archive_bytes(plan: Plan) -> bytes:
    """The archive; raises ScenarioError for more than `MOST_RUNS` runs."""
    if len(plan.runs) > MOST_RUNS:
        raise ScenarioError(
            f"{plan.scenario.id}: has {len(plan.runs)} runs, more than the {MOST_RUNS} that go "
            "into one archive: give fewer perturbations or doses"
        )
    entries = list(_entries(plan))
    return _zipped([_Entry("manifest.xml", "", _manifest(entries)), *entries])


def _entries(plan: Plan) -> Iterator[_Entry]:
    runs = exported_runs(plan)
    document = sedml_document(plan, runs, [run.file for run in runs])
    yield _Entry("metadata.rdf", METADATA, _metadata(plan.scenario))
    yield _Entry("simulation.sedml", SEDML, document, master=True)
    for run in runs:
        yield _Entry(run.file, SBML, standalone_sbml(plan, run.planned))
    yield _Entry("runs.tsv", TABLE, _table_of_runs(plan, runs))
    yield _Entry("scenario.yaml", YAML_TEXT, _scenario_text(plan.scenario))
    if plan.model.folder is not None:
        yield _Entry("parameters.tsv", TABLE, read_text(plan.model.folder / "parameters.tsv"))


def _manifest(entries: Sequence[_Entry]) -> str:
    root = Element("omexManifest", xmlns=f"{_COMBINE}/omex-manifest")
    SubElement(root, "content", location=".", format=f"{_COMBINE}/omex")
    SubElement(root, "content", location="./manifest.xml", format=f"{_COMBINE}/omex-manifest")
    for entry in entries:
        content = SubElement(root, "content", location=f"./{entry.location}", format=entry.format)
        if entry.master:
            content.set("master", "true")
    return xml_text(root)


def _metadata(scenario: Scenario) -> str:
    """What the archive is about, as OMEX metadata."""
    facts = [scenario.title.rstrip(".") + ".", scenario.description, NOTICE]
    root = Element("rdf:RDF", {"xmlns:rdf": _RDF, "xmlns:dcterms": _DUBLIN_CORE})
    about = SubElement(root, "rdf:Description", {"rdf:about": "."})
    SubElement(about, "dcterms:title").text = scenario.title
    SubElement(about, "dcterms:description").text = " ".join(" ".join(facts).split())
    return xml_text(root)


def _table_of_runs(plan: Plan, runs: Sequence[ExportedRun]) -> str:
    """Which file holds which run, and in which values it differs from the model."""
    header = ["file", *(axis.name for axis in plan.axes), "values"]
    rows = [
        [run.file, *map(str, _coordinates(plan, run)), _differences(run.planned.run.changes)]
        for run in runs
    ]
    return table_text((header, *rows))


def _coordinates(plan: Plan, run: ExportedRun) -> list[Any]:
    return [axis.values[at] for axis, at in zip(plan.axes, run.planned.place, strict=True)]


def _differences(values: Mapping[str, float]) -> str:
    return "; ".join(f"{name} = {value:.15g}" for name, value in values.items())


def _scenario_text(scenario: Scenario) -> str:
    """The scenario with all settings, as YAML."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    stream = io.StringIO()
    yaml.dump(scenario.model_dump(mode="json", by_alias=True, exclude_unset=True), stream)
    return stream.getvalue()


def _zipped(entries: Sequence[_Entry]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.location, _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, entry.text.encode())
    return buffer.getvalue()
