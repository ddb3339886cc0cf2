"""What the observer is told, as a log: one line of JSON a fact, with fixed names, for people and for collectors."""

from __future__ import annotations

import os
import random
import time
import traceback
from collections.abc import Callable
from typing import Any

import orjson

from adapters.telemetry.redaction import Redaction
from adapters.telemetry.severity import Severity, level_of
from optionchain.context import HOUSEKEEPING, Context
from optionchain.observing import Fact, Operation

# Beyond that a traceback says no more: the first lines name where it began, the last where it ended.
MAX_TRACEBACK_CHARACTERS = 20_000
REQUEST = "http.request"
# Parts of an operation that is told of itself: their failures would be told twice.
PARTS = frozenset({"session.call", "session.render", "mongodb.call"})
STANDARD_ERROR = 2


class StructuredLog:
    """The observer that writes lines.

    A line is ``{time, level, event, outcome, process, tenant, trace_id, span_id, seconds, error, message, traceback,
    facts}``, without what there is not. Facts, tenants and messages of our own errors hold no secrets; of other errors
    only the log has the text, and there secrets are taken out.

    Args:
        level: What is less is not told.
        process: What kind of process this is.
        access: The share of requests that go well and are told all the same, from 0 to 1.
        redact: Takes secrets out of a line.
        write: Takes a line with its end.
        clock: Unix time in seconds.
        draw: A random number from 0 to 1.
    """

    def __init__(
        self,
        level: Severity = Severity.INFO,
        *,
        process: str = "",
        access: float = 0.0,
        redact: Callable[[str], str] | None = None,
        write: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._level = level
        self._process = process
        self._access = access
        self._redact = redact or Redaction()
        self._write = write or _to_standard_error
        self._clock = clock
        self._draw = draw

    def started(self, operation: Operation) -> None:
        pass

    def finished(self, operation: Operation) -> None:
        if self._level <= Severity.DEBUG:
            self._tell(Severity.DEBUG, operation, {"outcome": "finished"})
        elif self._access and operation.name == REQUEST and self._draw() < self._access:
            self._tell(Severity.INFO, operation, {"outcome": "finished"})

    def failed(self, operation: Operation, error: BaseException) -> None:
        level = Severity.DEBUG if operation.name in PARTS else level_of(error)
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
        line: dict[str, Any] = {"time": self._clock(), "level": level.name, "event": operation.name}
        if self._process:
            line["process"] = self._process
        line["tenant"] = context.principal.tenant
        if context.trace:
            _, line["trace_id"], line["span_id"], _ = context.trace.split("-")
        line["seconds"] = round(operation.seconds, 6)
        line |= {**more, "facts": operation.facts}
        text = orjson.dumps(line, default=str).decode()
        self._write(self._redact(text) + "\n")


def _to_standard_error(line: str) -> None:
    # The descriptor, not `sys.stderr`, which Ray Serve makes a log of its own of: in every process of Ray the line then
    # stands in `worker-*.err`, which Ray rotates. One call: lines of several threads do not mix.
    os.write(STANDARD_ERROR, line.encode())
