"""These tests take Redis itself."""

from __future__ import annotations

import pytest

from tests.servers import needs_redis


@pytest.fixture(scope="session", autouse=True)
def _redis() -> None:
    needs_redis()
