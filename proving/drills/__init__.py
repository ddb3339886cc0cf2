"""Drills: something is really lost, on an instance of its own and under load, and brought back as its runbook says."""
