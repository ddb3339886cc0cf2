"""Sweeps as callers describe them in JSON."""

from __future__ import annotations

BASE = {
    "symbol": "SPX",
    "steps": 31,
    "initial_price": 100.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.03,
    "method": {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.03, "volatility": 0.2}},
    "chain_size": 20,
    "strike_interval": 1.0,
    "skew_slope": 0.0,
    "smile_curve": 0.0,
    "seed": 7,
    "start_at": "2026-01-05T21:00:00Z",
}


DOCUMENT = {
    "base": BASE,
    "grid": {"volatility": [0.1, 0.3], "method.drift": {"from": 0.0, "to": 0.2, "points": 3}},
    "measures": ["terminal_price", {"short_strangle": {"delta": 0.16, "days": 30}}],
    "paths": 200,
}


SMALL = {**DOCUMENT, "measures": ["terminal_price"], "paths": 20}
