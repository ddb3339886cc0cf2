"""Places that callers share: who has some gets one more only while more are free than it has."""

from __future__ import annotations

import pytest

from actors.places import Places
from optionchain.errors import Overloaded


def most_for(places: Places, owner: str) -> int:
    """How many more an owner is given."""
    given = 0
    while True:
        try:
            places.take(owner)
        except Overloaded:
            return given
        given += 1


def test_each_who_asks_for_many_gets_half_of_what_is_left() -> None:
    places = Places("the service", 16)

    assert [most_for(places, owner) for owner in ("anna", "bert", "cleo", "dora", "emil")] == [8, 4, 2, 1, 1]
    assert places.taken == 16
    with pytest.raises(Overloaded, match="the service"):
        places.take("fred")


def test_a_place_that_is_given_back_is_anybodys() -> None:
    places = Places("the service", 3)
    for owner in ("anna", "anna", "bert"):
        places.take(owner)

    places.give_back("anna")

    assert places.taken == 2
    places.take("cleo")
    with pytest.raises(Overloaded):
        places.take("anna")


def test_who_has_given_all_back_begins_anew() -> None:
    places = Places("the service", 4)

    for _ in range(3):
        assert most_for(places, "anna") == 2
        for _ in range(2):
            places.give_back("anna")
        assert places.taken == 0
