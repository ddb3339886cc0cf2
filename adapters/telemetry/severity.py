"""How much something that happened matters: what the log leaves out, and which failures are counted."""

from __future__ import annotations

import asyncio
from enum import IntEnum

from optionchain.errors import Defect, OptionChainError, Unavailable


class Severity(IntEnum):
    """How much of what happens is told."""

    DEBUG = 10
    """Everything that ends, and every refusal."""
    INFO = 20
    """What an operator may want to know; nothing of a request that went well."""
    WARNING = 30
    """A dependency does not answer."""
    ERROR = 40
    """A bug of ours, with its traceback."""


def level_of(error: BaseException) -> Severity:
    """How much an error matters: a caller's mistake is none of ours, and nor is a caller who leaves."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return Severity.DEBUG
    if isinstance(error, Unavailable):
        return Severity.WARNING
    if isinstance(error, OptionChainError) and not isinstance(error, Defect):
        return Severity.DEBUG
    return Severity.ERROR
