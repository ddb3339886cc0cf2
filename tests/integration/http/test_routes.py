"""The table of routes: all of them are in it, and nothing else says who may call one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from optionchain.access.roles import Permission, roles_with
from serve_app.asgi import build_routes
from serve_app.edge.route_table import Route
from serve_app.handling.kinds import ModelRoute
from serve_app.routes.table import ROUTES

ROOT = Path(__file__).resolve().parents[3]
SHOWN = {(route.method, route.path): route for each in ROUTES.sections if each.name for route in each.routes}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    services: Any = None
    app, _ = build_routes(services)
    return app.openapi()


def test_every_operation_of_the_openapi_document_has_a_row_and_every_row_an_operation(
    document: dict[str, Any],
) -> None:
    operations = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert operations == set(SHOWN)


def test_the_document_asks_for_a_key_where_the_table_does(document: dict[str, Any]) -> None:
    for (method, path), route in SHOWN.items():
        asks = "security" in document["paths"][path][method.lower()]
        assert asks is (route.permission is not Permission.PUBLIC), path


def test_the_document_names_the_roles_of_every_operation_that_needs_one(document: dict[str, Any]) -> None:
    for (method, path), route in SHOWN.items():
        operation = document["paths"][path][method.lower()]
        if route.permission is not Permission.PUBLIC:
            assert operation["x-roles"] == roles_with(route.permission)
            assert "403" in operation["responses"], path


def test_no_handler_answers_two_rows_of_the_api() -> None:
    assert len({id(route.handler) for route in SHOWN.values()}) == len(SHOWN)


def test_a_frequent_route_is_read_in_one_go() -> None:
    kinds = {section.kind for section in ROUTES.sections for route in section.routes if route.is_frequent}

    assert kinds == {ModelRoute}


def test_paths_stand_in_the_table_and_in_no_other_module_of_the_service() -> None:
    elsewhere = [
        f"{path.name}: {match}"
        for path in (ROOT / "serve_app").rglob("*.py")
        if path.name not in ("table.py", "documentation.py")
        for match in re.findall(r"\"/api/v\d[^\"]*\"", path.read_text(encoding="utf-8"))
    ]

    # Those that name what they have made, in `Location`.
    assert sorted(elsewhere) == ['sweeps.py: "/api/v1/sweeps"', 'tasks.py: "/api/v1/tasks"']


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/api/v1/historical/SPX/prices", "/api/v1/historical/{asset}/prices"),
        ("GET", "/api/v1/historical/SPX/2024-01-02", "/api/v1/historical/{asset}/{date}"),
        ("PUT", "/api/v1/historical/SPX/prices", "/api/v1/historical/{asset}/{date}"),
        ("GET", "/api/v1/historical/assets", "/api/v1/historical/assets"),
        ("GET", "/api/v2/simulations/7", "/api/v2/simulations/{id}"),
        ("HEAD", "/health", "/health"),
    ],
)
def test_a_path_leads_to_the_most_literal_template(method: str, path: str, template: str) -> None:
    found = ROUTES.find(method, path)

    assert found is not None
    assert found.route.path == template
    assert re.sub(r"\{(\w+)\}", lambda place: found.path_parameters[place[1]], template) == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "//"),
        ("GET", ""),
        ("GET", "/page/"),
        ("GET", "/api/v2/simulations/"),
        ("GET", "/api/v2/simulations//step"),
        ("GET", "/api/v1/historical//prices"),
        ("GET", "//health"),
        ("HEAD", "/api/v1/chain"),
        ("OPTIONS", "/health"),
    ],
)
def test_any_other_path_or_method_leads_nowhere(method: str, path: str) -> None:
    assert ROUTES.find(method, path) is None


def test_the_methods_of_a_path_are_those_of_its_most_literal_template() -> None:
    def methods(path: str) -> list[str]:
        return [route.method for route in ROUTES.at(path)]

    assert methods("/api/v1/historical/SPX/prices") == ["GET"]
    assert methods("/api/v1/chain") == ["DELETE", "GET", "PATCH", "POST", "PUT"]
    assert methods("/nowhere") == []


def test_probes_are_public() -> None:
    probes: list[Route] = [route for route in ROUTES if route.is_probe]

    assert {route.path for route in probes} == {"/health", "/ready"}
    assert all(route.permission is Permission.PUBLIC for route in probes)
