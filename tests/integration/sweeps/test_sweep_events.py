"""Progress by Server-Sent Events over a real connection, and what becomes of it when the caller leaves."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from cluster.instance.ports import free_ports
from tests.asgi import service_of
from tests.integration.sweeps.sweep_services import Gated, Here, sweeping
from tests.unit.sweeps.sweep_documents import SMALL
from tests.waiting import eventually

PATIENCE_SECONDS = 20.0


@pytest.fixture
def url(tmp_path, mongo_there) -> Iterator[str]:
    with sweeping(mongo_there, tmp_path) as world:
        app = service_of("first", sweeps=Here(world.open(Gated()), max_followers=1), history=None)
        (port,) = free_ports(1)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            eventually(lambda: server.started, "the server listens")
            yield f"http://127.0.0.1:{port}/api/v1/sweeps"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
def test_a_place_is_free_again_when_its_caller_has_left(url: str) -> None:
    with httpx.Client(trust_env=False, timeout=10.0) as api:
        identity = api.post(url, json=SMALL).json()["id"]
        events = f"{url}/{identity}/events"

        with api.stream("GET", events) as stream:
            lines = stream.iter_lines()  # without a name it would end here, and the connection with it
            assert next(lines) == "event: progress"
            refused = api.get(events)

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")

        def is_let_in() -> bool:
            with api.stream("GET", events) as again:
                return again.status_code == httpx.codes.OK

        eventually(is_let_in, "there is room again")
