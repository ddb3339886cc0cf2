"""A call as a value, and where calls go: what is sent is decided here, how it is sent by the transports."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx

SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call; sent again, it is the same call.

    Attributes:
        method: Of HTTP.
        path: Below the service's address.
        query: What is None is not sent.
        body: An object, sent as JSON.
        headers: Its own, such as an Idempotency-Key, under which the server recognises a repetition.
        expected_status: A status that is an answer to this call and not a failure, besides the successful ones.
    """

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected_status: int | None = None

    def is_answered_by(self, response: httpx.Response) -> bool:
        """Whether a response is an answer to this call."""
        return response.is_success or response.status_code == self.expected_status


def reading(path: str, **query: Any) -> ApiRequest:
    """A call that reads."""
    return ApiRequest(method="GET", path=path, query=query)


def keyed_post(
    path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
) -> ApiRequest:
    """A call that has its effect once, however often it is sent."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return ApiRequest(method="POST", path=path, query=query, body=body, headers=key)


def segment(text: str | date) -> str:
    """A name or a day as one segment of a path."""
    return quote(as_day(text), safe="")


def as_day(given: str | date) -> str:
    """A day as the service reads it; of an instant, its own day."""
    return f"{given:%Y-%m-%d}" if isinstance(given, date) else given


class Address:
    """Where the service is, and the key that it wants.

    Args:
        base_url: With its scheme: ``http://127.0.0.1:7070``.
        api_key: Sent with every call.

    Raises:
        ValueError: The address has no scheme or no host, or the key cannot be sent.
    """

    def __init__(self, base_url: str, api_key: str | None) -> None:
        url = httpx.URL(base_url)
        if url.scheme not in SCHEMES:
            rest = base_url.rpartition("://")[2] or "127.0.0.1:7070"
            raise ValueError(
                f"base_url {base_url!r} does not begin with http:// or https://: write http://{rest}"
            )
        if not url.host:
            raise ValueError(f"base_url {base_url!r} has no host: write it as http://127.0.0.1:7070")
        if api_key and not (api_key.isascii() and api_key.isprintable() and api_key == api_key.strip()):
            raise ValueError("api_key has a line break, a space at an end, or what is not ASCII: strip it")
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-API-Key": api_key} if api_key else {}

    def arguments(self, request: ApiRequest) -> dict[str, Any]:
        """A call as httpx wants it."""
        headers = {**self._headers, **request.headers}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": request.method,
            "url": self._base_url + request.path,
            "params": None if request.query is None else _given(request.query),
            "content": None if request.body is None else _encoded(request.body),
            "headers": headers,
        }

    def named(self, request: ApiRequest) -> str:
        """A call for people: its method and where it goes."""
        return f"{request.method} {self}{request.path}"

    def __str__(self) -> str:
        """Without the user and the password that it may have."""
        return str(httpx.URL(self._base_url).copy_with(userinfo=b"")).rstrip("/")


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    """Instants as text, the numbers and arrays of NumPy and its like as Python's."""
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
