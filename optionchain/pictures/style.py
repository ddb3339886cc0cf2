"""How pictures look: the one place that decides colours, and where plotly is imported, which only some callers have."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from optionchain.extras import brought_by

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#2a6fbb", "#e08214", "#2c9c69", "#c23b4e", "#7b5ea7", "#8a8f98"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, GREY)
"""Of lines, in their order."""
SHADES = ("#e1ebf6", "#b9cfe9", "#87abd9")
"""Of a fan, from the outside in; opaque, so that a legend shows what the fan does."""
SCALE, SIGNED_SCALE = "Viridis", "RdBu"
"""Of a map: of any number, and of one that is above or below zero."""
SCALE_STOPS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
"""The first of them in stops, for whoever has no plotly at hand."""
IN_THE_MONEY = "rgba(42, 111, 187, 0.14)"
"""Behind a cell of a table, on a light page and on a dark one."""


class Paper(NamedTuple):
    """What is drawn on, and with.

    Attributes:
        ink: Of texts.
        quiet: Of texts that say less.
        paper: The ground.
        panel: A ground that is told from it.
        grid, axis: Of lines behind a picture, and around it.
        accent: Of what can be clicked, on the paper.
        rise, fall: Of numbers that went up, and down.
        in_the_money: Behind such a cell of a table.
    """

    ink: str
    quiet: str
    paper: str
    panel: str
    grid: str
    axis: str
    accent: str
    rise: str
    fall: str
    in_the_money: str


LIGHT = Paper(
    "#24292f",
    "#57606a",
    "#ffffff",
    "#f4f6f8",
    "#e6e8eb",
    "#c9ced4",
    "#1f5f9f",
    "#17724a",
    "#b02a3e",
    "#e1ebf6",
)
DARK = Paper(
    "#e6edf3",
    "#a4afba",
    "#0f1318",
    "#181e25",
    "#272e37",
    "#4a545f",
    "#7fb4ee",
    "#5fd39b",
    "#ff8d99",
    "#182a3f",
)
INK, GRID, AXIS, PAPER = LIGHT.ink, LIGHT.grid, LIGHT.axis, LIGHT.paper

_AXIS = {"gridcolor": GRID, "linecolor": AXIS, "zerolinecolor": AXIS, "ticks": "outside", "tickcolor": AXIS}
_SPACE_AXIS = {"gridcolor": GRID, "backgroundcolor": PAPER, "zerolinecolor": AXIS}
_LOOK = {
    "colorway": COLOURS,
    "font": {"color": INK, "size": 13, "family": "DejaVu Sans, Verdana, sans-serif"},
    "title": {"font": {"size": 15}, "x": 0.01, "xanchor": "left"},
    "paper_bgcolor": PAPER,
    "plot_bgcolor": PAPER,
    "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
    "legend": {"bgcolor": "rgba(255, 255, 255, 0.7)"},
    "colorscale": {"sequential": SCALE, "diverging": SIGNED_SCALE},
    "xaxis": _AXIS,
    "yaxis": _AXIS,
    "scene": {"xaxis": _SPACE_AXIS, "yaxis": _SPACE_AXIS, "zaxis": _SPACE_AXIS},
}


def page_colours() -> str:
    """The same colours for the page in the browser, as properties of CSS, by day and by night."""
    lines = {f"line-{number}": colour for number, colour in enumerate(COLOURS, 1)}
    scale = {"scale": " ".join(SCALE_STOPS)}
    by_night = _properties(DARK._asdict())
    return (
        f":root {{ color-scheme: light dark; {_properties(lines | scale | LIGHT._asdict())} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {by_night} }} }}\n"
    )


def _properties(colours: dict[str, str]) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in colours.items())


def figure(title: str = "", **layout: Any) -> Figure:
    """An empty picture.

    Args:
        title: As text: what looks like markup is shown as it is.
        layout: Of plotly.

    Raises:
        ImportError: plotly is not installed.
    """
    with brought_by("plot", purpose="a picture"):
        from plotly.graph_objects import Figure  # noqa: PLC0415  heavy

    return Figure(layout={"template": {"layout": _LOOK}, "title": {"text": escape(title)}, **layout})


def panels(rows: int, columns: int, titles: list[str], **arranged: Any) -> Figure:
    """An empty picture of several panels.

    Args:
        rows: Of panels.
        columns: Of panels.
        titles: Of the panels, row by row, as text.
        arranged: As `plotly.subplots.make_subplots` takes it.

    Raises:
        ImportError: plotly is not installed.
    """
    with brought_by("plot", purpose="a picture"):
        from plotly.subplots import make_subplots  # noqa: PLC0415  heavy

    made = make_subplots(
        rows=rows, cols=columns, subplot_titles=[escape(title) for title in titles], **arranged
    )
    return made.update_layout(template={"layout": _LOOK})
