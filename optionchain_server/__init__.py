"""The one name of the installed service: importing it puts the service's own packages in reach.

Names as plain as `actors`, `adapters`, `cluster`, `proving` and `serve_app` belong to nobody in somebody's
`site-packages`. So the wheel has these packages inside this one, and only a process that asks for them finds them, with
every process that it starts (Ray's workers): the command `optionchain`, a sweep that is to run on Ray, or who writes
``import optionchain_server``. In a clone they lie beside this folder, and importing it changes nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = str(Path(__file__).parent)
"""Where the wheel has the packages; what PYTHONPATH must name where Ray is started by others."""

_IS_WHEEL = Path(FOLDER, "cluster").is_dir()


def main() -> None:
    """Run the command line."""
    if _IS_WHEEL:  # this process is the service's own, so its packages come before others of their names
        sys.path.remove(FOLDER)
        sys.path.insert(0, FOLDER)
    from cluster.cli import main as run  # noqa: PLC0415

    run()


def _put_in_reach() -> None:
    if FOLDER not in sys.path:
        sys.path.append(FOLDER)  # last: in a process of somebody else's, their modules stay what they were
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if FOLDER not in inherited:
        os.environ["PYTHONPATH"] = os.pathsep.join([FOLDER, *filter(None, inherited)])


if _IS_WHEEL:
    _put_in_reach()
