"""Frames on a direct line: found whole however they are cut, and refused by their heads when they are too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.line.frames import HEAD_BYTES, SMALL_BYTES, BadFrame, Frame, Frames, pieces

MAX_BYTES = 300

frames = st.builds(Frame, st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=40))


@given(sent=st.lists(frames, max_size=8), sizes=st.lists(st.integers(1, 60), min_size=1))
def test_what_is_sent_arrives_however_it_is_cut(sent: list[Frame], sizes: list[int]) -> None:
    data = b"".join(piece for frame in sent for piece in pieces(frame))
    receiver, found = Frames(MAX_BYTES), list[Frame]()

    position = 0
    while position < len(data):
        size = sizes[position % len(sizes)]
        found += receiver.fed(data[position : position + size])
        position += size

    assert found == sent


@given(frame=frames)
def test_a_frame_is_complete_with_its_last_byte_and_not_before(frame: Frame) -> None:
    data = b"".join(pieces(frame))
    receiver = Frames(MAX_BYTES)

    assert [receiver.fed(data[at : at + 1]) for at in range(len(data) - 1)] == [[]] * (len(data) - 1)
    assert receiver.fed(data[-1:]) == [frame]


@pytest.mark.parametrize("cut", [0, 1, HEAD_BYTES - 1, HEAD_BYTES])
def test_one_that_is_too_long_is_refused_by_its_head(cut: int) -> None:
    head = b"".join(pieces(Frame(1, 0, b"x" * (MAX_BYTES + 1))))[:HEAD_BYTES]
    receiver = Frames(MAX_BYTES)

    with pytest.raises(BadFrame, match="a message of 301 bytes: at most 300 are read"):
        assert receiver.fed(head[:cut]) == receiver.fed(head[cut:]) == []


def test_the_longest_that_may_be_is_read() -> None:
    frame = Frame(7, 3, b"x" * MAX_BYTES)

    assert Frames(MAX_BYTES).fed(b"".join(pieces(frame))) == [frame]


def test_a_small_frame_is_sent_in_one_piece_and_a_large_one_is_not_copied() -> None:
    small, large = b"x" * SMALL_BYTES, b"x" * (SMALL_BYTES + 1)

    assert len(pieces(Frame(1, 0, small))) == 1
    assert [len(piece) for piece in pieces(Frame(1, 0, large))] == [HEAD_BYTES, len(large)]
    assert pieces(Frame(1, 0, large))[1] is large
