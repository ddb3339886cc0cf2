"""``Idempotency-Key``: a request that is sent again has its effect once and gets its first answer again.

The key decides the identity under which the session's actor applies the command, and what the command was given is
stored with the session, in one write, for as long as the key lives. So two requests with one key may run at the same
time, and a replica may die between the command and the keeping of its answer: whoever comes next, however late, is
given what the first was given. The kept answers are for sessions that are gone, and for what is not asked of a session.

What comes without a key has an identity that nothing else has.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from fastapi import Request, Response

from optionchain.errors import InvalidInput
from serve_app.edge.caller import principal_of
from serve_app.handling.encoded import json_response
from serve_app.services import services_of

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
KEY_PATTERN = r"[!-~]{1,255}"
# A cursor that no session has: an advance that expects it is served only if it was served before.
NO_STEP = -1
_NAMESPACE = uuid.UUID("6f1de0a5-9b52-4d0c-8f43-5a3c1f0b7e21")

IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "Any text of yours, for one request: sent again within 24 hours, the request has its "
            "effect once and gets its first answer again",
            "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$"},
        }
    ]
}

# Random once a process: the kernel's randomness for every request was 8 % of a step.
_PROCESS = secrets.token_urlsafe(12)
_NUMBERS = count()


def next_command_id() -> str:
    """An identity that no other command has."""
    return f"{_PROCESS}.{next(_NUMBERS)}"


@dataclass(frozen=True, slots=True)
class Occasion:
    """One intention of a caller, however often it is sent.

    Attributes:
        identity: The same for every sending; None where the caller gave no key.
        was_served: It succeeded before, and its answer was too long to be kept.
    """

    identity: uuid.UUID | None = None
    was_served: bool = False

    @property
    def is_keyed(self) -> bool:
        """Whether the caller may send it again much later."""
        return self.identity is not None

    @property
    def session_id(self) -> str:
        """The identity of a session to create."""
        return str(self.identity or uuid.uuid4())

    @property
    def command_id(self) -> str:
        """The identity under which a session applies a command once."""
        return next_command_id() if self.identity is None else str(self.identity)

    def expected_step(self, asked: int | None) -> int | None:
        """The cursor on which to insist: none will do for what was served before."""
        return NO_STEP if self.was_served else asked


Act = Callable[[Occasion], Awaitable[Response]]


async def once(request: Request, act: Act, *, status: int = 200) -> Response:
    """Answer a request; with a key, the same way each time.

    Args:
        request: The request.
        act: Has the effect and answers; what it raises is not kept, for it changed nothing.
        status: Of a successful answer.

    Raises:
        InvalidInput: The key is not 1 to 255 visible ASCII characters.
        KeyReused: The key was used for another request.
        Unavailable: The answers cannot be reached; nothing was done.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await act(Occasion())
    if not re.fullmatch(KEY_PATTERN, key):
        raise InvalidInput(HEADER, "must have 1 to 255 visible ASCII characters")
    services, owner = services_of(request), principal_of(request).tenant
    answers = services.answers
    fingerprint = await _fingerprint(request)
    kept = await answers.begin(owner, key, fingerprint)
    if kept:
        services.observer.counted("http.replayed")
        answer = json_response(kept, status)
        answer.headers.update(REPLAYED)
        return answer
    identity = uuid.uuid5(_NAMESPACE, f"{owner}\0{key}\0{fingerprint.hex()}")
    response = await act(Occasion(identity, was_served=kept is not None))
    await answers.finish(owner, key, fingerprint, bytes(response.body))
    return response


async def _fingerprint(request: Request) -> bytes:
    target = f"{request.method} {request.url.path}?{request.url.query}\0"
    return hashlib.sha256(target.encode() + await request.body()).digest()
