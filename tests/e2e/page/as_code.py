"""The page's "as code", run as it is written."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from typing import Any

import polars
import pytest


class Code:
    """What a view says of itself as code.

    Args:
        page: On which one view is shown.
        key: What its lines sign in with.
    """

    def __init__(self, page: Any, key: str | None) -> None:
        self._panel = page.locator("details", has=page.locator("summary", has_text="As code")).filter(
            visible=True
        )
        self._key = {"OPTIONCHAIN_KEY": key or ""}
        if self._panel.get_attribute("open") is None:
            self._panel.locator("summary").click()

    def lines(self, which: str) -> str:
        self._panel.get_by_role("tab", name=which).click()
        return str(self._panel.locator("pre").inner_text())

    def curl(self) -> str:
        """What the shell prints."""
        shell = subprocess.run(
            ["bash", "-c", self.lines("curl")],
            env=os.environ | self._key,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return shell.stdout

    def python(self, which: str) -> str:
        """What Python prints, tables whole; pictures are made, and not shown."""
        lines = self.lines(which)
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(io.StringIO()) as printed,
            polars.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=10_000),
        ):
            patch.setenv("OPTIONCHAIN_KEY", self._key["OPTIONCHAIN_KEY"])
            patch.setattr("plotly.basedatatypes.BaseFigure.show", lambda self: None)
            exec(lines, {})
        return printed.getvalue()

    def link(self) -> str:
        address = self._panel.get_by_role("link").get_attribute("href")
        return "#" + str(address).partition("#")[2]
