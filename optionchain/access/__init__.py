"""Who may do what, how much of it, and what of it is on record."""
