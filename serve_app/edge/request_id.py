"""The identity of a request, `X-Request-Id`: the caller's, or one of ours, told with the answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from starlette.types import Message, Scope, Send

REQUEST_ID = b"x-request-id"


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The caller's, or one of our own where there is none, or one that cannot be told back."""
    for name, value in headers:
        if name == REQUEST_ID and value and value.isascii():
            return value
    return str(uuid.uuid4()).encode()


def identified(scope: Scope) -> bytes:
    """The identity of a request, from now on in its headers too, where whoever tells of it looks."""
    request_id = request_id_of(scope["headers"])
    others = [(name, value) for name, value in scope["headers"] if name != REQUEST_ID]
    scope["headers"] = [*others, (REQUEST_ID, request_id)]
    return request_id


def telling_id(request_id: bytes, send: Send) -> Send:
    """`send`, with the identity in the headers of the answer."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (REQUEST_ID, request_id)]
        await send(message)

    return tell
