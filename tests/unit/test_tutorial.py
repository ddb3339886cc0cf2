"""The tutorial's code runs, prints what the text says, and draws the pictures that the text shows."""

import make_tutorial as tutorial


def test_the_code_prints_what_the_text_says_and_draws_its_pictures():
    names = {}

    for part in tutorial.parts(tutorial.TUTORIAL.read_text(encoding="utf-8")):
        if isinstance(part, tutorial.Code):
            assert part.run(names) == part.output
        else:
            assert any(len(trace.x) > 1 for trace in part.draw(names).data)


def test_every_picture_is_there_and_small():
    parts = tutorial.parts(tutorial.TUTORIAL.read_text(encoding="utf-8"))
    pictures = [part for part in parts if isinstance(part, tutorial.Picture)]

    assert {picture.path.stem for picture in pictures} == set(tutorial.PICTURES)
    assert all(picture.path.stat().st_size < 200_000 for picture in pictures)
