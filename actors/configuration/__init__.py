"""Configurations, shared: one actor that hears of every change, and what a replica knows of them."""
