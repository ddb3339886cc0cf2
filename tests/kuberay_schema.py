"""What KubeRay's API server would say to an object: its own schemas, held strictly, without a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).with_name("kuberay")


def refusals(document: dict[str, Any]) -> list[str]:
    """What is wrong with a custom resource of `ray.io/v1`, one line each; an unknown field is wrong too."""
    schema = json.loads((SCHEMAS / f"{document['kind'].lower()}.json").read_text(encoding="utf-8"))
    strict = _strict(schema)
    strict["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    errors = Draft7Validator(strict).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def _strict(schema: Any) -> Any:
    """A structural schema of a custom resource as a JSON schema that allows no unknown fields."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    # A format is for whoever generates a client: Kubernetes' integers are "int32".
    found = {key: value for key, value in schema.items() if key not in {"nullable", "format"}}
    for key in ("items", "additionalProperties"):
        if key in found:
            found[key] = _strict(found[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in found:
            found[key] = [_strict(each) for each in found[key]]
    if "properties" in found:
        found["properties"] = {name: _strict(each) for name, each in found["properties"].items()}
        if not found.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    if schema.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    return found
