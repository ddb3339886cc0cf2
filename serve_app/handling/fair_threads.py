"""Threads that owners take turns at: who asks for much waits behind itself, and not in front of others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class FairThreads:
    """Runs calls in threads, one of each owner who waits in turn.

    Args:
        threads: How many.
        name: What their names begin with.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._waiting: OrderedDict[str, deque[_Call]] = OrderedDict()

    def run(self, owner: str, call: Callable[[], T]) -> asyncio.Future[T]:
        """Have a call made, when it is its owner's turn.

        Returns:
            What it returns, or raises. One that is cancelled before its turn is never made.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((call, answer))
        self._make_calls()
        return answer

    def _make_calls(self) -> None:
        while self._free and self._waiting:
            owner, line = self._waiting.popitem(last=False)
            call, answer = line.popleft()
            if line:
                self._waiting[owner] = line  # behind the others
            if answer.cancelled():
                continue
            self._free -= 1
            made = answer.get_loop().run_in_executor(self._pool, call)
            made.add_done_callback(lambda made, answer=answer: self._made(made, answer))  # type: ignore[misc]

    def _made(self, made: asyncio.Future[Any], answer: asyncio.Future[Any]) -> None:
        self._free += 1
        error = made.exception()
        if answer.done():
            pass  # nobody waits any more
        elif error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(made.result())
        self._make_calls()


_Call = tuple[Callable[[], Any], "asyncio.Future[Any]"]
