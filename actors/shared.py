"""The actor's end of a call that carries a context: not begun when nobody waits for it any more, and told of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from actors.loop_watch import LoopWatch, OpenWatch
from optionchain.context import Context
from optionchain.errors import Unavailable
from optionchain.observing import Observer, observed


def check_in_time(context: Context, what: str) -> None:
    """Refuse what nobody waits for: the caller has gone on, and may have asked again elsewhere.

    Raises:
        Unavailable: The caller gave up before now.
    """
    if time.time() > context.expires_at:
        raise Unavailable(what)


class SharedActor:
    """What every actor that `NamedActor` calls can do; its own methods stay plain.

    Args:
        name: What its operations begin with: ``history``.
        observer: Told of each call.
        open_watch: Opens the watch on its loop.
    """

    def __init__(self, name: str, observer: Observer, open_watch: OpenWatch = LoopWatch) -> None:
        self._name = name
        self._observer = observer
        self._loop_watch = open_watch(observer)

    async def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """Have a method do what it does, on somebody's behalf.

        Raises:
            OptionChainError: What the method raises; `Unavailable` where the caller gave up before it was begun.
        """
        self._loop_watch.begin()
        check_in_time(context, f"the {self._name}")
        with observed(self._observer, f"{self._name}.{method}", context):
            return await getattr(self, method)(*arguments)
