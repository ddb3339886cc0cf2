"""Several machines on one: what is lost with a whole node can be lost here for real."""
