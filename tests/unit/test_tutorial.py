"""The tutorial's code runs, prints what the text says, and draws the pictures that the text shows."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the pictures need matplotlib").use("Agg")

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "make_tutorial.py"


@pytest.fixture(scope="module")
def tutorial():
    spec = importlib.util.spec_from_file_location("make_tutorial", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module of a class
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_code_prints_what_the_text_says_and_draws_its_pictures(tutorial):
    from matplotlib import pyplot

    names = {}

    for part in tutorial.parts(tutorial.TUTORIAL.read_text(encoding="utf-8")):
        if isinstance(part, tutorial.Code):
            assert part.run(names) == part.output
        else:
            part.draw(names).canvas.draw()
            pyplot.close("all")


def test_every_picture_is_there_and_small(tutorial):
    parts = tutorial.parts(tutorial.TUTORIAL.read_text(encoding="utf-8"))
    pictures = [part for part in parts if isinstance(part, tutorial.Picture)]

    assert {picture.path.stem for picture in pictures} == set(tutorial.PICTURES)
    assert all(picture.path.stat().st_size < 200_000 for picture in pictures)
