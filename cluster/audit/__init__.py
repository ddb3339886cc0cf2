"""Who did what, on record."""
