"""The documentation site: `make docs` builds it from this folder and the docstrings, without the internet."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import make_reference  # noqa: E402  (it is beside this file)

from optionchain import __version__  # noqa: E402

project = "OptionChain Simulator"
author = "the OptionChain Simulator authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["drawings"]
html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False

# Headings are addresses, as on the forge: `http.md#errors`. A link that leads nowhere is an error (`make docs`).
myst_heading_anchors = 3

# Docstrings are Google's, with names between single backticks.
default_role = "code"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"


def write_reference(app: Sphinx) -> None:
    """The pages of the reference are there before Sphinx looks for pages."""
    make_reference.write(Path(app.srcdir) / "reference")


def name_errors(_: Sphinx, doctree: nodes.document) -> None:
    """An error that a docstring names is the one of its own package: the domain and the client share the names."""
    for reference in doctree.findall(pending_xref):
        name = reference.get("reftarget", "")
        errors = sys.modules.get(f"{str(reference.get('py:module')).partition('.')[0]}.errors")
        if reference.get("reftype") == "exc" and hasattr(errors, name):
            reference["reftarget"] = f"{getattr(errors, name).__module__}.{name}"


def skip_fields(_: Sphinx, _what: str, _name: str, value: object, *_rest: object) -> bool | None:
    """The fields of a named tuple are described by its docstring; Python's own words are "Alias for field number 0"."""
    return True if type(value).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> None:
    """What this site needs besides the extensions."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", name_errors)
