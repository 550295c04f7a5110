"""Claims of the vendor text on belantamab mafodotin: verdicts, arithmetic, and what stands for each."""

from __future__ import annotations

import re

import pytest

from myelode.claims import Claim, read_claims, violations
from myelode.errors import ModelError
from myelode.files import read_yaml
from myelode.library import find_model, scenarios
from myelode.trials import read_trials

FOLDER = find_model("belantamab")
CLAIMS = {claim.id: claim for claim in read_claims(FOLDER)}
SCENARIOS = {name.split("/")[1] for name in scenarios() if name.startswith("belantamab/")}
NAME = re.compile(r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b")
ONE_WORD = ("efflux", "tubulin", "lysosome", "internalisation", "survival", "proliferation", "adcc",
            "inoculum")  # fmt: skip

# Words of a claim, and what must be said of it.
VERDICTS = [
    ("GSK-2401502", "contradicted"),
    ("biallelic loss", "contested"),
    ("(association)", "contested"),
    ("do(sBCMA)", "contested"),
    ("damages DNA", "contradicted"),
    ("DNA repair", "unsupported"),
    ("rare cause", "supported"),
    ("pump MMAF out", "contested"),
    ("suggests that MMAF is a substrate", "contested"),
    ("13C-MMAF", "contradicted"),
    ("protein-bound payload", "contradicted"),
    ("DREAMM-2, 2.5 mg/kg: response rate 32%", "supported"),
    ("DREAMM-2, 3.4 mg/kg: median overall survival 14.0 months", "supported"),
    ("DREAMM-7: the response rate is not reported", "contradicted"),
    ("DREAMM-8: response rate 71%", "contradicted"),
    ("DREAMM-8: median progression-free survival not reached", "contested"),
    ("Numbers 1 to 11 in brackets", "unsupported"),
]


def _claim(words: str) -> Claim:
    [found] = [claim for claim in CLAIMS.values() if words in claim.claim]
    return found


def test_claims_are_numbered_in_the_order_of_the_text() -> None:
    assert list(CLAIMS) == [f"BELA-C{number:02d}" for number in range(1, len(CLAIMS) + 1)]


@pytest.mark.parametrize(("words", "verdict"), VERDICTS)
def test_verdicts(words: str, verdict: str) -> None:
    assert _claim(words).verdict == verdict


def test_numbers_that_contradict_themselves_or_the_record_are_found() -> None:
    found = list(violations(CLAIMS.values()))
    [response] = [line for line in found if "response_rate" in line]
    assert "stated = 71 %, response_rate = 77 %" in response
    for words in ("3.4 mg/kg: 25%", "ELISA and its", "13C-MMAF", "Numbers 1 to 11"):
        assert any(line.startswith(_claim(words).id) for line in found), words
    assert len(found) == 5


def test_what_the_document_calls_a_response_rate_is_the_landmark_survival() -> None:
    claim = _claim("DREAMM-8: response rate 71%")
    assert [condition.holds for condition in claim.must_hold] == [False, True]
    numbers = {
        (row.trial, row.arm, row.measure): row.value for row in read_trials(FOLDER)
    }  # fmt: skip
    published = claim.records["response_rate"], claim.records["PFS_12_months"]
    assert [record.value for record in published] == [
        numbers["DREAMM-8", "BPd", "ORR"], numbers["DREAMM-8", "BPd", "PFS_at_12_months"],
    ]  # fmt: skip


def test_association_and_effect_of_soluble_bcma_are_two_claims() -> None:
    assert "decoy_burden" in _claim("(association)").in_model
    assert "decoy_do_sbcma" in _claim("do(sBCMA)").in_model


def test_dna_repair_is_named_with_its_scenario() -> None:
    assert "exactly no effect" in _claim("DNA repair").in_model


def test_whatever_stands_for_a_claim_exists() -> None:
    known = SCENARIOS | set(_perturbations()) | _words_of_the_model()
    said = {name for claim in CLAIMS.values() for name in NAME.findall(claim.in_model)}
    assert said - known == set()
    assert set(ONE_WORD) <= SCENARIOS


def _perturbations() -> dict[str, object]:
    return dict(read_yaml(FOLDER / "perturbations.yaml", ModelError).data)


def _words_of_the_model() -> set[str]:
    """Names in the reactions, and measures of trials."""
    text = "".join(path.read_text() for path in FOLDER.glob("*.ant"))
    return set(NAME.findall(text)) | {row.measure for row in read_trials(FOLDER)}
