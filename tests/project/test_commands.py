"""The commands that a newcomer copies are the ones that are run here."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e "
RUN = ENVIRONMENT + "'.[all]' && .venv/bin/myelode run gamma_h2ax_washout --plot gamma_h2ax.png"
TEST = ENVIRONMENT + "'.[all,test,docs]' && .venv/bin/python -m pytest -n auto"


def _lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("command", [RUN, TEST])
@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_a_document_gives_the_command_as_one_line(document: str, command: str) -> None:
    assert command in _lines(document)


def test_the_continuous_integration_runs_the_command_of_the_readme() -> None:
    assert TEST in _lines(".ci/run")
