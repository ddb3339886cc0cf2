"""The table of what is saved names every collection that an adapter names."""

from __future__ import annotations

import re
from pathlib import Path

from cluster.backup.contents import DOCUMENTS, HISTORY, NOT_SAVED

ADAPTERS = Path(__file__).resolve().parents[3] / "adapters"
NAMED = (
    r'get_collection\(\s*"(\w+)"',
    r'agreed\(\w+, \w+, "(\w+)"\)',
    r'database\]\["(\w+)"\]',
    r'^COLLECTION = "(\w+)"',
    r'RevisionedSets\(\s*self\._database, "(\w+)"',
)


def test_every_collection_of_an_adapter_is_saved_or_said_not_to_be() -> None:
    texts = [path.read_text("utf-8") for path in ADAPTERS.rglob("*.py")]
    named = {name for text in texts for form in NAMED for name in re.findall(form, text, flags=re.MULTILINE)}

    assert named >= {
        "audit",
        "api_keys",
        "configurations",
        "denied_tokens",
        "sweeps",
        "simulation_results",
        "tasks",
        *HISTORY,
    }
    assert named <= {*DOCUMENTS, *HISTORY, *NOT_SAVED}
