"""What an operator looks at first."""

from __future__ import annotations

import re

import httpx
import pytest


def test_it_is_up(anonymous: httpx.Client) -> None:
    assert anonymous.get("/health").json() == {"status": "up"}


def test_all_that_it_needs_is_up(anonymous: httpx.Client) -> None:
    # On a busy machine, something may take longer than the patience of one answer.
    answers = (anonymous.get("/ready") for _ in range(10))

    assert any(
        answer.status_code == 200 and set(answer.json()["dependencies"].values()) == {"up"}
        for answer in answers
    )


def test_it_describes_itself(anonymous: httpx.Client) -> None:
    document = anonymous.get("/api-docs/openapi.json").json()

    assert document["openapi"].startswith("3.")
    assert {"ApiKey", "Basic", "Bearer"} <= set(document["components"]["securitySchemes"])
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


@pytest.mark.parametrize("path", ["/swagger-ui/", "/docs"])
def test_its_documentation_needs_no_other_server(anonymous: httpx.Client, path: str) -> None:
    page = anonymous.get(path).text

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(address.endswith("swagger-ui-bundle.js") for address in loaded)
    assert [anonymous.get(address).status_code for address in loaded] == [200] * len(loaded)
    assert "http" not in page.partition("<body>")[0]


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_probe_may_ask_for_the_headers_alone(anonymous: httpx.Client, path: str) -> None:
    answer = anonymous.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_request_keeps_its_name(api: httpx.Client) -> None:
    answer = api.get("/health", headers={"X-Request-Id": "conformance-1"})

    assert answer.headers["X-Request-Id"] == "conformance-1"
