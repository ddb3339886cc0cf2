"""The pictures that are made from text are those that the repository holds."""

from __future__ import annotations

from pathlib import Path

import make_drawings
import pytest

DOCS = Path(make_drawings.__file__).parent
SOURCES = sorted(make_drawings.DRAWINGS.glob("*.d2"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_picture_is_its_drawing(source):
    assert make_drawings.picture_of(source).read_bytes() == make_drawings.draw(source), (
        "run `python docs/make_drawings.py`"
    )


def test_every_drawing_is_shown():
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))

    assert len(SOURCES) >= 2
    assert all(f"(images/{source.stem}.svg)" in pages for source in SOURCES)
