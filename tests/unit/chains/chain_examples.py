"""Chains for the tests."""

from datetime import UTC, datetime, timedelta

from optionchain.chains import build_chain
from optionchain.expirations import Expiration

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def expiring(*days, labels=("weeklies",)):
    return [Expiration(expires_at=NOW + timedelta(days=count), labels=labels) for count in days]


def chain(days=(30,), **changes):
    terms = {
        "symbol": "ACME",
        "quote_time": NOW,
        "spot": 100.0,
        "base_volatility": 0.2,
        "expirations": expiring(*days),
        "chain_size": 10,
        "strike_interval": 1.0,
        "risk_free_rate": 0.05,
        "dividend_yield": 0.02,
    }
    return build_chain(**{**terms, **changes})
