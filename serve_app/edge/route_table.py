"""What is known of a route before it runs: who may call it, how often it is called, and its name in metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from fastapi import Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from optionchain.access.roles import Permission

Responses: TypeAlias = dict[int | str, dict[str, Any]]
Endpoint: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


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
        takes_files: Its bodies are files, which may be longer, and take longer to come.
        is_probe: Asked by whoever watches the service: never limited, and HEAD will do.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission
    is_frequent: bool = False
    is_probe: bool = False
    takes_files: bool = False

    @property
    def is_on_record(self) -> bool:
        """Whether each request is put on record: it changes what concerns all tenants."""
        return self.permission is Permission.ADMINISTER and self.method != "GET"

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


class RouteTable:
    """All routes, found by the parts of a path; of two that match, the one with fewer places in its template.

    Args:
        sections: The rows.
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections = sections
        self._exact: dict[tuple[str, str], Found] = {}
        self._templates: dict[tuple[str, int], list[_Template]] = defaultdict(list)
        for route in self:
            for method in route.methods:
                if "{" in route.path:
                    self._templates[method, route.path.count("/")].append(_Template.of(route))
                else:
                    self._exact[method, route.path] = Found(route, {})
        for templates in self._templates.values():
            templates.sort(key=lambda template: len(template.places))
        self._methods = sorted({method for route in self for method in route.methods})

    def __iter__(self) -> Iterator[Route]:
        return (route for section in self.sections for route in section.routes)

    def find(self, method: str, path: str) -> Found | None:
        """The route of a request; None where there is none for this method."""
        found = self._exact.get((method, path))
        if found is not None:
            return found
        templates = self._templates.get((method, path.count("/")))
        if templates is None:
            return None
        parts = path.split("/")
        return next((found for each in templates if (found := each.found(parts)) is not None), None)

    def at(self, path: str) -> list[Route]:
        """The routes of a path, in the order of their methods: those of its most literal template."""
        found = [each for method in self._methods if (each := self.find(method, path)) is not None]
        fewest = min((len(each.path_parameters) for each in found), default=0)
        return list(dict.fromkeys(each.route for each in found if len(each.path_parameters) == fewest))


@dataclass(frozen=True, slots=True)
class _Template:
    """A path with places, taken apart."""

    route: Route
    literals: tuple[tuple[int, str], ...]
    places: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, route: Route) -> _Template:
        parts = list(enumerate(route.path.split("/")))
        return cls(
            route,
            tuple((index, part) for index, part in parts if not part.startswith("{")),
            tuple((index, part[1:-1]) for index, part in parts if part.startswith("{")),
        )

    def found(self, parts: Sequence[str]) -> Found | None:
        """What a path of as many parts has in the places; None where it is another path."""
        for index, literal in self.literals:
            if parts[index] != literal:
                return None
        values = {name: parts[index] for index, name in self.places}
        return Found(self.route, values) if all(values.values()) else None
