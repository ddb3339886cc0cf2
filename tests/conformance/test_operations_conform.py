"""What an operator looks at first."""

from __future__ import annotations

import httpx


def test_it_is_up(anonymous: httpx.Client) -> None:
    assert anonymous.get("/health").json() == {"status": "up"}


def test_all_that_it_needs_is_up(anonymous: httpx.Client) -> None:
    ready = anonymous.get("/ready")

    assert ready.status_code == 200
    assert set(ready.json()["dependencies"].values()) == {"up"}


def test_it_describes_itself(anonymous: httpx.Client) -> None:
    document = anonymous.get("/api-docs/openapi.json").json()

    assert document["openapi"].startswith("3.")
    assert {"ApiKey", "Basic", "Bearer"} <= set(document["components"]["securitySchemes"])
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_its_documentation_is_a_page(anonymous: httpx.Client) -> None:
    for path in ("/swagger-ui/", "/docs"):
        assert "swagger" in anonymous.get(path).text.lower()


def test_a_request_keeps_its_name(api: httpx.Client) -> None:
    answer = api.get("/health", headers={"X-Request-Id": "conformance-1"})

    assert answer.headers["X-Request-Id"] == "conformance-1"
