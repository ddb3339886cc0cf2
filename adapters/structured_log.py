"""What the observer is told, as a log: one line of JSON a fact, with fixed names, for people and for collectors."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import orjson

from adapters.severity import Severity, level_of
from optionchain.context import HOUSEKEEPING, Context
from optionchain.observing import Fact, Operation

# Beyond that a traceback says no more: the first lines name where it began, the last where it ended.
MAX_TRACEBACK_CHARACTERS = 20_000


class StructuredLog:
    """The observer that writes lines: ``{time, level, event, outcome, tenant, trace, seconds, error, ...facts}``.

    Facts, tenants and messages of our own errors never hold secrets; of other errors only the log has the text.

    Args:
        level: What is less is not told.
        write: Takes a line with its end.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        level: Severity = Severity.INFO,
        *,
        write: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._level = level
        self._write = write or _to_standard_error
        self._clock = clock

    def started(self, operation: Operation) -> None:
        pass

    def finished(self, operation: Operation) -> None:
        if self._level <= Severity.DEBUG:
            self._tell(Severity.DEBUG, operation, {"outcome": "finished"})

    def failed(self, operation: Operation, error: BaseException) -> None:
        level = level_of(error)
        if level < self._level:
            return
        facts: dict[str, Any] = {
            "outcome": "failed",
            "error": type(error).__name__,
            "message": str(error),
        }
        if level >= Severity.ERROR:
            text = "".join(traceback.format_exception(error))
            facts["traceback"] = text[-MAX_TRACEBACK_CHARACTERS:]
        self._tell(level, operation, facts)

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        pass

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        if self._level <= Severity.INFO:
            self._tell(Severity.INFO, Operation(event, context, facts), {"outcome": "noted"})

    def _tell(self, level: Severity, operation: Operation, more: dict[str, Any]) -> None:
        context = operation.context
        line = {
            "time": self._clock(),
            "level": level.name,
            "event": operation.name,
            "tenant": context.principal.tenant,
            "trace": context.trace,
            "seconds": round(operation.seconds, 6),
            **more,
            "facts": operation.facts,
        }
        self._write(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE).decode())


def _to_standard_error(line: str) -> None:
    # Looked up each time: Ray Serve puts another stream there.
    sys.stderr.write(line)
    sys.stderr.flush()
