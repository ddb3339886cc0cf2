"""The JSON of a chain: the fields of the HTTP interface, with exactly the chain's numbers."""

import json
from datetime import UTC, datetime

import pytest

from optionchain.chains import build_chain
from optionchain.expirations import Expiration
from optionchain.wire.contracts import v1_contracts, v2_chains
from tests.unit.chains.chain_examples import chain

FIRST = ("theta", "vega", "rho", "rho_d")
ALL = ("delta", "gamma", *FIRST, "alpha", "vanna", "vomma", "veta", "charm", "color")
ATTRIBUTES = {"rho_d": "dividend_rho"}


def number_of(chain, row, side, label):
    """A greek of a side, whether or not it is that of both."""
    name = ATTRIBUTES.get(label, label)
    numbers = getattr(chain, f"{side}_{name}", None)
    if numbers is None:
        numbers = getattr(chain, name)
    return (numbers() if callable(numbers) else numbers)[row]


def expected_contract(chain, row, greeks, expiration=None):
    """The same, field by field, the slow way."""
    contract = {"strike": chain.strikes[row]}
    if expiration:
        contract["expiration"] = expiration
    for side in ("call", "put"):
        contract[side] = {
            field: getattr(chain, f"{side}_{field}")[row] for field in ("bid", "ask", "mid", "delta")
        }
        shown = {"none": (), "first": FIRST, "all": ALL}[greeks]
        if shown:
            contract[side]["greeks"] = {label: number_of(chain, row, side, label) for label in shown}
    return contract | {"implied_volatility": chain.implied_volatilities[row], "gamma": chain.gamma[row]}


@pytest.mark.parametrize("greeks", ["none", "first", "all"])
def test_v1_contracts_are_the_chain_exactly_and_in_order(greeks):
    one = chain(days=(30,))

    contracts = json.loads(v1_contracts(one, greeks))

    expiration = "2026-02-04T14:30:00Z"
    expected = [expected_contract(one, row, greeks, expiration) for row in range(21)]
    assert contracts == expected
    assert json.dumps(contracts) == json.dumps(expected)  # in the same order of fields, too


@pytest.mark.parametrize("greeks", ["none", "first", "all"])
def test_v2_chains_carry_their_expiration_once(greeks):
    several = chain(days=(0.3125, 30, 365), strike_interval=None, base_volatility=0.1)

    chains = json.loads(v2_chains(several, greeks))

    assert [list(each) for each in chains] == [
        ["expires_at", "days_to_expiration", "labels", "contracts"]
    ] * 3
    assert [each["expires_at"] for each in chains] == [
        "2026-01-05T22:00:00Z",
        "2026-02-04T14:30:00Z",
        "2027-01-05T14:30:00Z",
    ]
    assert [each["days_to_expiration"] for each in chains] == [0.3125, 30.0, 365.0]
    assert all(each["labels"] == ["weeklies"] for each in chains)
    contracts = [contract for each in chains for contract in each["contracts"]]
    assert contracts == [expected_contract(several, row, greeks) for row in range(63)]


def test_delta_and_gamma_are_the_greeks_shown_unless_asked():
    one = chain()

    assert v1_contracts(one) == v1_contracts(one, "none")
    assert b"greeks" not in v1_contracts(one)


def test_alpha_is_null_where_theta_is_zero():
    contracts = json.loads(v1_contracts(chain(days=(0,)), "all"))

    assert {contract[side]["greeks"]["alpha"] for contract in contracts for side in ("call", "put")} == {None}
    assert {contract["call"]["greeks"]["theta"] for contract in contracts} == {0.0}


def test_empty_chains_are_empty_arrays():
    no_strikes = chain(days=(7, 30), spot=0.2, chain_size=0)

    assert [each["contracts"] for each in json.loads(v2_chains(no_strikes))] == [[], []]
    assert v2_chains(chain(days=())) == b"[]"
    assert v1_contracts(chain(days=(7,), spot=0.2, chain_size=0)) == b"[]"


def test_expirations_with_and_without_strikes_stay_apart():
    # Far out the chosen interval is so wide that no strike is near this spot.
    mixed = chain(days=(1, 4000, 2, 4001), spot=0.05, chain_size=0, base_volatility=5.0, strike_interval=None)

    sizes = [len(each["contracts"]) for each in json.loads(v2_chains(mixed))]

    assert sizes == [stop - start for start, stop in zip(mixed.offsets, mixed.offsets[1:], strict=False)]
    assert 0 in sizes
    assert 1 in sizes


def test_labels_may_hold_any_text():
    labels = ('quote"', "back\\slash", "line\nbreak")
    odd = build_chain(
        symbol="ACME",
        quote_time=datetime(2026, 1, 5, tzinfo=UTC),
        spot=100.0,
        base_volatility=0.2,
        expirations=[Expiration(expires_at=datetime(2026, 2, 5, tzinfo=UTC), labels=labels)],
        chain_size=1,
    )

    [only] = json.loads(v2_chains(odd))

    assert only["labels"] == sorted(labels)


def test_v1_has_exactly_one_expiration():
    with pytest.raises(ValueError, match="unpack"):
        v1_contracts(chain(days=(7, 30)))


def test_no_mark_is_left():
    text = v2_chains(chain(days=(7, 30)), "all")

    assert min(text) >= ord(" ")
