"""A direct line to an actor: what travels over a socket of its own instead of Ray, which still says where it is."""
