"""Ctrl-C and SIGTERM as an exception, wherever the command line is."""

from __future__ import annotations


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. Not a KeyboardInterrupt, of which Typer makes an exit without a word."""
