"""What a client of HAProxy may do: how many connections it has, how slow it is, whose address it says it has."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from cluster.haproxy.amended import amended
from cluster.haproxy.stand_in import stand_in
from cluster.instance.ports import free_ports, obstacle
from cluster.instance.ray_node import haproxy_program
from cluster.instance.state import InstanceState
from proving.bench.connections import attacked
from tests.integration.cluster.front import Front, front, rendered, replica, started
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(haproxy_program() is None, reason="there is no HAProxy here")

HOSTILE, HONEST, PROXY = "127.0.0.2", "127.0.0.1", "127.0.0.9"
MOST, SECONDS = 20, 2
HEAD = b"GET /api/v1/x HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with replica() as port:
        yield port


@pytest.fixture(scope="module")
def bounded(server: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = Path(tmp_path_factory.mktemp("front"))
    with front(
        folder,
        server,
        ADDRESS_CONNECTIONS=str(MOST),
        REQUEST_SECONDS=str(SECONDS),
        PROXIES=f"{PROXY},10.0.0.0/8",
        PROOF="secret",
    ) as running:
        yield running


def has_ipv6() -> bool:
    return obstacle("::1", free_ports(1)[0]) is None


def connected(port: int, source: str) -> socket.socket:
    host = "::1" if ":" in source else "127.0.0.1"
    return socket.create_connection((host, port), timeout=20.0, source_address=(source, 0))


def begun(stack: ExitStack, port: int, sources: Sequence[str]) -> list[socket.socket]:
    """Connections from these addresses, but for those that were refused before they were there."""
    found = []
    for source in sources:
        with suppress(ConnectionError):
            found.append(stack.enter_context(connected(port, source)))
    return found


def told(connection: socket.socket) -> bytes:
    """Everything until the end of the connection, or of the first answer."""
    text = b""
    while part := connection.recv(65_536):
        text += part
        head, _, body = text.partition(b"\r\n\r\n")
        length = [
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line
        ]
        if length and len(body) >= length[0]:
            break
    return text


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def asked(port: int, source: str = HONEST, **headers: str) -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport, timeout=20.0) as client:
        return client.get(f"http://127.0.0.1:{port}/api/v1/x", headers={"X-API-Key": "k", **headers})


def test_an_address_has_so_many_connections_and_others_are_served(bounded: Front) -> None:
    with ExitStack() as stack:
        silent = begun(stack, bounded.port, [HOSTILE] * 3 * MOST)
        eventually(lambda: sum(map(is_open, silent)) == MOST, "the rest is refused")

        assert asked(bounded.port).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [b"", HEAD, b"POST /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"],
    ids=["silent", "half a head", "half a body"],
)
def test_who_does_not_go_on_is_told_so_and_leaves(sent: bytes, bounded: Front) -> None:
    began = time.monotonic()
    with connected(bounded.port, HOSTILE) as connection:
        connection.sendall(sent)
        answer = told(connection)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert SECONDS - 1 < time.monotonic() - began < SECONDS + 10


def test_half_a_body_is_refused_in_json(bounded: Front) -> None:
    with connected(bounded.port, HONEST) as connection:
        connection.sendall(
            b"POST /api/v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        head, _, body = told(connection).partition(b"\r\n\r\n")

    assert b"application/json" in head.lower()
    assert "in time" in json.loads(body)["error"]


def test_who_has_no_key_has_no_lasting_connection(bounded: Front) -> None:
    with connected(bounded.port, HONEST) as connection:
        connection.sendall(HEAD + b"\r\n")

        assert b" 401 " in told(connection)
        assert connection.recv(1) == b""


def test_what_a_client_says_of_itself_is_not_what_the_replica_hears(bounded: Front) -> None:
    heard = asked(bounded.port, HOSTILE, **{"X-Forwarded-For": "203.0.113.7", "X-Proxy-Proof": "guess"}).text

    assert "x-proxy-proof: secret" in heard.lower()
    assert "guess" not in heard
    last = [line for line in heard.lower().splitlines() if line.startswith("x-forwarded-for")][-1]
    assert last == f"x-forwarded-for: {HOSTILE}"


def test_behind_a_proxy_of_ours_the_bound_is_of_the_address_that_it_tells_of(bounded: Front) -> None:
    slow = b"POST /api/v1/x HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\nX-Forwarded-For: 203.0.113.7, 10.1.2.3\r\n"
    with ExitStack() as stack:
        many = [stack.enter_context(connected(bounded.port, PROXY)) for _ in range(2 * MOST)]
        for connection in many:
            connection.sendall(slow + b"Content-Length: 100\r\n\r\nabc")
        statuses = [told(connection).split()[1] for connection in many]

        assert set(statuses) == {b"408", b"429"}
        assert statuses.count(b"408") == MOST
        told_of = {"X-Forwarded-For": "198.51.100.1, 10.1.2.3"}
        assert asked(bounded.port, PROXY, **told_of).status_code == 200


def test_when_there_is_little_room_only_those_who_had_a_key_are_let_in(server: int, tmp_path: Path) -> None:
    room = 40
    with front(tmp_path, server, maxconn=room, ADDRESS_CONNECTIONS="8", REQUEST_SECONDS="30") as running:
        assert asked(running.port, HONEST).status_code == 200
        with ExitStack() as stack:
            sources = [f"127.0.1.{number % 16 + 1}" for number in range(4 * room)]
            silent = begun(stack, running.port, sources)
            eventually(lambda: sum(map(is_open, silent)) <= room * 3 // 4 + 1, "the rest is refused")

            assert asked(running.port, HONEST).status_code == 200
            with pytest.raises(httpx.TransportError):
                asked(running.port, "127.0.0.77")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_client_of_ipv6_is_served_told_of_and_bounded(server: int, tmp_path: Path) -> None:
    with (
        front(tmp_path, server, ALSO_AT="::1:{port}", ADDRESS_CONNECTIONS=str(MOST)) as running,
        ExitStack() as stack,
    ):
        heard = httpx.get(f"http://[::1]:{running.port}/api/v1/x", headers={"X-API-Key": "k"}, timeout=20.0)
        assert "x-forwarded-for: ::1" in heard.text.lower()

        silent = begun(stack, running.port, ["::1"] * 2 * MOST)
        eventually(lambda: sum(map(is_open, silent)) == MOST, "the rest is refused")
        assert asked(running.port).status_code == 200


@pytest.mark.parametrize("request_line", [b"GET /api/v1/chain", b"OPTIONS *"])
def test_before_ray_has_told_of_any_replica_clients_are_asked_to_come_again(
    request_line: bytes, tmp_path: Path
) -> None:
    with front(tmp_path, None) as running, connected(running.port, HONEST) as connection:
        connection.sendall(request_line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = told(connection).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in head.lower()
    assert json.loads(body) == {"error": "the service is not available right now: try again"}


def test_one_that_comes_back_serves_on_the_routes_that_it_knew(server: int, tmp_path: Path) -> None:
    with front(tmp_path, server) as running:
        assert asked(running.port).status_code == 200
    rendered(tmp_path, running.port, None)
    again = started(tmp_path)
    try:
        eventually(lambda: answered(running.port) == 200, "it serves without having been told of replicas")
    finally:
        again.terminate()
        again.wait(20)


def test_while_nobody_listens_another_stands_in_and_hands_over(server: int, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    with front(folder, server, REFUSAL=str(tmp_path / "refusal")) as running:
        environment = {
            "OPTIONCHAIN_HAPROXY": str(haproxy_program()),
            "OPTIONCHAIN_HAPROXY_REFUSAL": str(tmp_path / "refusal"),
        }
        state = InstanceState("marker", "", None, "", "", "", "", environment)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(20)

        assert stand_in(state, tmp_path / "stand_in.log")
        eventually(lambda: answered(running.port) == 200, "it serves")
        other = int((tmp_path / "stand-in.pid").read_text())
        assert not (folder / "admin.sock").exists() or refuses_unix(folder / "admin.sock")

        rendered(folder, running.port, server)
        again = started(folder, REFUSAL=str(tmp_path / "refusal"))
        try:
            eventually(lambda: not psutil.pid_exists(other) or is_zombie(other), "the other has ended")
            assert answered(running.port) == 200
        finally:
            again.terminate()
            again.wait(20)


def test_where_there_was_no_haproxy_nobody_stands_in(tmp_path: Path) -> None:
    state = InstanceState("marker", "", None, "", "", "", "", {})

    assert not stand_in(state, tmp_path / "stand_in.log")


def test_what_is_amended_is_amended_once(server: int, tmp_path: Path) -> None:
    once = amended(rendered(tmp_path, 7070, server), {}, tmp_path)

    assert amended(once, {}, tmp_path) == once


def answered(port: int) -> int | None:
    try:
        return asked(port).status_code
    except httpx.TransportError:
        return None


def refuses_unix(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) != 0


def is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_honest_caller_hardly_notices_a_thousand_hostile_connections_of_another_address(
    server: int, tmp_path: Path
) -> None:
    with front(tmp_path, server, maxconn=500, ADDRESS_CONNECTIONS="100", REQUEST_SECONDS="5") as running:
        base_url = f"http://127.0.0.1:{running.port}"
        with attacked(base_url, 1000), httpx.Client(base_url=base_url, timeout=20.0) as client:
            latencies = []
            for _ in range(300):
                began = time.perf_counter()
                answer = client.get("/api/v1/x", headers={"X-API-Key": "k"})
                latencies.append(time.perf_counter() - began)
                assert answer.status_code == 200

    assert sorted(latencies)[int(0.99 * len(latencies))] < 1.0
