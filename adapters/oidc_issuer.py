"""The issuer of tokens, by OpenID Connect Discovery: where its keys are, and which they are."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from optionchain.errors import Unavailable

ISSUER = "the issuer of tokens"
DISCOVERY = "/.well-known/openid-configuration"
# Of any of its two documents: issuers have a few keys.
MOST_BYTES = 1 << 20


def is_trustworthy(url: str) -> bool:
    """Whether nobody on the way can change what comes from there: HTTPS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


class OidcIssuer:
    """The `Issuer` of a URL.

    Args:
        issuer: As its tokens name it.
        timeout_seconds: Patience with each of its two documents.
    """

    def __init__(self, issuer: str, *, timeout_seconds: float = 5.0) -> None:
        self._issuer = issuer
        self._timeout_seconds = timeout_seconds

    async def keys(self) -> Mapping[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=self._timeout_seconds) as client:
                described = await _document(client, self._issuer.rstrip("/") + DISCOVERY)
                # OpenID Connect Discovery 1.0, section 4.3: else anybody's keys would do.
                if described.get("issuer") != self._issuer:
                    raise Unavailable(ISSUER)
                place = described.get("jwks_uri")
                if not isinstance(place, str) or not is_trustworthy(place):
                    raise Unavailable(ISSUER)
                return await _document(client, place)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
            raise Unavailable(ISSUER) from error


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url) as answer:
        answer.raise_for_status()
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise ValueError("it is too long")
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise TypeError("it is no object")
    return document


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
