"""Logs and traces of a process, and which observers it has; metrics are a folder of their own."""
