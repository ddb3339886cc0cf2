"""Routes that take YAML beside JSON: a sweep is written so for the command line, and pasted as it is."""

from __future__ import annotations

from typing import Any

import orjson
import yaml
from fastapi import Request, Response
from starlette.types import Message

from optionchain.errors import InvalidInput
from serve_app.handling.kinds import Handle, JsonRoute

MEDIA_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
# YAML is read some hundred times more slowly than JSON: so much is a second or so.
MOST_BYTES = 1 << 18


class YamlOrJsonRoute(JsonRoute):
    """A route whose body may be YAML, which is read without aliases: a few lines of them are more than memory has."""

    def get_route_handler(self) -> Handle:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            return await handler(await _as_json(request) if kind in MEDIA_TYPES else request)

        return handle


async def _as_json(request: Request) -> Request:
    """The request as if it had been sent as JSON."""
    body = orjson.dumps(read_yaml(await request.body()))
    headers = [
        each for each in request.scope["headers"] if each[0] not in (b"content-type", b"content-length")
    ]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}, receive)


def read_yaml(body: bytes) -> Any:
    """The value that YAML is of.

    Raises:
        InvalidInput: ``body``: it is none, or too long, or of what JSON has not.
    """
    if len(body) > MOST_BYTES:
        raise InvalidInput("body", f"has more than {MOST_BYTES:,} bytes of YAML: send it as JSON")
    try:
        value = yaml.load(body, _Plain)  # noqa: S506  a safe loader
        orjson.dumps(value)
    except (yaml.YAMLError, orjson.JSONEncodeError, ValueError, RecursionError) as error:
        at = getattr(error, "problem_mark", None)
        where = f" at line {at.line + 1}" if at else ""
        raise InvalidInput(
            "body", f"is not valid YAML{where}: {getattr(error, 'problem', None) or 'of plain values'}"
        ) from error
    return value


class _Plain(yaml.SafeLoader):
    """Without aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not taken", mark)
        return super().compose_node(parent, index)
