"""Prices and greeks of European, American and Bermudan options, and the volatility that a price implies."""

from optionchain.pricing.american import AmericanValuation, american
from optionchain.pricing.american_implied_volatility import american_implied_volatility
from optionchain.pricing.bermudan import bermudan
from optionchain.pricing.black_scholes import SideValuation, Valuation, black_scholes
from optionchain.pricing.implied_volatility import implied_volatility

__all__ = [
    "AmericanValuation",
    "SideValuation",
    "Valuation",
    "american",
    "american_implied_volatility",
    "bermudan",
    "black_scholes",
    "implied_volatility",
]
