"""What Sphinx does not know of our docstrings: an extension for the pages of `make_reference.py`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import make_reference
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature


def write_pages(app: Sphinx) -> None:
    """The pages are there before Sphinx looks for pages."""
    make_reference.write(Path(app.srcdir) / "reference")


def declared(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """The fields of a class that are annotated with what they allow, and its JSON schema."""
    if not inspect.isclass(value) or "__annotations__" not in vars(value):
        return
    for name, hint in get_type_hints(value, include_extras=True).items():
        for note in getattr(hint, "__metadata__", ()):  # those of `Annotated`
            if isinstance(schema := getattr(note, "schema", None), Callable):
                yield name, schema()


def plain_signature(
    _: Sphinx, _what: str, _name: str, value: Any, _options: object, signature: str, returned: str
) -> tuple[str, str] | None:
    """A signature says `dt: float`; what is allowed is said below, by `with_parameters`."""
    if not list(declared(value)):
        return None
    hints = get_type_hints(value)
    found = inspect.signature(value)
    plain = [each.replace(annotation=hints.get(name)) for name, each in found.parameters.items()]
    return stringify_signature(found.replace(parameters=plain, return_annotation=found.empty)), returned


def with_parameters(
    _: Sphinx, _what: str, _name: str, value: object, _options: object, lines: list[str]
) -> None:
    """The parameters of a model, with their bounds, below its docstring."""
    for name, schema in declared(value):
        lines += [] if lines[-1:] == [""] else [""]
        lines.append(f":param {name}: {schema.get('description', '')} {allowed(schema)}".rstrip())


def allowed(schema: dict[str, Any]) -> str:
    """The bounds of a number in words."""
    low = f"above {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else None
    low = low or (f"at least {schema['minimum']:g}" if "minimum" in schema else None)
    high = f"at most {schema['maximum']:g}" if "maximum" in schema else None
    words = ", ".join(bound for bound in (low, high) if bound)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def skip_fields(_: Sphinx, _what: str, _name: str, value: object, *_rest: object) -> bool | None:
    """A named tuple's docstring describes its fields; Python's own words are "Alias for field number 0"."""
    return True if type(value).__name__ == "_tuplegetter" else None


def name_errors(_: Sphinx, doctree: nodes.document) -> None:
    """An error that a docstring names is the one of its own package: the domain and the client share the names."""
    for reference in doctree.findall(pending_xref):
        name = reference.get("reftarget", "")
        errors = sys.modules.get(f"{str(reference.get('py:module')).partition('.')[0]}.errors")
        if reference.get("reftype") == "exc" and hasattr(errors, name):
            reference["reftarget"] = f"{getattr(errors, name).__module__}.{name}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("autodoc-process-docstring", with_parameters)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", name_errors)
    return {"parallel_read_safe": True}
