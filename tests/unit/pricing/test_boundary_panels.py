"""Which contracts share the boundaries of a panel: those alike, and no others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optionchain.pricing.boundary_panels import _groups

KEYS = st.tuples(
    st.sampled_from([0.01, 0.02, 0.05]),
    st.sampled_from([0.0, 0.03]),
    st.integers(-3, 3),
    st.integers(-5, 5) | st.integers(-1000, 1000),
)


@given(st.lists(KEYS, min_size=1, max_size=40))
def test_contracts_are_in_one_group_exactly_where_all_is_the_same(
    keys: list[tuple[float, float, int, int]],
) -> None:
    rates, yields, horizons, steps = (np.array(each) for each in zip(*keys, strict=True))

    which, firsts = _groups((rates, yields), (horizons, steps))

    assert len({*zip(keys, which.tolist(), strict=True)}) == len({*keys}) == len({*which.tolist()})
    assert which[firsts].tolist() == list(range(firsts.size))
