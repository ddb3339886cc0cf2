# Made from asynchronous/transport.py by make_synchronous.py: edit that.
"""How calls are sent: over httpx, with the key, again after a failure that may pass, errors as ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from optionchain_client.concurrency import Path, Stream, shielded, sleep
from optionchain_client.errors import ConnectionFailed, broken_off, error_of, no_answer, not_readable
from optionchain_client.events import Event, Feed
from optionchain_client.requests import Address, ApiRequest
from optionchain_client.retry import Retry

logger = logging.getLogger("optionchain_client")

UNREACHABLE = "a retry without end has ended"
NOTHING_MORE = 204
PAGE_LIMIT = 100


class Transport:
    """Sends calls and waits for their answers.

    Args:
        address: Of the service.
        http: An open httpx client, which the caller closes.
        retry: When to send again.
    """

    def __init__(self, address: Address, http: httpx.Client, retry: Retry) -> None:
        self._address = address
        self._http = http
        self._retry = retry

    def send(self, request: ApiRequest) -> Any:
        """The JSON of an answer.

        Raises:
            ApiError: The last attempt failed.
        """
        for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return self._json_of(request, self._answer(request))
        raise AssertionError(UNREACHABLE)

    def fetch(self, request: ApiRequest) -> bytes:
        """The body of an answer, whole; raises as `send`."""
        for attempt in self._retry.attempts_of_one_call():
            with attempt:
                response = self._answer(request)
                return response.content
        raise AssertionError(UNREACHABLE)

    def pages(self, path: str) -> Iterator[Any]:
        """The objects of all pages of a list; raises as `send`."""
        page, pages = 1, 1
        while page <= pages:
            query = {"page": page, "limit": PAGE_LIMIT}
            answer = self.send(ApiRequest(method="GET", path=path, query=query))
            yield from answer["data"]
            page, pages = page + 1, answer["pagination"]["pages"]

    @contextmanager
    def stream(self, request: ApiRequest) -> Iterator[Iterator[bytes]]:
        """The body of an answer as it comes; what breaks in the middle is not sent again.

        Raises:
            ApiError: The last attempt failed, or the answer broke off.
        """
        response = self._open(request)
        try:
            yield response.iter_bytes()
        except httpx.TransportError as error:
            raise broken_off(self._address.named(request), error) from error
        finally:
            response.close()

    def download(self, request: ApiRequest, path: str) -> int:
        """Write the body of an answer to a file, which has its name when it is whole.

        Returns:
            The number of bytes.

        Raises:
            ApiError: As `stream`; a file that was there stays as it was.
        """
        written, unfinished = 0, Path(f"{path}.part")
        with self.stream(request) as pieces:
            try:
                with unfinished.open("wb") as file:
                    for piece in pieces:
                        written += file.write(piece)
                unfinished.replace(path)
            except BaseException:
                with shielded():
                    unfinished.unlink(missing_ok=True)
                raise
        return written

    def events(
        self,
        request_after: Callable[[str | None], ApiRequest],
        is_last: Callable[[Event], bool],
        *,
        most_bytes: int,
        timeout_seconds: float | None = None,
    ) -> Stream[Event]:
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
            response = self._open(request)
            reason: Exception | str = "it ended before its last event"
            try:
                if response.status_code == NOTHING_MORE:
                    return
                for piece in response.iter_bytes():
                    yield from feed.read(piece)
                    if feed.is_over:
                        return
            except httpx.TransportError as error:
                reason = error
            except ValueError as error:
                raise not_readable(self._address.named(request), error) from error
            finally:
                response.close()
            sleep(feed.pause(broken_off(self._address.named(request), reason)))

    def _open(self, request: ApiRequest) -> httpx.Response:
        for attempt in self._retry.attempts_of_one_call():
            with attempt:
                return self._opened(request)
        raise AssertionError(UNREACHABLE)

    def _answer(self, request: ApiRequest) -> httpx.Response:
        response = self._opened(request)
        try:
            response.read()
        except httpx.TransportError as error:
            raise self._no_answer(request, error) from error
        finally:
            response.close()
        return response

    def _opened(self, request: ApiRequest) -> httpx.Response:
        """A response whose body is still to be read."""
        try:
            built = self._http.build_request(**self._address.arguments(request))
            response = self._http.send(built, stream=True)
            if request.is_answered_by(response):
                self._pass_on_warnings(request, response)
                return response
            response.read()
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
