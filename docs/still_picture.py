"""A plotly figure as an SVG file, drawn by the Chromium of this machine; only these pages need still pictures."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 120
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><script>{library}</script><body><script>
const figure = {figure};
figure.data.forEach((trace, index) => {{ trace.uid = `trace${{index}}`; }});
Plotly.newPlot(document.createElement("div"), figure.data, figure.layout)
  .then(drawn => Plotly.toImage(drawn, {{format: "svg", width: {width}, height: {height}}}))
  .then(image => {{ document.body.textContent = decodeURIComponent(image.slice(image.indexOf(",") + 1)); }});
</script>"""
# Plotly gives each figure a name of six random digits, which the names of its parts begin or end with.
_RANDOM_NAME = re.compile(r"defs-([0-9a-f]{6})\b")


def save(figure: Figure, path: Path, *, width: int = 900, height: int = 420) -> None:
    """Write a figure; the same figure is the same file.

    Args:
        figure: The figure.
        path: Of the SVG file.
        width: Pixels.
        height: Pixels.
    """
    with TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(
            _PAGE.format(library=get_plotlyjs(), figure=figure.to_json(), width=width, height=height), "utf-8"
        )
        shown = subprocess.run(  # noqa: S603  a browser of this machine, on a page of ours
            [
                _program(),
                *("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"),
                *(f"--user-data-dir={folder}/profile", "--dump-dom", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        ).stdout
    drawing = re.search(r"<body>(&lt;svg.*?)</body>", shown, re.DOTALL)
    if drawing is None:
        raise RuntimeError(f"Chromium has drawn nothing for {path.name}")
    text = html.unescape(drawing[1]).strip()
    for name in set(_RANDOM_NAME.findall(text)):
        text = text.replace(name, "figure")
    path.write_text(text + "\n", encoding="utf-8")


def _program() -> str:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise RuntimeError(f"Still pictures need one of {', '.join(PROGRAMS)} on the PATH")
    return found
