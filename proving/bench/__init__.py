"""Benchmarks that anyone can repeat: ``optionchain bench NAME [--json]``. Each measures its ratios in one run."""
