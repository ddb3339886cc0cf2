"""What the client makes of a service that loses answers, is busy, or refuses."""

from __future__ import annotations

import os
import pickle
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

import optionchain_client
from optionchain_client import Retry
from tests.unit.client.fake_service import (
    PARAMETERS,
    QUICK,
    SESSION_ID,
    STEPS,
    FakeService,
    answer,
    lose,
    open_async_client,
    open_client,
)


def test_an_iteration_serves_every_step_once() -> None:
    service = FakeService()

    with open_client(service).session(**PARAMETERS) as session:
        snapshots = list(session.steps())

    assert [(snapshot.step, snapshot.price) for snapshot in snapshots] == [
        (step, 100.0 + step) for step in range(STEPS)
    ]
    # A create, the steps and the deletion: the last step told that it was the last.
    assert len(service.requests) == STEPS + 2


@pytest.mark.parametrize("bulk", [None, 2])
def test_a_lost_answer_loses_no_step_and_serves_none_twice(bulk: int | None) -> None:
    service = FakeService(after=lose("/api/v1/chain/step", every=2))

    with open_client(service).session(**PARAMETERS) as session:
        steps = [snapshot.step for snapshot in session.steps(bulk=bulk)]

    assert steps == list(range(STEPS))


def test_a_repeated_step_is_the_same_request() -> None:
    service = FakeService(after=lose("/api/v1/chain/step", every=2))

    open_client(service).create_session(**PARAMETERS).step()

    first, second = (request for request in service.requests if request.url.path.endswith("step"))
    assert first.url == second.url
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_without_keys_on_the_server_an_iteration_goes_on_after_a_lost_answer() -> None:
    service = FakeService(after=lose("/api/v1/chain/step", every=3), knows_keys=False)

    with open_client(service).session(**PARAMETERS) as session:
        steps = [snapshot.step for snapshot in session.steps()]

    assert steps == sorted(set(steps))
    assert steps[-1] == STEPS - 1


def test_an_iteration_follows_a_cursor_that_somebody_else_moves() -> None:
    service = FakeService()
    session = open_client(service).create_session(**PARAMETERS)
    steps = session.steps()

    first = next(steps).step
    service.cursor += 2

    assert [first, *(snapshot.step for snapshot in steps)] == [0, 3, 4]


def test_a_step_refuses_a_cursor_that_somebody_else_moved_and_learns_it() -> None:
    service = FakeService()
    session = open_client(service).create_session(**PARAMETERS)
    service.cursor = 3

    with pytest.raises(optionchain_client.PreconditionFailed) as refusal:
        session.step()

    assert refusal.value.current_step == session.current_step == 3
    assert session.step().step == 3


def test_a_session_without_a_step_left_ends_its_iteration() -> None:
    service = FakeService()
    service.cursor = STEPS

    assert list(open_client(service).open_session(SESSION_ID).steps()) == []


def test_a_peek_leaves_the_cursor() -> None:
    session = open_client(FakeService()).create_session(**PARAMETERS)

    assert [session.peek().step, session.peek().step, session.step().step] == [0, 0, 0]


def test_a_session_is_deleted_at_the_end_of_its_block() -> None:
    service = FakeService()

    with open_client(service).session(**PARAMETERS):
        assert not service.is_deleted

    assert service.is_deleted


def test_a_session_is_deleted_when_its_block_fails_and_the_failure_is_seen() -> None:
    service = FakeService()

    with pytest.raises(ZeroDivisionError), open_client(service).session(**PARAMETERS):
        _ = 1 / 0

    assert service.is_deleted


def test_a_failed_deletion_does_not_hide_the_failure_of_the_block() -> None:
    service = FakeService(
        before=lambda request, _: httpx.Response(500) if request.method == "DELETE" else None
    )

    with pytest.raises(ZeroDivisionError) as failure, open_client(service).session(**PARAMETERS):
        _ = 1 / 0

    assert "could not be deleted" in failure.value.__notes__[0]


def pages_of_sessions(request: httpx.Request, _: int) -> httpx.Response:
    page = int(request.url.params["page"])
    return httpx.Response(
        200, json={"data": [{"id": f"{page}a"}, {"id": f"{page}b"}], "pagination": {"pages": 3}}
    )


def test_a_list_has_the_sessions_of_every_page() -> None:
    service = FakeService(before=pages_of_sessions)

    listed = [view["id"] for view in open_client(service).sessions()]

    assert listed == ["1a", "1b", "2a", "2b", "3a", "3b"]
    assert len(service.requests) == 3


@pytest.mark.anyio
async def test_a_coroutines_list_has_them_too() -> None:
    client = open_async_client(FakeService(before=pages_of_sessions))

    assert [view["id"] async for view in client.sweeps()] == ["1a", "1b", "2a", "2b", "3a", "3b"]


def test_a_deletion_whose_answer_was_lost_succeeds() -> None:
    service = FakeService(after=lose("/api/v1/chain", every=2))

    open_client(service).create_session(**PARAMETERS).delete()

    assert service.is_deleted


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_service_is_asked_again(status: int) -> None:
    service = FakeService(before=lambda _, number: httpx.Response(status) if number < 3 else None)

    assert open_client(service).create_session(**PARAMETERS).id == SESSION_ID


def test_patience_ends() -> None:
    service = FakeService(before=answer(503))

    with pytest.raises(optionchain_client.Unavailable):
        open_client(service).create_session(**PARAMETERS)

    assert len(service.requests) == QUICK.attempts


def test_a_service_out_of_reach_is_an_error_of_ours() -> None:
    service = FakeService(before=lose("/api/v1/chain", every=1))

    with pytest.raises(
        optionchain_client.ConnectionFailed, match=r"POST http://service/api/v1/chain got no answer"
    ):
        open_client(service).create_session(**PARAMETERS)


def test_retry_after_is_waited_for_with_jitter_and_never_less() -> None:
    problem = optionchain_client.Problem(status=429, message="", retry_after_seconds=2.0)

    pauses = {Retry().pause(optionchain_client.RateLimited(problem)) for _ in range(100)}

    assert all(2.0 <= pause <= 2.5 for pause in pauses)
    assert len(pauses) > 1


def test_a_server_that_asks_for_too_much_patience_gets_none() -> None:
    service = FakeService(before=answer(429, **{"Retry-After": "3600"}))

    with pytest.raises(optionchain_client.RateLimited) as refusal:
        open_client(service).create_session(**PARAMETERS)

    assert refusal.value.problem.retry_after_seconds == 3600.0
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "InvalidInput"),
        (401, "Unauthenticated"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (410, "Completed"),
        (412, "PreconditionFailed"),
        (413, "TooLarge"),
        (422, "KeyReused"),
        (500, "ServerError"),
    ],
)
def test_a_refusal_is_an_error_of_its_own_and_not_repeated(status: int, kind: str) -> None:
    service = FakeService(before=answer(status, **{"X-Request-Id": "r-1"}))

    with pytest.raises(getattr(optionchain_client, kind)) as refusal:
        open_client(service).create_session(**PARAMETERS)

    assert (refusal.value.status, refusal.value.field, refusal.value.request_id) == (status, "x", "r-1")
    assert str(refusal.value) == f"{status} from service: no (request r-1)"
    assert len(service.requests) == 1


def test_an_answer_that_is_not_the_services_is_an_error_of_ours() -> None:
    service = FakeService(before=lambda *_: httpx.Response(200, text="<html>a proxy</html>"))

    with pytest.raises(optionchain_client.ServerError, match="a proxy"):
        open_client(service).create_session(**PARAMETERS)


def test_an_error_survives_pickling() -> None:
    error = optionchain_client.InvalidInput(optionchain_client.Problem(status=400, message="no", field="x"))

    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), copy.problem) == (type(error), error.problem)


def test_the_key_is_sent_with_every_call() -> None:
    service = FakeService()

    with open_client(service).session(**PARAMETERS) as session:
        session.peek()

    assert {request.headers["X-API-Key"] for request in service.requests} == {"a-key"}


def busy_file_server(request: httpx.Request, number: int) -> httpx.Response:
    return httpx.Response(429) if number < 3 else httpx.Response(200, content=b"rows")


def test_a_download_is_asked_for_again_while_the_service_is_busy(tmp_path: Path) -> None:
    service = FakeService(before=busy_file_server)

    written = (
        open_client(service).open_session(SESSION_ID).download(tmp_path / "file.csv", layout="ironcondor")
    )

    assert (written, (tmp_path / "file.csv").read_bytes()) == (4, b"rows")
    assert [request.url.params["layout"] for request in service.requests] == ["ironcondor"] * 3


@pytest.mark.anyio
async def test_a_coroutines_download_is_asked_for_again_too(tmp_path: Path) -> None:
    session = open_async_client(FakeService(before=busy_file_server)).open_session(SESSION_ID)

    written = await session.download(tmp_path / "file.csv")

    assert (written, (tmp_path / "file.csv").read_bytes()) == (4, b"rows")


class BreaksOff(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"ro"
        raise httpx.RemoteProtocolError("peer closed connection")


def test_a_download_that_breaks_off_is_an_error_of_ours(tmp_path: Path) -> None:
    service = FakeService(before=lambda *_: httpx.Response(200, stream=BreaksOff()))

    with pytest.raises(
        optionchain_client.ConnectionFailed,
        match=r"the answer to GET http://service/\S+ broke off: peer closed",
    ):
        open_client(service).open_session(SESSION_ID).download(tmp_path / "file.csv")

    assert len(service.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_a_coroutines_iteration_loses_no_step() -> None:
    service = FakeService(after=lose("/api/v1/chain/step", every=2))

    async with open_async_client(service).session(**PARAMETERS) as session:
        steps = [snapshot.step async for snapshot in session.steps()]

    assert steps == list(range(STEPS))
    assert service.is_deleted


@pytest.mark.anyio
async def test_a_coroutines_session_is_deleted_when_its_scope_is_cancelled() -> None:
    import anyio

    service = FakeService()

    with anyio.CancelScope() as scope:
        async with open_async_client(service).session(**PARAMETERS):
            scope.cancel()
            await anyio.sleep_forever()

    assert service.is_deleted


@pytest.mark.anyio
async def test_a_coroutines_download_that_is_cancelled_leaves_no_half_file(tmp_path: Path) -> None:
    import anyio

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"ro"
            scope.cancel()
            await anyio.sleep_forever()

    session = open_async_client(lambda _: httpx.Response(200, stream=Endless())).open_session(SESSION_ID)
    file = tmp_path / "file.csv"
    file.write_text("as it was")

    with anyio.CancelScope() as scope:
        await session.download(file)

    assert (os.listdir(tmp_path), file.read_text()) == (["file.csv"], "as it was")


def test_a_service_that_is_not_ready_is_an_answer() -> None:
    body = {"status": "not ready", "dependencies": {"redis": "down"}}
    service = FakeService(before=lambda *_: httpx.Response(503, json=body))

    assert open_client(service).ready() == body
    assert len(service.requests) == 1


def test_whether_a_service_is_ready_is_asked_again_while_a_proxy_answers() -> None:
    body = {"status": "ready", "dependencies": {}}

    def starting(_: httpx.Request, number: int) -> httpx.Response:
        return httpx.Response(503, text="<html>") if number < 3 else httpx.Response(200, json=body)

    assert open_client(FakeService(before=starting)).ready() == body


def test_what_the_service_warns_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    stale = {"Warning": '110 - "Response is Stale"'}
    service = FakeService(before=lambda *_: httpx.Response(200, json={"data": []}, headers=stale))

    open_client(service).history.assets()

    assert caplog.messages == ['GET http://service/api/v1/historical/assets: 110 - "Response is Stale"']


VERSION = {"name": "x", "version": 3, "saved_by": "me", "saved_at": "2026-01-01T00:00:00Z"}


def saving(values: dict[str, object]) -> FakeService:
    """A service whose version 3 has these values, and which another version 2 cannot follow."""

    def answered(request: httpx.Request, _: int) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json={"error": "the latest version is 3"})
        assert request.url.params["version"] == "3"
        return httpx.Response(200, json=VERSION | {"values": values})

    return FakeService(before=answered)


def test_a_configuration_whose_answer_was_lost_is_found_to_be_saved() -> None:
    configurations = open_client(saving({"spread": 0.02})).configurations

    assert configurations.save("x", {"spread": 0.02}, expected_version=2)["version"] == 3


def test_a_configuration_that_somebody_else_saved_is_a_conflict() -> None:
    configurations = open_client(saving({"spread": 0.03})).configurations

    with pytest.raises(optionchain_client.Conflict, match="the latest version is 3"):
        configurations.save("x", {"spread": 0.02}, expected_version=2)
