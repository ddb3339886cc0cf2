"""What an operator looks at first."""

from __future__ import annotations

import re
import time
import uuid

import httpx
import pytest

# What is counted comes to the page some seconds later.
PATIENCE_SECONDS = 60.0


def test_it_is_up(anonymous: httpx.Client) -> None:
    assert anonymous.get("/health").json() == {"status": "up"}


def test_all_that_it_needs_is_up(anonymous: httpx.Client) -> None:
    # On a busy machine, something may take longer than the patience of one answer.
    answers = (anonymous.get("/ready") for _ in range(10))

    assert any(
        answer.status_code == 200 and set(answer.json()["states"].values()) == {"up"} for answer in answers
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


def test_its_document_says_what_it_is(anonymous: httpx.Client) -> None:
    info = anonymous.get("/api-docs/openapi.json").json()["info"]

    assert "optionchain" in info["title"].lower()
    assert info["version"]


def test_every_advertised_path_answers(api: httpx.Client) -> None:
    document = api.get("/api-docs/openapi.json").json()

    for template, operations in document["paths"].items():
        for method in operations.keys() & {"get", "post", "put", "patch", "delete"}:
            path = template.replace("{id}", "00000000-0000-4000-8000-000000000000")
            body = {"json": {}} if method in ("post", "put", "patch") else {}
            answer = api.request(method, path, **body)
            assert answer.status_code not in (405, *range(500, 600)), f"{method} {path}: {answer.text}"
            if answer.status_code == 404:
                assert "{id}" in template, f"{method} {path} is not there"
                assert answer.json()["error"]


@pytest.mark.parametrize(("path", "kind"), [("/swagger-ui/", "text/html"), ("/favicon.ico", "image/")])
def test_what_browsers_ask_for_is_there(anonymous: httpx.Client, path: str, kind: str) -> None:
    answer = anonymous.get(path)

    assert (answer.status_code, bool(answer.content)) == (200, True)
    assert answer.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("path", ["/nope", "/api/v3/simulations", "/api/v1"])
def test_an_unknown_path_is_not_found(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 404


def test_metrics_are_lines_of_a_name_and_a_number(api: httpx.Client) -> None:
    answer = api.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    assert all(float(line.rpartition(" ")[2]) is not None for line in lines)
    assert not [line for line in lines if 'endpoint="/health"' in line or 'endpoint="/ready"' in line]


def test_metrics_have_the_names_of_the_replaced_service_and_move(api: httpx.Client) -> None:
    series = 'api_requests_total{endpoint="/api/v1/chain",method="GET",status="404"} '

    def count() -> float:
        lines = api.get("/metrics").text.splitlines()
        return next((float(line.removeprefix(series)) for line in lines if line.startswith(series)), 0.0)

    before = count()
    assert api.get("/api/v1/chain", params={"sessionid": str(uuid.uuid4())}).status_code == 404
    deadline = time.monotonic() + PATIENCE_SECONDS
    while count() == before:  # each answer takes a while
        assert time.monotonic() < deadline
    text = api.get("/metrics").text
    for name in ("requests_total", "errors_total", "request_duration_seconds"):
        assert f"# HELP api_{name}" in text
    assert "# HELP active_sessions" in text
