"""What somebody reads whose client finds no service, in a Python that nobody has set up logging for."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from optionchain_client import Client, ConnectionFailed, Retry

client = Client("http://127.0.0.1:1", retry=Retry(attempts=3, first_pause_seconds=0.001))
try:
    list(client.sessions())
except ConnectionFailed as error:
    print(error)
"""


def test_a_service_that_is_not_there_is_told_of_once_and_by_its_address() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=100, check=False
    )

    assert run.stderr == ""
    assert run.stdout.startswith("GET http://127.0.0.1:1/api/v1/chain/sessions got no answer")
