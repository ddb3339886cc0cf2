"""How long a request's body may be, and how long it may take to come."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from serve_app.edge.errors import TooLarge, TooSlow

# Of a length that any machine has; Python refuses to read some thousands.
MOST_DIGITS = 18


def check_length(headers: Headers, limit: int) -> None:
    """Refuse a body that says itself that it is too long.

    Raises:
        TooLarge: It does, or says no length that any machine has.
    """
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > MOST_DIGITS or int(length) > limit:
        raise TooLarge(limit)


def bounded(receive: Receive, limit: int, seconds: float) -> Receive:
    """`receive`, which raises `TooLarge` of what is too long, and `TooSlow` of what comes too late."""
    received, is_whole = 0, False
    deadline = asyncio.get_running_loop().time() + seconds

    async def receive_bounded() -> Message:
        nonlocal received, is_whole
        if is_whole:  # what comes now is that the client leaves
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise TooSlow(seconds) from error
        is_whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge(limit)
        return message

    return receive_bounded
