"""Whatever stands in a path, a query, a header or a body, through every route: an answer, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from tests.clusters import Cluster

# Text, or what JSON has beside it; each has harmed some program that took it at its word.
HOSTILE: Mapping[str, Any] = {
    "an operator of MongoDB": {"$gt": ""},
    "code for MongoDB": {"$where": "sleep(1000)"},
    "a path of MongoDB": "a.$[].b",
    "NUL": "a\x00b",
    "a header": "a\r\nX-Injected: 1\r\n\r\nGET / HTTP/1.1",
    "a command of Redis": "a\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "a slot of Redis": "{a}:{b}",
    "every key": "*",
    "text that turns around": "\u202egnp.exe",
    "half a character": "\ud800",
    "a folder above": "../../../../etc/passwd",
    "a formula": '=HYPERLINK("http://evil","x")',
    "a script": "<img src=x onerror=alert(1)>",
    "a template": "${jndi:ldap://evil}{{7*7}}%s%n",
    # HAProxy answers by itself what does not fit its buffer of 16 kB.
    "a long text": "a" * 8_000,
    "a number beyond all": "@number@",
    "depth": [[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]],
}
HEADERS = (
    "X-Request-Id",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Accept",
    "Prefer",
    "traceparent",
)
# They change what other tests see of the service, or end with the connection; what they take has tests of its own.
LEFT_OUT = frozenset({"/metrics", "/api/v1/sign-in/codes"})


class Request(NamedTuple):
    """One place of one operation, with something in it."""

    method: str
    url: str
    body: bytes | None = None
    headers: dict[str, str] = {}  # noqa: RUF012  never changed


def requests(document: Mapping[str, Any], hostile: Any) -> Iterator[Request]:
    """Every operation with something hostile in each place that takes text, one place at a time."""
    text = hostile if isinstance(hostile, str) else json.dumps(hostile)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in LEFT_OUT:
                continue
            names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"]
            queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
            harmless = path.format(**dict.fromkeys(names, "HOSTILE"))
            for name in names:
                yield Request(method, path.format(**dict.fromkeys(names, "HOSTILE") | {name: in_url(text)}))
            for query in queries:
                yield Request(method, f"{harmless}?{query}={in_url(text)}")
            for header in HEADERS:
                yield Request(method, harmless, headers={header: in_header(text)})
            for body in bodies(document, operation, hostile):
                yield Request(method, harmless, body, {"Content-Type": "application/json"})


def bodies(document: Mapping[str, Any], operation: Mapping[str, Any], hostile: Any) -> Iterator[bytes]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    schema = resolved(document, content["schema"])
    example: Mapping[str, Any] = (
        content.get("example") or schema.get("example") or next(iter(schema.get("examples", ())), {})
    )
    yield in_json(hostile)
    yield in_json({"key \x00 of nobody": hostile})
    for name, declared in schema.get("properties", {}).items():
        if takes_more_than_numbers(document, declared):
            yield in_json({**example, name: hostile})


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def takes_more_than_numbers(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    schema = resolved(document, schema)
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if parts:
        return any(takes_more_than_numbers(document, part) for part in parts)
    return schema.get("type") not in ("number", "integer", "boolean", "null")


def in_url(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def in_header(text: str) -> str:
    """As much as a client can send in one: lines end it, and Latin letters are all there is."""
    in_one_line = text.translate({ord("\r"): " ", ord("\n"): " ", 0: None})
    return in_one_line.encode("latin-1", "replace").decode("latin-1").strip()


def in_json(value: Any) -> bytes:
    return json.dumps(value).replace('"@number@"', "1e400").encode()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_answered_and_harms_nobody(name: str, cluster: Cluster) -> None:
    headers = {"X-API-Key": cluster.state.api_key or ""}
    with httpx.Client(base_url=cluster.state.base_url, headers=headers, timeout=60.0, trust_env=False) as api:
        document = api.get("/api-docs/openapi.json").raise_for_status().json()
        tried = 0
        for request in requests(document, HOSTILE[name]):
            encoded = [(key.encode(), value.encode("latin-1")) for key, value in request.headers.items()]
            with api.stream(request.method, request.url, content=request.body, headers=encoded) as answer:
                said = answer.read() if answer.status_code >= 400 else b"{}"
            tried += 1
            sent = f"{request.method} {request.url[:200]} {request.headers} {(request.body or b'')[:300]!r}"
            shown = f"{sent}: {answer.status_code} {said[:500]!r}"
            assert answer.status_code < 500, shown
            assert "x-injected" not in answer.headers, shown
            if request.method != "head" and answer.status_code >= 400:
                assert isinstance(json.loads(said), dict), shown
                assert b"Traceback" not in said, shown
    assert tried > 300
