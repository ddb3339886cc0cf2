"""Metrics: the table of them, what a process sums up of them, and how that comes to Prometheus."""
