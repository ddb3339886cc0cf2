"""Work in a fork of this process: it finds everything imported, and whatever it breaks is gone with it."""

from __future__ import annotations

import os
import pickle
import select
import signal
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def forked(work: Callable[[], T], seconds: float) -> T | None:
    """What the work gives, done in a fork that prints nothing but its own end; None where there is nothing in time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        is_answered = bool(select.select([pipe], [], [], seconds)[0])
        answer = pipe.read() if is_answered else b""
    # Servers that its tests started too.
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None  # noqa: S301  our own


def _work(work: Callable[[], object], writing: int) -> None:
    os.setsid()
    told = os.fdopen(os.dup(2), "w")
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        answer = pickle.dumps(work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    except BaseException:
        traceback.print_exc(file=told)
        told.flush()
    finally:
        os._exit(0)
