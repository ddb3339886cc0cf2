"""What happens to every request before a handler sees it, in this order; whatever it ends with, the observer hears it.

Its route is looked up in the table, its caller is found, the caller's requests are counted, its body is bounded, and
the route's permission is asked for. Errors become answers here and nowhere else.

The request's identity (`X-Request-Id`) is Ray Serve's: it takes the client's or makes one, and logs it.
One plain ASGI middleware: Starlette's `BaseHTTPMiddleware` costs a task and two streams per request.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cached_property

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optionchain.access.roles import Permission
from optionchain.context import Context, Principal
from optionchain.errors import Defect, OptionChainError, Overloaded, Unavailable
from optionchain.observing import Observer, Operation, observed
from optionchain.ports import Allowance, Allowances, Authentication
from serve_app.edge.answers import error_response, known_error
from serve_app.edge.authentication import authenticated, presented_secret
from serve_app.edge.body_bound import bounded, check_length
from serve_app.edge.caller import NOBODY, trace_of
from serve_app.edge.client_address import Address, Networks, Proxies
from serve_app.edge.errors import (
    Forbidden,
    RateLimited,
    TooLarge,
    TooSlow,
    Unauthenticated,
    UnknownPath,
    WrongMethod,
    missing_role,
)
from serve_app.edge.on_record import ON, Record, Unrecorded, entry_of
from serve_app.edge.rate_limit import allowance_of, network_of, telling
from serve_app.edge.route_table import Found, RouteTable
from serve_app.edge.unusual import Lookout, SignInPauses

# Which replica answered: the same as long as its process lives, and of no other meaning.
INSTANCE = (b"x-ocs-instance", uuid.uuid4().hex.encode())
# Where a caller finds the spans of a request that is kept: https://www.w3.org/TR/trace-context-2/#traceresponse-header
TRACE_RESPONSE = b"traceresponse"
# What is told of a request that no row of the table knows: a caller must not be able to make up new names.
UNKNOWN = "unknown"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Of the identity of a request that a caller made up.
MOST_IDENTITY = 128
# Refusals that say something of the load, and how they are counted.
REJECTS: dict[type[OptionChainError], str] = {
    TooLarge: "too_large",
    TooSlow: "too_slow",
    RateLimited: "rate_limited",
    Overloaded: "overloaded",
    Unavailable: "unavailable",
}
# Refusals that say something of who calls, and how they are counted.
DENIALS: dict[type[OptionChainError], str] = {Unauthenticated: "unauthenticated", Forbidden: "forbidden"}
DENIED = frozenset(each.__name__ for each in DENIALS)
ADMINISTER = Permission.ADMINISTER
NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What the edge asks.

    Attributes:
        routes: The table.
        authentication: Finds callers.
        allowances: Counts the requests of known callers; None where there is no limit.
        strangers: Counts those of unknown ones, by their addresses; the same.
        observer: Told of every request.
        max_body_bytes: A longer body is refused as soon as it is known to be longer.
        body_seconds: A body that is not there by then is refused.
        max_file_bytes, file_seconds: The same for routes that take files.
        proxies: Whose word about a client's address counts.
        networks: From where one may call.
        record: Takes what is put on record.
        pauses: Pauses for addresses whose sign-ins fail; None where there are none.
        lookout: Told of who is served, and of who asks for what there is not; None where nobody looks.
    """

    routes: RouteTable
    authentication: Authentication
    allowances: Allowances | None
    strangers: Allowances | None = None
    observer: Observer
    max_body_bytes: int
    body_seconds: float = 60.0
    max_file_bytes: int = 0
    file_seconds: float = 600.0
    proxies: Proxies = field(default_factory=Proxies)
    networks: Networks = field(default_factory=Networks)
    record: Record = field(default_factory=Unrecorded)
    pauses: SignInPauses | None = None
    lookout: Lookout | None = None


class Edge:
    """Stands around the routes.

    Args:
        app: What is inside, and serves the route that it finds in ``scope["state"]["found"]``, for the caller in
            ``scope["state"]["context"]``.
        guards: What it asks.
    """

    def __init__(self, app: ASGIApp, guards: Guards) -> None:
        self._app = app
        self._guards = guards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = self._guards.routes.find(scope["method"], scope["path"])
        await self.serve(found, scope, receive, send)

    async def serve(self, found: Found | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request for a route.

        Args:
            found: The route; None where the table has none.
            scope: Of the request.
            receive: Gives its body.
            send: Takes its answer.
        """
        headers = Headers(scope=scope)
        context = Context(NOBODY, trace=trace_of(headers))
        route = found.route.path if found else UNKNOWN
        method = scope["method"] if scope["method"] in METHODS else UNKNOWN
        with observed(self._guards.observer, "http.request", context, route=route, method=method) as told:
            if identity := headers.get("x-request-id"):
                told.facts["request_id"] = identity[:MOST_IDENTITY]
            answer = _Answer(send, told, context.trace)
            arrival = _Arrival(scope, receive, headers, found, self._guards.proxies)
            try:
                await self._serve(arrival, answer, told)
            except Exception as error:
                if answer.is_begun:
                    raise
                refusal = known_error(error)
                self._tell(told, refusal)
                await error_response(refusal)(scope, receive, answer)
                if isinstance(refusal, Defect):
                    raise
            finally:
                self._put_on_record(told, arrival)
                self._look_out(told, arrival)

    async def _serve(self, arrival: _Arrival, answer: _Answer, told: Operation) -> None:
        guards, scope, found = self._guards, arrival.scope, arrival.found
        if guards.networks.are_limited and not arrival.is_probe:
            guards.networks.check(arrival.address)
        is_public = arrival.is_public(guards.routes)
        caller = None if is_public else await self._caller(arrival.headers)
        if isinstance(caller, Principal):
            told.context = told.context._replace(principal=caller)
        principal = caller if isinstance(caller, Principal) else None
        allowances = guards.strangers if principal is None else guards.allowances
        if allowances is not None and not arrival.is_probe:
            allowance = await allowance_of(allowances, arrival.address, principal)
            if allowance is not None:
                answer.tell_of(allowance)
                if not allowance.is_granted:
                    raise RateLimited(allowance.retry_seconds)
        limit, seconds = self._bounds(found)
        check_length(arrival.headers, limit)
        if isinstance(caller, OptionChainError):
            raise self._paused(caller, arrival)
        if caller is not None and guards.lookout is not None:
            guards.lookout.served(caller, arrival.address)
        if found is None:
            raise _no_route(guards.routes, scope["path"])
        if not is_public and not told.context.principal.may(found.route.permission):
            raise missing_role(found.route.permission)
        scope.setdefault("state", {}).update(context=told.context, found=found)
        await self._app(scope, bounded(arrival.receive, limit, seconds), answer)

    async def _caller(self, headers: Headers) -> Principal | OptionChainError:
        """The caller, or why there is none: who guesses keys is counted before it is told."""
        try:
            return await authenticated(self._guards.authentication, headers)
        except OptionChainError as error:
            return error

    def _paused(self, refusal: OptionChainError, arrival: _Arrival) -> OptionChainError:
        """What a caller is told who is not known: of a pause, where an address has guessed too often."""
        pauses, is_guess = self._guards.pauses, presented_secret(arrival.headers) is not None
        if pauses is None or not is_guess or not isinstance(refusal, Unauthenticated):
            return refusal
        pause = pauses.failed(network_of(arrival.address))
        return RateLimited(pause) if pause else refusal

    def _look_out(self, told: Operation, arrival: _Arrival) -> None:
        lookout = self._guards.lookout
        if lookout is not None and told.facts.get("status") == NOT_FOUND:
            lookout.missed(told.context.principal, network_of(arrival.address))

    def _tell(self, told: Operation, refusal: OptionChainError) -> None:
        told.facts["error"] = type(refusal).__name__
        kind = next((REJECTS[each] for each in type(refusal).__mro__ if each in REJECTS), None)
        if kind is not None:
            self._guards.observer.counted("http.rejected", kind=kind)
        elif type(refusal) in DENIALS:
            self._guards.observer.counted("http.denied", kind=DENIALS[type(refusal)])

    def _put_on_record(self, told: Operation, arrival: _Arrival) -> None:
        guards, found, scope = self._guards, arrival.found, arrival.scope
        if told.facts.get("error") in DENIED:
            guards.record.refusal(entry_of(scope, told, arrival.address))
        elif (
            found is not None
            and (found.route.is_on_record or ON in scope.get("state", {}))
            and told.context.principal.may(ADMINISTER)
        ):
            guards.record.act(entry_of(scope, told, arrival.address))

    def _bounds(self, found: Found | None) -> tuple[int, float]:
        """How many bytes a body may have, and how long it may take."""
        guards = self._guards
        if found is not None and found.route.takes_files:
            return guards.max_file_bytes, guards.file_seconds
        return guards.max_body_bytes, guards.body_seconds


@dataclass
class _Arrival:
    """A request, and the route that it asks for."""

    scope: Scope
    receive: Receive
    headers: Headers
    found: Found | None
    proxies: Proxies

    @cached_property
    def address(self) -> Address | None:
        """Where it came from; several guards ask."""
        return self.proxies.client_of(self.scope, self.headers)

    def is_public(self, routes: RouteTable) -> bool:
        """Whether it needs no key; a wrong method at a public path needs none either."""
        asked = [self.found.route] if self.found else routes.at(self.scope["path"])
        return any(route.permission is Permission.PUBLIC for route in asked)

    @property
    def is_probe(self) -> bool:
        """Whether it is never refused for its number: that would take a healthy replica out of service."""
        return self.found is not None and self.found.route.is_probe


class _Answer:
    """`send`, which notes the status for the observer, and adds who answers and what the caller may still ask."""

    def __init__(self, send: Send, told: Operation, given_trace: str) -> None:
        self._send = send
        self._told = told
        self._given_trace = given_trace
        self.is_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_begun = True
            self._told.facts["status"] = message["status"]
            message["headers"] = [*message.get("headers", ()), INSTANCE]
            context = self._told.context
            if context.is_followed and context.trace != self._given_trace:
                message["headers"].append((TRACE_RESPONSE, context.trace.encode()))
        await self._send(message)

    def tell_of(self, allowance: Allowance) -> None:
        self._send = telling(allowance, self._send)


def _no_route(routes: RouteTable, path: str) -> OptionChainError:
    """Why nothing answers: the path is not known, or the method is not."""
    allowed = [route.method for route in routes.at(path)]
    if allowed:
        return WrongMethod(allowed)
    meant = path.rstrip("/")
    return UnknownPath(meant if routes.at(meant) else None)
