"""The JSON Schema that ships for editors is the schema that the program uses."""

from __future__ import annotations

import json

from myelode import library
from myelode.scenario import json_schema

SHIPPED = library.data_root() / "scenarios" / "scenario.schema.json"
RENEW = "renew it: json.dumps(myelode.scenario.json_schema(), indent=1, ensure_ascii=False)"


def test_the_shipped_schema_is_current() -> None:
    assert json.loads(SHIPPED.read_text("utf-8")) == json_schema(), RENEW


def test_the_schema_knows_every_key_and_allows_no_other() -> None:
    schema = json_schema()
    assert {"id", "model", "perturbations", "regimen", "observe"} <= schema["properties"].keys()
    assert not schema["additionalProperties"]
    assert not any(part.get("additionalProperties", True) is True
                   for part in schema["$defs"].values() if "properties" in part)  # fmt: skip


def test_the_schema_is_no_scenario() -> None:
    assert not any("schema" in name for name in library.scenarios())
