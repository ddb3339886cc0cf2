"""Tasks: the registry of their kinds, what each kind does, and the workers that do it."""
