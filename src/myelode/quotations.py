"""What documents claim of two agents together, where a combination of a scenario names a claim.

The words and the verdict travel with the result, in an attribute, so that a stored one has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from myelode.claims import Claim, read_claims
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model
from myelode.scenario import Scenario

ATTRIBUTE = "claims"
"""The key of the attributes of a result."""
CLAIMED = ("claim", "says", "verdict")
"""What stands there of each claim: its id, the document's words, and our verdict."""


def claims_of(scenario: Scenario, model: Model) -> dict[str, Claim]:
    """The claims that the combinations of a scenario name, by their id.

    Raises ScenarioError with the place of an id that the model's `claims.yaml` does not have.
    """
    wanted = {name: item.claim for name, item in scenario.combinations.items() if item.claim}
    read = read_claims(model.folder) if wanted and model.folder else []
    known = {claim.id: claim for claim in read}
    for name, claim in wanted.items():
        if claim not in known:
            with scenario.at("combinations", name, "claim"):
                hint = best_matches(claim, known) if known else ", which has no claims.yaml"
                raise ScenarioError(f"unknown claim {claim!r} of model {model.name}{hint}")
    return {claim: known[claim] for claim in wanted.values()}


def quoted(claims: Mapping[str, Claim]) -> dict[str, str]:
    """The attribute of a result; none where no claim is named."""
    words = {
        name: {"claim": name, "says": claim.says, "verdict": claim.verdict}
        for name, claim in claims.items()
    }
    return {ATTRIBUTE: json.dumps(words)} if words else {}


def quotations_in(attributes: Mapping[Any, Any]) -> dict[str, dict[str, str]]:
    """What the attributes of a result say of each claim that it names, without what is empty."""
    found: dict[str, dict[str, str]] = json.loads(str(attributes.get(ATTRIBUTE, "{}")))
    return {
        name: {key: words[key] for key in CLAIMED if words.get(key)}
        for name, words in found.items()
    }
