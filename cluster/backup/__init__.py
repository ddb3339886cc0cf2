"""Copies of all that is stored, proven to come back: made, listed, verified, restored and pruned."""
