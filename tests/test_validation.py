"""Published numbers stand beside simulated ones; a fault in the table has a line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import xarray as xr

from myelode.claims import read_claims
from myelode.engines import Tolerances
from myelode.errors import ModelError
from myelode.library import find_model, models
from myelode.plan import Plan
from myelode.validation import COLUMNS, Row, Score, read_observations, score, validate

MODEL = """\
model decay()
  unit time_unit = 3600 second; unit substance = 1e-6 mole; unit extent = 1e-6 mole;
  unit volume = 1 litre; unit per_hour = 1/(3600 second);
  compartment medium = 2; medium has volume;
  species drug in medium; drug = 1; k = 0.5; k has per_hour;
  loss: drug => ; medium*k*drug;
end
"""
SCENARIO = """\
id: trial
title: decay
model: {model}
perturbations: [none, {{slow: {{scale: {{k: 0.5}}}}}}]
observe: {{every: 30 min, until: 10 h, outputs: [drug]}}
endpoints:
  at2: {{of: drug, take: value, at: 2 h}}
  gone: {{of: drug, take: time_to, below: 1 pM}}
rules:
  kind: [{{label: any}}]
"""
AFTER_TWO_HOURS = math.exp(-1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with one scenario beside it."""
    model = tmp_path / "decay"
    model.mkdir()
    (model / "decay.ant").write_text(MODEL)
    (tmp_path / "trial.yaml").write_text(SCENARIO.format(model=model / "decay.ant"))
    return model


def _observe(folder: Path, *changes: dict[str, str]) -> None:
    """Write a table with one row per mapping of what differs from a good row."""
    good = {
        "observable": "drug left", "value": "0.4", "unit": "umol/L", "low": "0.3", "high": "0.5",
        "conditions": "in a dish", "scenario": str(folder.parent / "trial.yaml"),
        "endpoint": "none.at2", "use": "check", "evidence": "measured", "read": "read",
        "source": "Nobody 1999", "note": "",
    }  # fmt: skip
    rows = [{"id": f"T-{number}", **good, **change} for number, change in enumerate(changes, 1)]
    lines = [COLUMNS, *([row[column] for column in COLUMNS] for row in rows)]
    text = "\n".join("\t".join(line) for line in lines)
    (folder / "observations.tsv").write_text(text + "\n")


def _validated(folder: Path, **change: str) -> Row:
    _observe(folder, change)
    [row] = validate(folder)
    return row


def test_a_row_gives_the_simulated_number_and_whether_it_hits(folder: Path) -> None:
    row = _validated(folder)
    assert row.simulated == pytest.approx(AFTER_TWO_HOURS)
    assert (row.published, row.low, row.high, row.hit) == (0.4, 0.3, 0.5, True)


def test_a_miss_is_a_miss(folder: Path) -> None:
    assert _validated(folder, value="0.2", low="0.1", high="0.3").hit is False


@pytest.mark.parametrize(
    ("low", "high", "hit"),
    [("0.3", "", True), ("0.4", "", False), ("", "0.4", True), ("", "", None)],
)
def test_a_band_may_be_open(folder: Path, low: str, high: str, hit: bool | None) -> None:
    assert _validated(folder, low=low, high=high).hit is hit


def test_the_simulated_number_is_in_the_unit_of_the_published_one(folder: Path) -> None:
    row = _validated(folder, value="400", unit="nM", low="300", high="500")
    assert row.simulated == pytest.approx(1000 * AFTER_TWO_HOURS)
    assert row.hit is True


def test_an_expression_is_taken_as_stated(folder: Path) -> None:
    row = _validated(folder, endpoint="slow.at2 / none.at2", unit="fold", low="1.6", high="1.7")
    assert row.simulated == pytest.approx(math.exp(0.5))
    assert row.hit is True


def test_what_is_not_reached_may_be_what_was_found(folder: Path) -> None:
    row = _validated(folder, endpoint="slow.gone", value="", unit="h", low="9", high="")
    assert row.simulated == math.inf
    assert row.hit is True


def test_without_a_scenario_nothing_is_computed(folder: Path) -> None:
    row = _validated(folder, scenario="", endpoint="", note="no assay here yet")
    assert row.simulated is None
    assert row.hit is None


def test_context_is_shown_but_not_judged(folder: Path) -> None:
    row = _validated(folder, use="context")
    assert row.simulated == pytest.approx(AFTER_TWO_HOURS)
    assert row.hit is None


def test_calibration_is_counted_apart_from_checks(folder: Path) -> None:
    missed = {"value": "1", "low": "0.9", "high": ""}
    _observe(folder, {}, missed, {"use": "calibrate"}, {"use": "calibrate"}, {"use": "context"})
    rows = validate(folder)
    assert score(rows, "check") == Score(hits=1, misses=1)
    assert score(rows, "calibrate") == Score(hits=2, misses=0)
    assert score(rows, "check", "calibrate") == Score(hits=3, misses=1)


def test_a_scenario_runs_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import myelode.validation as validation

    calls = []
    real = validation.evaluate_plan

    def counted(plan: Plan, engine: str, tolerances: Tolerances) -> xr.Dataset:
        calls.append(plan.scenario.id)
        return real(plan, engine, tolerances)

    monkeypatch.setattr(validation, "evaluate_plan", counted)
    _observe(folder, {}, {"endpoint": "slow.at2", "low": "", "high": ""})
    validate(folder)
    assert calls == ["trial"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use": "proof"}, "use 'proof' is none of check, calibrate, context"),
        ({"evidence": "certain"}, "evidence 'certain' is none of"),
        ({"read": "yes"}, "read 'yes' is none of"),
        ({"low": "0.6"}, r"low 0\.6 is above high 0\.5"),
        ({"value": "some"}, "value 'some' is not a number"),
        ({"value": "nan"}, "value must be a number"),
        ({"value": "", "low": "", "high": ""}, "neither a value nor a band"),
        ({"source": ""}, "source is empty"),
        ({"id": "T-1"}, "'T-1' stands in the table twice"),
        ({"scenario": "melflufen/nowhere"}, "no scenario or file is called 'melflufen/nowhere'"),
        ({"scenario": ""}, "stand together"),
        ({"scenario": "", "endpoint": ""}, "its note must say why"),
        ({"endpoint": "none.at2 /"}, "is not an expression"),
        ({"endpoint": "none.at3"}, "unknown name 'none.at3': did you mean"),
        ({"endpoint": "none.kind"}, "is a label, not a number"),
        ({"unit": "h"}, "cannot be converted to 'h'"),
        ({"unit": "spoons"}, "'spoons' is not a known unit"),
    ],
)
def test_a_fault_in_the_table_has_its_line(
    folder: Path, change: dict[str, str], message: str
) -> None:
    _observe(folder, {}, change)
    with pytest.raises(ModelError, match=rf"observations\.tsv:3: .*{message}"):
        validate(folder)


def test_a_single_file_has_no_observations(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"decay\.ant: a single file has no observations"):
        validate(folder / "decay.ant")


def test_a_folder_without_a_table_says_which_file_is_missing(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"observations\.tsv: cannot be read"):
        validate(folder)


@pytest.mark.parametrize("name", models())
def test_the_observations_and_claims_of_every_shipped_model_are_sound(name: str) -> None:
    assert read_observations(find_model(name))
    assert read_claims(find_model(name))


CLAIM = """\
- id: T-C1
  claim: it decays
  document: a booklet
  verdict: supported
  because: it does
  sources: [Nobody 1999]
  in_model: reaction loss
"""


def test_claims_are_read(tmp_path: Path) -> None:
    assert read_claims(tmp_path) == []
    (tmp_path / "claims.yaml").write_text(CLAIM)
    [claim] = read_claims(tmp_path)
    assert (claim.id, claim.verdict, claim.sources) == ("T-C1", "supported", ("Nobody 1999",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("verdict: supported", "verdict: true", r"claims\.yaml:4: .*must be a text"),
        ("verdict: supported", "verdict: proven", r"claims\.yaml:4: .*'proven' is none of"),
        ("because:", "becuase:", r"claims\.yaml:5: .*unknown key 'becuase': did you mean"),
        ("  because: it does\n", "", r"claims\.yaml:1: .*has no 'because'"),
        ("[Nobody 1999]", "Nobody 1999", r"claims\.yaml:6: .*a list of texts"),
        ("- id", "- 5\n- id", r"claims\.yaml:1: .*a claim has id"),
        ("  in_model: reaction loss\n", f"  in_model: x\n{CLAIM}", r"claims\.yaml:8: .*twice"),
    ],
)
def test_a_fault_in_the_claims_has_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in CLAIM
    (tmp_path / "claims.yaml").write_text(CLAIM.replace(old, new))
    with pytest.raises(ModelError, match=message):
        read_claims(tmp_path)
