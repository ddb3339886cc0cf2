"""A service of one session in memory, which fails as it is told to, and clients of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio.lowlevel
import httpx

from optionchain_client import AsyncClient, Client, Retry

QUICK = Retry(attempts=4, first_pause_seconds=0.001)
STEPS = 5
SESSION_ID = "0f7b5a52-9a4e-4c39-9d58-0a1f6d2b7a11"
PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": STEPS,
    "initial_price": 100.0,
    "volatility": 0.2,
    "risk_free_rate": 0.0,
    "dividend_yield": 0.0,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.0, "volatility": 0.2}},
    "time_frame": "Day",
    "days_to_expiration": 30.0,
}
# Asked with each request and its number: what it returns or raises is the answer.
Fault = Callable[[httpx.Request, int], httpx.Response | None]
Handler = Callable[[httpx.Request], httpx.Response]


def open_client(service: Handler, retry: Retry = QUICK) -> Client:
    """A client that waits."""
    http = httpx.Client(transport=httpx.MockTransport(service))
    return Client("http://service/", "a-key", retry=retry, http=http)


def open_async_client(service: Handler, retry: Retry = QUICK) -> AsyncClient:
    """A client for coroutines."""

    async def on_await(request: httpx.Request) -> httpx.Response:
        # As a network does, it notices a cancellation.
        await anyio.lowlevel.checkpoint()
        return service(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(on_await))
    return AsyncClient("http://service", "a-key", retry=retry, http=http)


def lose(path: str, *, every: int) -> Fault:
    """The connection breaks at every n-th request to a path."""

    def fault(request: httpx.Request, number: int) -> None:
        if request.url.path == path and number % every == 0:
            raise httpx.ReadError("connection lost", request=request)

    return fault


def answer(status: int, **headers: str) -> Fault:
    """A refusal."""
    return lambda *_: httpx.Response(status, json={"error": "no", "field": "x"}, headers=headers)


class FakeService:
    """Keeps a cursor as the real one does.

    Args:
        before: A fault of requests that the service never saw.
        after: A fault of requests that it has served: its answer is lost.
        knows_keys: Whether an Idempotency-Key gives the first answer again.
    """

    def __init__(
        self, *, before: Fault | None = None, after: Fault | None = None, knows_keys: bool = True
    ) -> None:
        self.cursor = 0
        self.is_deleted = False
        self.requests: list[httpx.Request] = []
        self._before = before
        self._after = after
        self._answers: dict[str, httpx.Response] | None = {} if knows_keys else None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        number = len(self.requests)
        if self._before and (answer := self._before(request, number)):
            return answer
        answer = self._answered_once(request)
        if self._after and (other := self._after(request, number)):
            return other
        return answer

    def _answered_once(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("Idempotency-Key")
        if self._answers is None or key is None:
            return self._answer(request)
        if key not in self._answers:
            self._answers[key] = self._answer(request)
        return self._answers[key]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "POST", "/api/v1/chain":
                return httpx.Response(201, json=self._view(json.loads(request.content)))
            case "GET", "/api/v1/chain":
                return httpx.Response(200, json=chain(self.cursor, self.cursor))
            case "POST", "/api/v1/chain/step":
                return self._step(request)
            case "DELETE", "/api/v1/chain":
                status = 404 if self.is_deleted else 200
                self.is_deleted = True
                return httpx.Response(status, json={"error": "not found"} if status == 404 else {})
        return httpx.Response(404, json={"error": "Not Found"})

    def _step(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        if int(query.get("expected_step", self.cursor)) != self.cursor:
            return httpx.Response(412, json={"error": "elsewhere", "current_step": self.cursor})
        if self.cursor >= STEPS:
            return httpx.Response(410, json={"error": "completed"})
        count = min(int(query.get("count", 1)), STEPS - self.cursor)
        first, self.cursor = self.cursor, self.cursor + count
        chains = [chain(step, step + 1) for step in range(first, self.cursor)]
        return httpx.Response(200, json={"snapshots": chains} if "count" in query else chains[0])

    def _view(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"id": SESSION_ID, "parameters": parameters, "current_step": 0, "total_steps": STEPS}


def chain(step: int, cursor: int) -> dict[str, Any]:
    quote = {"bid": 1.0, "ask": 1.1, "mid": 1.05, "delta": 0.5}
    contract = {
        "strike": 100.0,
        "expiration": "2026-02-01T00:00:00Z",
        "call": quote,
        "put": quote,
        "implied_volatility": 0.2,
        "gamma": 0.01,
    }
    return {
        "underlying": "SPX",
        "timestamp": f"2026-01-0{step + 1}T00:00:00Z",
        "price": 100.0 + step,
        "contracts": [contract],
        "session_info": {"id": SESSION_ID, "current_step": cursor, "total_steps": STEPS},
    }
