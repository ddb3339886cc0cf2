"""A port whose every call is told of, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from optionchain.observing import Observer, observed

T = TypeVar("T")


def told(port: T, observer: Observer, name: str, *, role: str) -> T:
    """The same port; each of its calls is an operation.

    Args:
        port: Its public methods are coroutine functions.
        observer: Told of each call.
        name: Of the operation: ``redis.call``.
        role: What the port is: with the method it is the fact ``operation``, ``session.save``.
    """
    return cast("T", _Told(port, observer, name, role))


class _Told:
    def __init__(self, port: object, observer: Observer, name: str, role: str) -> None:
        self._port, self._observer, self._name, self._role = port, observer, name, role

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        call = getattr(self._port, method)
        operation = f"{self._role}.{method}"

        async def told_call(*arguments: Any, **named: Any) -> Any:
            with observed(self._observer, self._name, operation=operation):
                return await call(*arguments, **named)

        # Found by itself the next time.
        setattr(self, method, told_call)
        return told_call
