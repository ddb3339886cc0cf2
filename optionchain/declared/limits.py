"""The ceilings of prices, each wider than the one before it, and why each stands where it does."""

HIGHEST_GIVEN = 1e9
"""Of a price, an interval or a bid-ask spread that a caller gives: above any market's, in any currency."""

HIGHEST_PATH = 1e12
"""Of a price on a path, and of a spot to build a chain on: a thousand times what a path may start from."""

HIGHEST_QUOTED = 1e13
"""Of a strike or an option: up to here a float tells whole cents apart, with room to spare for half a spread."""

WIDEST_PRICED = 1e100
"""Of what `black_scholes` takes, and its inverse the least: no intermediate result of a formula overflows."""

MOST_GROWTH = 100.0
"""Of a rate times the years: what is discounted by e to this power is still a number with all its digits."""
