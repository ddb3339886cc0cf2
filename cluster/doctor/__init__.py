"""Examines an installation: ``optionchain doctor``."""
