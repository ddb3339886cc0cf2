"""Sentinels are tested with the settings that the page gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proving.groups.sentinel_group import REDIS_LINES, SENTINEL_LINES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


@pytest.mark.parametrize(("kind", "lines"), [("redis", REDIS_LINES), ("sentinel", SENTINEL_LINES)])
def test_the_page_gives_the_settings_that_are_tested(kind: str, lines: tuple[str, ...]) -> None:
    given = re.search(rf"```ini\n# {kind}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    assert given
    assert tuple(given[1].splitlines()) == lines
