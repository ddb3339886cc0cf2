"""The command line of a backup gives way before it imports anything; every other does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cluster.backup.priority import LOWER_PRIORITY

LEAST = 19
# In the place of the commands, somebody who says how nice the process is.
PROGRAM = """
import os, sys, types
sys.modules["cluster.commands.app"] = types.SimpleNamespace(run=lambda: os.nice(0))
from cluster.cli import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "nicer"),
    [
        (["backup", "create", "--to", "/backups"], LOWER_PRIORITY),
        (["--log", "json", "backup", "create"], LOWER_PRIORITY),
        (["backup", "restore", "--from", "/backups"], 0),
        (["up"], 0),
    ],
)
def test_a_backup_gives_way(arguments: list[str], nicer: int) -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=False, timeout=60).returncode

    assert found == min(os.nice(0) + nicer, LEAST)
