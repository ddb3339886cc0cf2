"""Wiring, placement, the command line, and what sweeps use of a cluster."""
