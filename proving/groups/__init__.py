"""Stores that take the place of one another, in processes on this machine: for drills and tests."""
