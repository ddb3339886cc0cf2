"""What is known of a route before it runs: who may call it, how often it is called, and its name in metrics."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from fastapi import Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

Responses: TypeAlias = dict[int | str, dict[str, Any]]
Endpoint: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


class Permission(StrEnum):
    """What a caller needs to be let in."""

    PUBLIC = "public"
    """Nothing: who calls is not even looked at."""
    CALLER = "caller"
    """A key that is known."""
    ADMIN = "admin"
    """The key of an administrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What answers the requests of a route, and what the OpenAPI document says of it.

    Attributes:
        endpoint: The function; its docstring is the description.
        summary: In a few words.
        responses: By status.
        status: Of a successful answer.
        response_class: Of an answer.
        extra: What else the operation's documentation has.
    """

    endpoint: Endpoint
    summary: str
    responses: Responses
    status: int = 200
    response_class: type[Response] = JSONResponse
    extra: Mapping[str, Any] = field(default_factory=dict)


def handler(
    summary: str,
    *,
    responses: Responses | None = None,
    status: int = 200,
    response_class: type[Response] = JSONResponse,
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> Callable[[Endpoint], Handler]:
    """Make a function a `Handler`; the table of routes says where it answers."""

    def made(endpoint: Endpoint) -> Handler:
        return Handler(
            endpoint=endpoint,
            summary=summary,
            responses=responses or {},
            status=status,
            response_class=response_class,
            extra=extra,
        )

    return made


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One row of the table.

    Attributes:
        method: Of HTTP.
        path: The template, ``/api/v2/simulations/{id}``: also the name of the route in metrics and traces.
        handler: What answers.
        permission: What the caller needs.
        is_frequent: Called for every step of somebody's loop; found without FastAPI's own search.
        is_probe: Asked by whoever watches the service: never limited, and HEAD will do.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission = Permission.CALLER
    is_frequent: bool = False
    is_probe: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it answers."""
        return (self.method, "HEAD") if self.is_probe else (self.method,)


@dataclass(frozen=True, slots=True)
class Section:
    """Routes that the documentation shows together.

    Attributes:
        name: Their heading; empty where the OpenAPI document leaves them out.
        about: What they are.
        kind: How FastAPI reads their requests.
        routes: The rows.
    """

    name: str
    about: str
    kind: type[APIRoute]
    routes: Sequence[Route]


@dataclass(frozen=True, slots=True)
class Found:
    """The route of a request, and what stands in the places of its template."""

    route: Route
    path_parameters: dict[str, str]


@dataclass(slots=True)
class _Node:
    """What may follow a part of a path."""

    routes: dict[str, Route] = field(default_factory=dict)
    literal: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None

    def below(self, segment: str) -> _Node:
        if not segment.startswith("{"):
            return self.literal.setdefault(segment, _Node())
        if self.any is None:
            self.any = _Node()
        return self.any


class RouteTable:
    """All routes, found by the parts of a path; a literal part goes before a place of a template.

    Args:
        sections: The rows.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections = sections
        self._root = _Node()
        for route in self:
            node = self._root
            for segment in route.path.split("/"):
                node = node.below(segment)
            node.routes.update(dict.fromkeys(route.methods, route))

    def __iter__(self) -> Iterator[Route]:
        return (route for section in self.sections for route in section.routes)

    def find(self, method: str, path: str) -> Found | None:
        """The route of a request; None where there is none for this method."""
        values: list[str] = []
        route = next((n.routes[method] for n in self._nodes(path, values) if method in n.routes), None)
        if route is None:
            return None
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")] if values else ()
        return Found(route, dict(zip(names, values, strict=True)))

    def at(self, path: str) -> list[Route]:
        """The routes of a path, in the order of their methods; those of its most literal template."""
        nodes = (node for node in self._nodes(path, []) if node.routes)
        return sorted(set(next(nodes, _Node()).routes.values()), key=lambda route: route.method)

    def _nodes(self, path: str, values: list[str]) -> Iterator[_Node]:
        """The ends that a path leads to, the most literal one first; `values` is what stood in the places."""
        segments = path.split("/")

        def walk(node: _Node, depth: int) -> Iterator[_Node]:
            if depth == len(segments):
                yield node
                return
            segment = segments[depth]
            literal = node.literal.get(segment)
            if literal is not None:
                yield from walk(literal, depth + 1)
            if node.any is not None and segment:
                values.append(segment)
                yield from walk(node.any, depth + 1)
                values.pop()

        return walk(self._root, 0)
