"""On whose behalf a request is served, as the edge found it, and in which trace."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers

from optionchain.context import Context, Principal

NOBODY = Principal("", "")
"""Whoever calls what is public, or has not been looked at yet."""

# https://www.w3.org/TR/trace-context/: of a later version what this one knows of it.
_TRACEPARENT = re.compile(
    r"((?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-[!-~]*)?"
)


def trace_of(headers: Headers) -> str:
    """The caller's ``traceparent``; empty where there is none, several, or one that is malformed."""
    given = headers.getlist("traceparent")
    match = _TRACEPARENT.fullmatch(given[0]) if len(given) == 1 else None
    if match is None or (match[2] is not None and match[1].startswith("00")):
        return ""
    return match[1]


def context_of(request: Request) -> Context:
    """The context of a request; whoever waits for something on its behalf adds until when."""
    context: Context = request.scope["state"]["context"]
    return context


def principal_of(request: Request) -> Principal:
    """The caller of a request."""
    return context_of(request).principal


async def current_context(request: Request) -> Context:
    """The context, as a dependency; async, for FastAPI runs others in a thread."""
    return context_of(request)


async def current_principal(request: Request) -> Principal:
    """The caller, as a dependency; async, for FastAPI runs others in a thread."""
    return principal_of(request)


Caller = Annotated[Principal, Depends(current_principal)]

CallerContext = Annotated[Context, Depends(current_context)]
"""The context of a request, as a route asks for it."""
