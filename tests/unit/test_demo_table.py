"""The first chain that a new user sees."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from cluster.commands.demo import around_the_money, show_chain


def chain(price: float, strikes: range) -> dict[str, Any]:
    quote = {"bid": 1234.5, "ask": 1234.51, "mid": 1234.505, "delta": 0.5}
    contracts = [
        {
            "strike": float(strike),
            "expiration": "2026-02-04T00:00:00Z",
            "call": quote,
            "put": quote | {"delta": -0.5},
            "implied_volatility": 0.2051,
        }
        for strike in strikes
    ]
    return {
        "underlying": "SPX",
        "timestamp": "2026-01-05T00:00:00Z",
        "price": price,
        "contracts": contracts,
        "session_info": {"id": "s", "current_step": 1, "total_steps": 30},
    }


def shown(some: dict[str, Any], width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        show_chain(console, some)
    return capture.get()


def test_the_table_shows_both_sides_of_the_strikes_around_the_money() -> None:
    text = shown(chain(5003.2, range(4500, 5600, 25)))

    assert "SPX 5,003.20" in text
    assert "expiring 2026-02-04T00:00:00Z" in text
    assert "step 1 of 30" in text
    assert text.count("1,234.50") == 2 * 11
    assert "20.51%" in text
    assert "-0.500" in text


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    assert all(len(line) <= 80 for line in shown(chain(5003.2, range(4500, 5600, 25)), width=80).splitlines())


def test_the_money_is_in_the_middle_of_what_is_shown() -> None:
    strikes = [contract["strike"] for contract in around_the_money(chain(5003.2, range(4500, 5600, 25)))]

    assert strikes == [float(strike) for strike in range(4875, 5150, 25)]


def test_a_ladder_that_is_short_or_far_away_is_shown_as_far_as_it_goes() -> None:
    assert len(around_the_money(chain(5000.0, range(5000, 5001)))) == 1
    assert [c["strike"] for c in around_the_money(chain(10_000.0, range(100, 200, 10)))][-1] == 190.0
