"""Black-Scholes-Merton prices and greeks, and the volatility that a price implies."""

from optionchain.pricing.black_scholes import SideValuation, Valuation, black_scholes
from optionchain.pricing.implied_volatility import implied_volatility

__all__ = ["SideValuation", "Valuation", "black_scholes", "implied_volatility"]
