"""The routes, a module each, and what they share."""
