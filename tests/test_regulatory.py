"""Regulatory statements: where they stand, and on which results they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from myelode.cli import main
from myelode.errors import ModelError
from myelode.figures.page import closing_notes
from myelode.library import find_model
from myelode.model import load_model
from myelode.model_folder import read_variants
from myelode.regulatory import statement_lines, statements_in
from myelode.results import read_result, write_result
from myelode.scenario import load_scenario
from myelode.simulation import simulate

MODEL = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second);
  compartment medium = 2; medium has volume;
  species drug in medium; drug = 0; k = 0.5; k has per_hour; k_2 = 1; k_2 has per_hour;
  loss: drug => ; medium*(k + 0*k_2)*drug;
end
"""
TABLE = (
    "name\tvalue\tunit\tmeaning\tuncertainty\tbetween_patients\tbetween_lines\trange"
    "\tevidence\tread\tsource\tnote\n"
    "k\t0.5\t1/h\tloss\tfixed\t\t\t\tassumed\tno\t\tan example\n"
    "k_2\t1\t1/h\tloss\tfixed\t\t\t\tassumed\tno\t\tan example\n"
    "medium\t2\tlitre\tvolume\tfixed\t\t\t\tassumed\tno\t\tan example\n"
)
VARIANTS = """\
dish: {title: dish, parts: [decay.ant], model: decay, default: true}
patient: {title: patient, parts: [decay.ant], model: decay, clinical: true}
"""
COMPOUNDS = """\
default: old
partner: {k_2: k}
compounds:
  old:
    title: Old
    regulatory: {date: "2024-02", statement: approval withdrawn}
  new: {title: New}
"""
SCENARIO = """\
id: dose
title: a dose
model: {model}
{more}
regimen: [{{at: 0 h, dose: drug, to: 1 uM}}]
observe: {{every: 1 h, until: 4 h, outputs: [drug]}}
endpoints:
  peak: {{of: drug, take: max}}
"""
WITHDRAWN = "Regulatory, old (2024-02): approval withdrawn."
NOTHING = "Regulatory: no regulatory statement is recorded for new."
Write = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with a clinical variant, and a statement on one of its two compounds."""
    path = tmp_path / "decay"
    path.mkdir()
    (path / "decay.ant").write_text(MODEL)
    (path / "parameters.tsv").write_text(TABLE)
    (path / "variants.yaml").write_text(VARIANTS)
    (path / "compounds.yaml").write_text(COMPOUNDS)
    return path


@pytest.fixture
def write(folder: Path) -> Write:
    def scenario(*more: str) -> str:
        path = folder.parent / "dose.yaml"
        path.write_text(SCENARIO.format(model=folder, more="\n".join(more)))
        return str(path)

    return scenario


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ([], []),
        (["variant: patient"], [WITHDRAWN]),
        (["variant: patient", "compound: new"], [NOTHING]),
        (["variant: patient", "compounds: [new, old]"], [NOTHING, WITHDRAWN]),
        (["variant: patient", "compound: old", "partner: new"], [WITHDRAWN, NOTHING]),
    ],
)
def test_a_clinical_result_names_every_compound_in_use(
    write: Write, more: list[str], lines: list[str]
) -> None:
    dataset = simulate(load_scenario(write(*more)))
    assert list(statement_lines(statements_in(dataset.attrs))) == lines
    assert ("regulatory" in dataset.attrs) == bool(lines)
    assert list(closing_notes(dataset.attrs)) == [*lines, dataset.attrs["notice"]]


def test_a_model_without_compounds_stands_for_itself(write: Write, folder: Path) -> None:
    (folder / "compounds.yaml").unlink()
    [said] = statements_in(simulate(load_scenario(write("variant: patient"))).attrs)
    assert said["statement"] == "no regulatory statement is recorded for decay"
    assert said["date"] is None


def test_it_is_on_the_terminal_in_json_and_in_the_file(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("variant: patient")
    assert main(["run", path, "--json"]) == 0
    said = {"compound": "old", "date": "2024-02", "statement": "approval withdrawn"}
    assert json.loads(capsys.readouterr().out)["regulatory"] == [said]
    assert main(["run", path, "-o", str(tmp_path / "result.nc")]) == 0
    assert WITHDRAWN in capsys.readouterr().out
    assert statements_in(read_result(tmp_path / "result.nc").attrs) == [said]
    assert main(["run", write(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regulatory"] == []


def test_equal_results_have_equal_bytes(write: Write, tmp_path: Path) -> None:
    files = [tmp_path / "a.nc", tmp_path / "b.nc"]
    for file in files:
        write_result(simulate(load_scenario(write("variant: patient"))), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_figure_shows_it(write: Write, tmp_path: Path) -> None:
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        for more, shown in (("variant: patient", True), ("variant: dish", False)):
            picture = tmp_path / "figure.svg"
            assert main(["run", write(more), "--quiet", "--plot", str(picture)]) == 0
            assert ("approval withdrawn" in picture.read_text()) == shown


def test_show_says_it_of_a_clinical_variant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(folder), "--variant", "patient"]) == 0
    assert WITHDRAWN in capsys.readouterr().out
    assert main(["show", str(folder)]) == 0
    assert WITHDRAWN not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"2024-02"', '"in 2024"', "6: compounds.old.regulatory.date: is a date such as"),
        ('date: "2024-02", ', "", "6: compounds.old.regulatory.date: 'date' is a text, and is nee"),
        ("statement:", "statment:", "unknown key 'statment': did you mean 'statement'"),
        ('{date: "2024-02", statement: approval withdrawn}', "withdrawn", "has date and statement"),
        ("approval withdrawn", '" "', "statement: 'statement' is a text, and is needed"),
        ("regulatory:", "regulator:", "unknown key 'regulator': did you mean 'regulatory'"),
    ],
)
def test_faults_of_a_statement_have_a_line(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "compounds.yaml"
    assert old in COMPOUNDS
    path.write_text(COMPOUNDS.replace(old, new))
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert message in str(caught.value)


def test_clinical_is_true_or_false(folder: Path) -> None:
    (folder / "variants.yaml").write_text(VARIANTS.replace("clinical: true", "clinical: maybe"))
    with pytest.raises(ModelError, match=r"variants.yaml:2: patient: clinical is true or false"):
        load_model(folder)


@pytest.mark.parametrize(
    ("model", "clinical", "known"),
    [
        ("melflufen", ["plasma", "patient"], {"melflufen"}),
        ("cereblon", ["patient"], {"lenalidomide", "pomalidomide", "iberdomide", "mezigdomide"}),
    ],
)
def test_shipped_variants_for_patients_are_clinical(
    model: str, clinical: list[str], known: set[str]
) -> None:
    variants = read_variants(find_model(model))
    assert [name for name, entry in variants.items() if entry.get("clinical")] == clinical
    compounds = load_model(model, clinical[-1]).compounds
    assert {name for name, item in compounds.items.items() if item.regulatory} == known
