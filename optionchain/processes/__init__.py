"""Building blocks of market models: transitions of stochastic processes, and recursions over steps."""
