"""The golden vectors, where the checkout has them beside it."""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden" / "reference-vectors.json"


@pytest.fixture(scope="session")
def golden():
    if not GOLDEN.exists():
        pytest.skip("the golden vectors are not beside this checkout")
    return {vector["name"]: vector for vector in json.loads(GOLDEN.read_text())}
