"""Sessions: the actor that hosts them, the way to it, and what travels between."""
