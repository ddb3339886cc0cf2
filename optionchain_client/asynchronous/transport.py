"""How calls are sent: over httpx, with the key, again after a failure that may pass, errors as ours."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from optionchain_client.concurrency import AsyncPath, AsyncStream, async_shielded, async_sleep
from optionchain_client.errors import ConnectionFailed, broken_off, error_of, no_answer, not_readable
from optionchain_client.events import Event, Feed
from optionchain_client.requests import Address, ApiRequest
from optionchain_client.retry import Retry

logger = logging.getLogger("optionchain_client")

UNREACHABLE = "a retry without end has ended"
NOTHING_MORE = 204
PAGE_LIMIT = 100


class AsyncTransport:
    """Sends calls and waits for their answers.

    Args:
        address: Of the service.
        http: An open httpx client, which the caller closes.
        retry: When to send again.
    """

    def __init__(self, address: Address, http: httpx.AsyncClient, retry: Retry) -> None:
        self._address = address
        self._http = http
        self._retry = retry

    async def send(self, request: ApiRequest) -> Any:
        """The JSON of an answer.

        Raises:
            ApiError: The last attempt failed.
        """
        async for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return self._json_of(request, await self._answer(request))
        raise AssertionError(UNREACHABLE)

    async def fetch(self, request: ApiRequest) -> bytes:
        """The body of an answer, whole; raises as `send`."""
        async for attempt in self._retry.attempts_of_one_call():
            with attempt:
                response = await self._answer(request)
                return response.content
        raise AssertionError(UNREACHABLE)

    async def pages(self, path: str) -> AsyncIterator[Any]:
        """The objects of all pages of a list; raises as `send`."""
        page, pages = 1, 1
        while page <= pages:
            query = {"page": page, "limit": PAGE_LIMIT}
            answer = await self.send(ApiRequest(method="GET", path=path, query=query))
            for view in answer["data"]:
                yield view
            page, pages = page + 1, answer["pagination"]["pages"]

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of an answer as it comes; what breaks in the middle is not sent again.

        Raises:
            ApiError: The last attempt failed, or the answer broke off.
        """
        response = await self._open(request)
        try:
            yield response.aiter_bytes()
        except httpx.TransportError as error:
            raise broken_off(self._address.named(request), error) from error
        finally:
            await response.aclose()

    async def download(self, request: ApiRequest, path: str) -> int:
        """Write the body of an answer to a file, which has its name when it is whole.

        Returns:
            The number of bytes.

        Raises:
            ApiError: As `stream`; a file that was there stays as it was.
        """
        written, unfinished = 0, AsyncPath(f"{path}.part")
        async with self.stream(request) as pieces:
            try:
                async with await unfinished.open("wb") as file:
                    async for piece in pieces:
                        written += await file.write(piece)
                await unfinished.replace(path)
            except BaseException:
                with async_shielded():
                    await unfinished.unlink(missing_ok=True)
                raise
        return written

    async def events(
        self,
        request_after: Callable[[str | None], ApiRequest],
        is_last: Callable[[Event], bool],
        *,
        most_bytes: int,
        timeout_seconds: float | None = None,
    ) -> AsyncStream[Event]:
        """The events of a stream until its last one; a stream that breaks is opened again behind what was seen.

        Raises:
            ApiError: It cannot be opened, breaks again and again, or has an event over the bound.
            TimeoutError: The time is over.
        """
        feed = Feed(
            request_after, is_last, retry=self._retry, most_bytes=most_bytes, timeout_seconds=timeout_seconds
        )
        while not feed.is_over:
            request = feed.request()
            response = await self._open(request)
            reason: Exception | str = "it ended before its last event"
            try:
                if response.status_code == NOTHING_MORE:
                    return
                async for piece in response.aiter_bytes():
                    for event in feed.read(piece):
                        yield event
                    if feed.is_over:
                        return
            except httpx.TransportError as error:
                reason = error
            except ValueError as error:
                raise not_readable(self._address.named(request), error) from error
            finally:
                await response.aclose()
            await async_sleep(feed.pause(broken_off(self._address.named(request), reason)))

    async def _open(self, request: ApiRequest) -> httpx.Response:
        async for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return await self._opened(request)
        raise AssertionError(UNREACHABLE)

    async def _answer(self, request: ApiRequest) -> httpx.Response:
        response = await self._opened(request)
        try:
            await response.aread()
        except httpx.TransportError as error:
            raise self._no_answer(request, error) from error
        finally:
            await response.aclose()
        return response

    async def _opened(self, request: ApiRequest) -> httpx.Response:
        """A response whose body is still to be read."""
        try:
            built = self._http.build_request(**self._address.arguments(request))
            response = await self._http.send(built, stream=True)
            if request.is_answered_by(response):
                self._pass_on_warnings(request, response)
                return response
            await response.aread()
        except httpx.TransportError as error:
            raise self._no_answer(request, error) from error
        raise error_of(response)

    def _no_answer(self, request: ApiRequest, error: httpx.TransportError) -> ConnectionFailed:
        return no_answer(self._address.named(request), error)

    def _pass_on_warnings(self, request: ApiRequest, response: httpx.Response) -> None:
        for warning in response.headers.get_list("Warning"):
            logger.warning("%s: %s", self._address.named(request), warning)

    def _json_of(self, request: ApiRequest, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise error_of(response) from error
