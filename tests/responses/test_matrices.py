"""`cross_resistance`: tables of a model and across the models, and what files must say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import myelode
from myelode import library
from myelode.errors import ModelError, MyelodeError, ScenarioError
from myelode.files import parse_yaml, read_yaml
from myelode.responses import across
from myelode.responses.across import Shared, across_models, read_mapping
from myelode.responses.matrices import table_of
from myelode.responses.templates import read_template, shared_file, validated

from .conftest import DISH


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder that declares a matrix over the arms of a scenario."""
    (tmp_path / "dish.ant").write_text(DISH)
    (tmp_path / "two.yaml").write_text(
        "id: two\ntitle: two drugs\nmodel: dish.ant\n"
        "perturbations: [none, {mutant: {scale: {K: 10}}}, {weak: {set: {rest: 0.6}}}]\n"
        "arms:\n  once: [{at: 0 h, label: drug, dose: drug, to: 10 nM}]\n"
        "  other: [{at: 0 h, label: drug, dose: other, to: 10 nM}]\n"
        "observe: {every: 1 h, until: 24 h, outputs: [cells]}\n"
        "endpoints: {ic50: {of: cells, take: ic50, at: 24 h}}\n"
    )
    (tmp_path / "cross_resistance.yaml").write_text(
        "scenario: two.yaml\nperturbations: [mutant, weak]\n"
        "ladder: {from: 0.1 nM, to: 10 umol/L, points: 9}\n"
    )
    return tmp_path


def test_a_model_says_itself_what_is_titrated(folder: Path) -> None:
    table = myelode.cross_resistance(folder)
    assert table["fold"].dims == ("perturbation", "compound")
    assert table["perturbation"].values.tolist() == ["mutant", "weak"]
    assert table["compound"].values.tolist() == ["once", "other"]
    assert table["fold"].values[:, 0] == pytest.approx([10, math.inf], rel=1e-4)
    assert table["ic50_reference"].values[0] == pytest.approx(20, rel=1e-4)
    assert table.attrs["read_at"] == "24 h"


def test_a_drug_without_effect_has_no_fold_and_says_why(folder: Path) -> None:
    other = myelode.cross_resistance(folder).sel(compound="other")
    assert np.isnan(other["fold"].values).all()
    assert set(other["outcome"].values) == {"undetermined"}
    assert (
        "because of the reference: not reached: no effect up to 10 uM" in other["reason"].values[0]
    )


def test_rows_columns_doses_and_time_may_be_others(folder: Path) -> None:
    table = myelode.cross_resistance(
        folder, read="12 h", perturbations=["weak"], compounds=["other"], points=5
    )
    assert table["fold"].shape == (1, 1)
    assert table.attrs["read_at"] == "12 h"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"compounds": ["onse"]}, "two titrates no compound 'onse': did you mean 'once'"),
        ({"perturbations": ["mutan"]}, "unknown perturbation 'mutan'"),
        ({"points": 2}, "has 2 doses, and needs 3 or more"),
    ],
)
def test_unknown_rows_and_columns_are_one_line(
    folder: Path, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(MyelodeError, match=message):
        myelode.cross_resistance(folder, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario: two.yaml\nperturbation: [mutant]\n", "unknown key 'perturbation'.*mean 'pert"),
        ("scenario: two.yaml\n", "'perturbations' is missing"),
        ("scenario: twoo.yaml\nperturbations: [mutant]\n", "twoo.yaml: no such file"),
    ],
)
def test_a_faulty_declaration_is_one_line(folder: Path, text: str, message: str) -> None:
    (folder / "cross_resistance.yaml").write_text(text)
    with pytest.raises(MyelodeError, match=message):
        myelode.cross_resistance(folder)


def test_a_model_that_declares_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "dish.ant").write_text(DISH)
    with pytest.raises(ModelError, match=r"has no cross_resistance\.yaml"):
        myelode.cross_resistance(tmp_path)


# ------------------------------------------------------------------ what is shipped


@pytest.mark.parametrize("name", sorted(library.models()))
def test_the_shipped_declarations_name_what_exists(name: str) -> None:
    template, scenario = read_template(name)
    known = list(scenario.compounds or scenario.arms or [])
    assert set(template.compounds or known) <= set(known)
    assert len(template.perturbations) == 10


def test_cereblon_has_the_matrix_of_ten_by_five_by_twenty_five() -> None:
    template, _ = read_template("cereblon")
    assert (len(template.perturbations), len(template.compounds or [])) == (10, 5)
    assert template.ladder is not None
    assert template.ladder.points == 25


def test_what_is_known_of_mdr1_is_stated_computed_or_unknown() -> None:
    cells = read_mapping(["mdr1"]).rows["mdr1"].cells
    assert cells["melphalan"].fold == cells["cys-mcMMAF"].fold == 1
    assert cells["lenalidomide"].perturbation == "mdr1"
    others = cells.keys() - {"melphalan", "cys-mcMMAF", "lenalidomide"}
    assert all(cells[name].unknown for name in others)
    assert cells["bortezomib"].verdict == "unsupported"


def test_mdr1_shifts_lenalidomide_by_no_more_than_three() -> None:
    table = myelode.cross_resistance("all", perturbations=["mdr1"], compounds=["lenalidomide"])
    assert table["fold"].item() == pytest.approx(3, rel=0.01)
    assert table["status"].item() == "computed"
    assert table["evidence"].item() == "derived"


def test_every_change_has_a_cell_for_every_drug() -> None:
    shared = read_mapping()
    assert set(shared.rows) == {"mdr1", "anti_apoptotic", "low_proliferation"}
    assert all(row.cells.keys() == shared.compounds.keys() for row in shared.rows.values())
    for name, rows in shared.rows_by_model().items():
        assert set(rows) <= set(read_yaml(library.models()[name] / "perturbations.yaml").data)


# ------------------------------------------------------------------ across models

SHARED = """\
title: a test
compounds: {one: {model: toy}, two: {model: toy}, three: {}}
rows:
  change:
    title: a change
    cells:
      one: {perturbation: mutant, evidence: assumed}
      two: {fold: 1, evidence: literature, source: somebody, note: no substrate}
      three: {unknown: nobody measured it, evidence: none, verdict: unsupported}
"""


def _shared(text: str = SHARED) -> Shared:
    found: Shared = validated(parse_yaml(text, "shared.yaml", ModelError), Shared)
    return found


def test_cells_are_computed_stated_or_unknown(folder: Path) -> None:
    table = myelode.cross_resistance(folder, perturbations=["mutant"])
    table = table.assign_coords(compound=["one", "two"])
    data = across_models(_shared(), {"toy": table}).sel(perturbation="change")
    assert data["status"].values.tolist() == ["computed", "stated", "unknown"]
    assert data["fold"].values == pytest.approx([10, 1, math.nan], rel=1e-4, nan_ok=True)
    assert data["reason"].values.tolist() == [
        "mutant: 10 times the reference", "stated, not computed: no substrate",
        "nobody measured it",
    ]  # fmt: skip
    assert data["verdict"].values.tolist() == ["", "", "unsupported"]
    assert _shared().rows_by_model() == {"toy": ["mutant"]}
    assert _shared().columns_of("toy") == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fold: 1, ", "", "a perturbation, a fold, or says what is unknown"),
        ("source: somebody, ", "", "needs its source"),
        ("evidence: literature", "evidence: hearsay", "'hearsay' is none of"),
        ("verdict: unsupported", "verdict: doubted", "'doubted' is none of"),
    ],
)
def test_a_cell_that_says_too_little_is_refused(old: str, new: str, message: str) -> None:
    assert old in SHARED
    with pytest.raises(ModelError, match=message):
        _shared(SHARED.replace(old, new))


def test_a_drug_that_is_no_column_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shared.yaml"
    path.write_text(SHARED.replace("      one:", "      onne:"))
    monkeypatch.setattr(across, "shared_file", lambda: path)
    with pytest.raises(
        ModelError, match=r"shared.yaml:7: .*onne: unknown drug: did you mean 'one'"
    ):
        read_mapping()


def test_across_the_models_each_has_its_own_time() -> None:
    with pytest.raises(ScenarioError, match="each model has its own time"):
        myelode.cross_resistance("all", read="24 h")
    assert shared_file().is_file()


def test_a_table_has_no_other_axes() -> None:
    curves = xr.Dataset({"fold": (("perturbation", "dose2"), np.ones((1, 2)))})
    with pytest.raises(ScenarioError, match="not dose2"):
        table_of(curves)
