"""A number of replicas, or the bounds of one, as the settings have it."""

from __future__ import annotations

import pytest

from cluster.scale import Scale, parse_scale
from cluster.settings import Settings


@pytest.mark.parametrize(
    ("text", "scale", "is_fixed"),
    [("1", Scale(1, 1), True), ("3:3", Scale(3, 3), True), ("2:1000", Scale(2, 1000), False)],
)
def test_a_scale_is_a_number_or_two(text: str, scale: Scale, is_fixed: bool) -> None:
    assert parse_scale(text) == scale
    assert scale.is_fixed is is_fixed


def test_a_number_may_be_given_as_one() -> None:
    assert Settings(http={"replicas": 3}).http.scale == Scale(3, 3)
