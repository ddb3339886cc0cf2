"""The documentation site: `make docs` builds it from this folder and the docstrings, without the internet."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from optionchain import __version__  # noqa: E402

project = "OptionChain Simulator"
author = "the OptionChain Simulator authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference_extension"]
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
