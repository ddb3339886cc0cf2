"""FastAPI with one route that does nothing: what the no-op of the service is compared with."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from fastapi import FastAPI, Response

from cluster.instance.ports import accepts, free_ports

START_PATIENCE_SECONDS = 60.0

app = FastAPI()


@app.get("/health")
async def health() -> Response:
    return Response(b'{"status":"up"}', media_type="application/json")


@contextmanager
def running_floor() -> Iterator[tuple[str, psutil.Process]]:
    """Run it under uvicorn, alone in its process, for as long as the block lasts; its address and its process."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", f"{__name__}:app", "--port", str(port)]
    process = psutil.Popen([*command, "--no-access-log", "--log-level", "error"])
    try:
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("uvicorn does not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait()
