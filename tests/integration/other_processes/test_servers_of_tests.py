"""The servers of tests end with the tests, however these end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from tests.waiting import eventually

KILLED_WITH_A_SERVER = """
import os, signal, sys
from pathlib import Path
from tests.servers import redis_server

with redis_server(Path(sys.argv[1])) as server:
    print(server.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_does_not_outlive_a_test_run_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_WITH_A_SERVER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    server = int(done.stdout)

    eventually(lambda: not psutil.pid_exists(server), "the server has ended")
