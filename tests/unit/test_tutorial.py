"""The tutorial's code runs, prints what the text says, and draws the pictures that the text shows."""

import pytest


@pytest.fixture(scope="module")
def tutorial():
    pytest.importorskip("matplotlib", reason="the pictures need matplotlib").use("Agg")
    import make_tutorial

    return make_tutorial


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
