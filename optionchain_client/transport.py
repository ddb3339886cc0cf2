"""How calls are sent: over httpx, with the key, again after a failure that may pass, errors as ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from optionchain_client.errors import broken_off, error_of, no_answer
from optionchain_client.retry import Retry
from optionchain_client.routes import ApiRequest

UNREACHABLE = "a retry without end has ended"


class _Addressed:
    """Makes httpx requests of calls."""

    def __init__(self, base_url: str, api_key: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-API-Key": api_key} if api_key else {}

    def arguments(self, request: ApiRequest) -> dict[str, Any]:
        headers = dict(self._headers)
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        return {
            "method": request.method,
            "url": self._base_url + request.path,
            "params": request.sent_query,
            "json": request.body,
            "headers": headers,
        }


class Transport:
    """Sends calls and waits.

    Args:
        base_url: Of the service.
        api_key: Sent with every call.
        http: An open httpx client, which the caller closes.
        retry: When to send again.
    """

    def __init__(self, base_url: str, api_key: str | None, http: httpx.Client, retry: Retry) -> None:
        self._addressed = _Addressed(base_url, api_key)
        self._http = http
        self._retry = retry

    def send(self, request: ApiRequest) -> Any:
        """The JSON of a successful answer.

        Raises:
            ApiError: The last attempt failed.
        """
        for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return self._send_once(request)
        raise AssertionError(UNREACHABLE)

    @contextmanager
    def stream(self, request: ApiRequest) -> Iterator[Iterator[bytes]]:
        """The body of a successful answer as it comes; what is broken in the middle is not sent again.

        Raises:
            ApiError: The last attempt failed, or the answer broke off.
        """
        response = self._open(request)
        try:
            yield response.iter_bytes()
        except httpx.TransportError as error:
            raise broken_off(request, error) from error
        finally:
            response.close()

    def _open(self, request: ApiRequest) -> httpx.Response:
        for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return self._open_once(request)
        raise AssertionError(UNREACHABLE)

    def _open_once(self, request: ApiRequest) -> httpx.Response:
        try:
            built = self._http.build_request(**self._addressed.arguments(request))
            response = self._http.send(built, stream=True)
            if response.is_success:
                return response
            response.read()
        except httpx.TransportError as error:
            raise no_answer(request, error) from error
        raise error_of(response)

    def _send_once(self, request: ApiRequest) -> Any:
        try:
            response = self._http.request(**self._addressed.arguments(request))
        except httpx.TransportError as error:
            raise no_answer(request, error) from error
        return _json_of(response)


class AsyncTransport:
    """`Transport` for asyncio and trio."""

    def __init__(self, base_url: str, api_key: str | None, http: httpx.AsyncClient, retry: Retry) -> None:
        self._addressed = _Addressed(base_url, api_key)
        self._http = http
        self._retry = retry

    async def send(self, request: ApiRequest) -> Any:
        """See `Transport.send`."""
        async for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return await self._send_once(request)
        raise AssertionError(UNREACHABLE)

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[AsyncIterator[bytes]]:
        """See `Transport.stream`."""
        response = await self._open(request)
        try:
            yield response.aiter_bytes()
        except httpx.TransportError as error:
            raise broken_off(request, error) from error
        finally:
            await response.aclose()

    async def _open(self, request: ApiRequest) -> httpx.Response:
        async for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return await self._open_once(request)
        raise AssertionError(UNREACHABLE)

    async def _open_once(self, request: ApiRequest) -> httpx.Response:
        try:
            built = self._http.build_request(**self._addressed.arguments(request))
            response = await self._http.send(built, stream=True)
            if response.is_success:
                return response
            await response.aread()
        except httpx.TransportError as error:
            raise no_answer(request, error) from error
        raise error_of(response)

    async def _send_once(self, request: ApiRequest) -> Any:
        try:
            response = await self._http.request(**self._addressed.arguments(request))
        except httpx.TransportError as error:
            raise no_answer(request, error) from error
        return _json_of(response)


def _json_of(response: httpx.Response) -> Any:
    if not response.is_success:
        raise error_of(response)
    try:
        return response.json()
    except ValueError as error:
        raise error_of(response) from error
