"""Which actor holds a session."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from actors.sessions.placement import PerSession, Shards, parse_placement
from optionchain.errors import InvalidInput

SESSION_ID = "6af613b6-569c-5c22-9c37-2ed93f31d3af"


def test_a_shard_never_changes_from_one_release_to_the_next() -> None:
    # Pinned: another hash would move running sessions to other actors in a rolling upgrade.
    assert Shards(2).actor_name(SESSION_ID) == "sessions-0"
    assert Shards(16).actor_name(SESSION_ID) == "sessions-4"
    assert Shards(1024).actor_name("00000000-0000-4000-8000-000000000000") == "sessions-535"


def test_every_session_falls_on_one_of_the_shards() -> None:
    names = {Shards(3).actor_name(str(number)) for number in range(100)}

    assert names == set(Shards(3).actor_names()) == {"sessions-0", "sessions-1", "sessions-2"}


def test_shards_hold_about_the_same_number_of_sessions() -> None:
    ids = (str(uuid.UUID(int=number * 2**61 % 2**128, version=4)) for number in range(8000))

    counts = Counter(Shards(8).actor_name(session_id) for session_id in ids)

    # 1000 each on average, with a standard deviation of 30.
    assert all(850 < count < 1150 for count in counts.values())


def test_per_session_placement_gives_each_session_an_actor() -> None:
    assert PerSession().actor_name(SESSION_ID) == f"session-{SESSION_ID}"


@pytest.mark.parametrize(
    ("text", "placement"),
    [("shards:1", Shards(1)), ("shards:1024", Shards(1024)), ("per-session", PerSession())],
)
def test_a_placement_is_read_from_text(text: str, placement: object) -> None:
    assert parse_placement(text) == placement


@pytest.mark.parametrize(
    "text", ["", "shards", "shards:0", "shards:1025", "shards:-1", "shards:2 ", "per_session"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"shards:N.*per-session"):
        parse_placement(text)
