"""An instance of any release: the command line of the code in a folder, and HTTP; nothing of what is inside it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from cluster.instance.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 200.0
KEY = "a-key-that-everybody-knows"
ENCRYPTION_KEY = "b25lLWtleS1vZi1vbmUta2V5LW9mLW9uZS1rZXktMDE="


def code_of(commit: str, folder: Path) -> bool:
    """Put the code of a commit into a folder; False where the history of this clone does not reach back to it."""
    command = ["git", "archive", commit]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    if archive.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as code:
        code.extractall(folder, filter="data")
    return True


@contextmanager
def running(code: Path, data: Path, redis_url: str, mongo_uri: str) -> Iterator[httpx.Client]:
    """Start it on these servers, and end it with the block."""
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "PYTHONPATH": str(code),
        "OCS_REDIS_URL": redis_url,
        "OCS_MONGO_URI": mongo_uri,
        "OCS_AUTH_KEYS": f"owner:admin={KEY}",
        "OCS_ENCRYPTION_KEY": ENCRYPTION_KEY,
    }

    def run(*words: str) -> None:
        command = [sys.executable, "-m", "cluster.cli", *words, "--data", str(data)]
        done = subprocess.run(
            command, cwd=code, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("up", "--port", str(port))
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": KEY}, timeout=30.0, trust_env=False
        ) as api:
            yield api
    finally:
        run("down")
