"""What schemathesis checks of every answer besides its own list."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.check
def a_refusal_names_an_input(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A 400 is about an input of this request: nobody can do anything about the name of a variable of ours."""
    if response.status_code != 400:
        return
    field = response.json()["field"]
    # The body of a configuration is what its answers call `values`.
    known = _parameters(case) | _properties(case) | _keys(case.body) | _keys(case.query) | {"body", "values"}
    is_known = any(field == name or field.startswith((f"{name}.", f"{name}[")) for name in known)
    assert is_known, f"400 names {field!r}, which is no input of {case.operation.label}"


@schemathesis.check
def an_error_has_our_body(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Every error is `{"error": text}`, says nothing of our insides, and its request has a name."""
    if response.status_code < 400:
        return
    body = response.json()
    assert isinstance(body["error"], str), body
    assert body["error"], body
    assert "Traceback" not in response.text, body
    assert response.headers.get("x-request-id"), "no request id"


def _parameters(case: schemathesis.Case) -> set[str]:
    operation = case.operation
    return {
        parameter.name
        for container in (operation.query, operation.path_parameters, operation.headers)
        for parameter in container
    }


def _properties(case: schemathesis.Case) -> set[str]:
    names: set[str] = set()
    for body in case.operation.body:
        names |= set(body.optimized_schema.get("properties", {}))
    return names


def _keys(body: Any) -> set[str]:
    return set(body) if isinstance(body, dict) else set()
