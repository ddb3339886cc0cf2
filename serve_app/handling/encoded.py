"""Answers from JSON that is already encoded: most come as bytes from an actor."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of these bytes."""
    return Response(body, status, headers, media_type="application/json")
