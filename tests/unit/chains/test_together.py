"""Chains of unrelated markets, priced together, are each alone, to the bit."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.chains import ChainTerms, OptionChain, build_chain, build_chains
from optionchain.errors import InvalidInput
from tests.unit.chains.chain_examples import NOW, expiring

TERMS = ChainTerms(
    symbol="ACME",
    quote_time=NOW,
    spot=100.0,
    base_volatility=0.2,
    expirations=tuple(expiring(30)),
    chain_size=5,
    strike_interval=None,
    skew_slope=-0.2,
    smile_curve=0.4,
    spread=0.01,
    risk_free_rate=0.05,
    dividend_yield=0.02,
)
NUMBERS = {
    "spot": st.floats(1e-6, 1e6),
    "base_volatility": st.floats(0.0, 5.0),
    "strike_interval": st.none() | st.sampled_from([0.01, 0.1, 0.25, 2.5, 50.0, 1000.0]),
    "skew_slope": st.floats(-3, 3),
    "smile_curve": st.floats(-3, 3),
    "spread": st.floats(0, 10),
    "risk_free_rate": st.just(0.0) | st.floats(-1, 1),
    "dividend_yield": st.just(0.0) | st.floats(0, 1),
    "chain_size": st.sampled_from([0, 1, 7]),
    "expirations": st.lists(st.floats(0, 1000), max_size=4, unique=True).map(
        lambda days: tuple(expiring(*sorted(days)))
    ),
}


def content(chain: OptionChain) -> list[object]:
    values = [getattr(chain, name) for name in OptionChain.__slots__]
    return [value.tobytes() if isinstance(value, np.ndarray) else value for value in values]


def alone(terms: ChainTerms) -> OptionChain:
    return build_chain(**{field.name: getattr(terms, field.name) for field in fields(terms)})


@given(st.lists(st.builds(replace, st.just(TERMS), **NUMBERS), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_each_chain_is_the_one_that_it_is_alone(terms: list[ChainTerms]) -> None:
    chains = build_chains(terms)

    assert [content(chain) for chain in chains] == [content(alone(each)) for each in terms]


def test_chains_may_expire_at_the_moment_that_they_are_quoted() -> None:
    expiring_now = replace(TERMS, quote_time=NOW + timedelta(days=30))

    together = build_chains([expiring_now, TERMS])

    assert [content(chain) for chain in together] == [content(alone(expiring_now)), content(alone(TERMS))]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quote_time": NOW + timedelta(days=31)}, "expirations"),
        ({"strike_interval": 1e-6, "spot": 1e11}, "strike_interval"),
        ({"strike_interval": 1e12, "spot": 1e12, "chain_size": 20}, "strike_interval"),
        ({"risk_free_rate": -10.0, "expirations": tuple(expiring(2000)), "spot": 1e6}, "risk_free_rate"),
        ({"risk_free_rate": 10.0, "expirations": tuple(expiring(4000))}, "risk_free_rate"),
        ({"dividend_yield": 10.0, "expirations": tuple(expiring(4000))}, "dividend_yield"),
    ],
)
def test_what_is_refused_alone_is_refused_in_company_by_the_same_name(
    changes: dict[str, object], field: str
) -> None:
    wrong = replace(TERMS, **changes)  # type: ignore[arg-type]

    with pytest.raises(InvalidInput) as by_itself:
        alone(wrong)
    with pytest.raises(InvalidInput) as in_company:
        build_chains([TERMS, wrong, TERMS])

    assert in_company.value.args == by_itself.value.args
    assert by_itself.value.field == field
