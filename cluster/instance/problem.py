"""What is told to the user of an instance that cannot be started, found or stopped."""

from __future__ import annotations


class InstanceProblem(Exception):
    """The instance cannot be started or found; the message says what to do."""
