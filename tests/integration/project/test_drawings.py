"""The pictures that are made from text are those that the repository holds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
SOURCES = sorted((DOCS / "drawings").glob("*.d2"))


@pytest.fixture(scope="module")
def drawings():
    spec = importlib.util.spec_from_file_location("make_drawings", DOCS / "make_drawings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_picture_is_its_drawing(drawings, source):
    assert drawings.picture_of(source).read_bytes() == drawings.draw(source), (
        "run `python docs/make_drawings.py`"
    )


def test_every_drawing_is_shown():
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))

    assert len(SOURCES) >= 2
    assert all(f"(images/{source.stem}.svg)" in pages for source in SOURCES)
