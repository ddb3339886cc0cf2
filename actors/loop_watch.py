"""A watch on an event loop: whoever holds it keeps everybody of the process waiting, so that is told, and who it was.

The watch is a thread that knocks a few times a second. It costs the loop some microseconds a knock.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import TypeAlias

from optionchain.errors import Unavailable
from optionchain.observing import Observer, tell_failure

OpenWatch: TypeAlias = Callable[[Observer], "LoopWatch"]
# Frames that are told: where the loop's own end and ours begin is not known, but the innermost say what was done.
FRAMES = 12
# Between two lines of the log; the metric has all.
QUIET_SECONDS = 1.0


class LoopHeld(Unavailable):
    """The loop served nobody for so long.

    Args:
        seconds: How long, at least.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__("the event loop")
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[LoopHeld], tuple[float]]:
        return LoopHeld, (self.seconds,)

    def __str__(self) -> str:
        return f"the event loop was held for {self.seconds:.3f} s"


class LoopWatch:
    """Watches the loop that runs when it begins.

    Args:
        observer: Told, in the watch's thread, of every time that the loop was held: of a failed ``loop.held``, whose
            facts are the seconds, the processor time of the loop's thread in them, and where it was. The processor
            time tells work from a machine that was busy with something else.
        held_seconds: What is longer is told: always from one and a half times that on, and never below.
    """

    def __init__(self, observer: Observer, *, held_seconds: float = 0.1) -> None:
        self._observer = observer
        self._held_seconds = held_seconds
        self._told_at = -QUIET_SECONDS
        self._end = threading.Event()
        self._knocked = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop_thread = 0
        self._processor_seconds = 0.0

    def begin(self) -> None:
        """Begin, unless it has begun. Called in the loop."""
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._answer()
            self._thread = threading.Thread(target=self._watch, args=(loop,), name="loop-watch", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Watch no more."""
        self._end.set()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._end.wait(self._held_seconds / 2):
            self._knocked.clear()
            began, processor_began = time.perf_counter(), self._processor_seconds
            try:
                loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # it is closed
                return
            if self._knocked.wait(self._held_seconds):
                continue
            where = _innermost(sys._current_frames().get(self._loop_thread))
            while not self._knocked.wait(1.0):
                if self._end.is_set() or loop.is_closed():
                    return
            self._tell(time.perf_counter() - began, self._processor_seconds - processor_began, where)

    def _answer(self) -> None:
        """In the loop."""
        self._loop_thread = threading.get_ident()
        self._processor_seconds = time.thread_time()
        self._knocked.set()

    def _tell(self, seconds: float, processor_seconds: float, where: str) -> None:
        self._observer.counted("loop.held")
        self._observer.counted("loop.held_seconds", seconds)
        if time.monotonic() - self._told_at < QUIET_SECONDS:
            return
        self._told_at = time.monotonic()
        tell_failure(
            self._observer,
            "loop.held",
            LoopHeld(seconds),
            held_seconds=round(seconds, 3),
            processor_seconds=round(processor_seconds, 3),
            where=where,
        )


def _innermost(frame: FrameType | None) -> str:
    """The innermost frames of a thread, outermost first: ``file:line function``, each on a line."""
    stack = traceback.extract_stack(frame, FRAMES) if frame is not None else []
    return "\n".join(f"{each.filename}:{each.lineno} {each.name}" for each in stack)
