"""A folder for sockets that nobody else can enter."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    private = tmp_path / "s"
    private.mkdir(mode=0o700)
    return private
