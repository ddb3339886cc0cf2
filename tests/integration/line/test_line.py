"""A direct line: who is let in, what travels on it, and what becomes of calls when it breaks."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from actors.line.address import LineAddress, parse_ports, socket_folder
from actors.line.frames import HEAD_BYTES, Frame, Frames, pieces
from actors.line.handshake import (
    CHALLENGE_BYTES,
    NONCE_BYTES,
    VERSION,
    caller_proof,
    hello,
    new_secret,
)
from actors.line.line import Line, LineLost, connected
from actors.line.listener import Answer, Listener
from optionchain.errors import InvalidInput
from tests.waiting import passing, turns, until

pytestmark = pytest.mark.anyio

ECHO = 7
MAX_BYTES = 1 << 20


def echo(body: bytes, answer: Answer) -> None:
    answer(ECHO, body)


class Held:
    """Answers when it is told to, in whatever order."""

    def __init__(self) -> None:
        self.calls: dict[bytes, Answer] = {}

    def __call__(self, body: bytes, answer: Answer) -> None:
        self.calls[body] = answer

    def release(self, body: bytes) -> None:
        self.calls.pop(body)(ECHO, body)


@asynccontextmanager
async def listening(
    folder: Path, serve: Callable[[bytes, Answer], None] = echo, *, ports: str = "0", name: str = "actor"
) -> AsyncIterator[Listener]:
    listener = Listener(
        name, serve, folder=folder, host="127.0.0.1", ports=parse_ports(ports), max_bytes=MAX_BYTES
    )
    try:
        yield listener
    finally:
        await listener.close()


async def line_to(address: LineAddress, *, silence_seconds: float = 30.0, max_bytes: int = MAX_BYTES) -> Line:
    return await connected(address, max_bytes=max_bytes, silence_seconds=silence_seconds)


async def line_if_there_is_room(address: LineAddress) -> Line | None:
    try:
        return await line_to(address)
    except LineLost:
        return None


async def trusted(address: LineAddress) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the words are said; all else is the test's."""
    reader, writer = await asyncio.open_unix_connection(address.path)
    nonce = b"n" * NONCE_BYTES
    writer.write(hello(nonce))
    challenge = await reader.readexactly(CHALLENGE_BYTES)
    writer.write(caller_proof(address.secret, nonce, challenge[:NONCE_BYTES]))
    return reader, writer


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("is_on_this_node", [True, False], ids=["unix", "tcp"])
async def test_many_calls_are_under_way_at_a_time_and_are_answered_in_any_order(
    folder: Path, is_on_this_node: bool
) -> None:
    held = Held()
    async with listening(folder, held) as listener:
        address = await listener.address(is_on_this_node=is_on_this_node)
        line = await line_to(address)
        bodies = [f"call {number}".encode() for number in range(100)]
        answers = [asyncio.create_task(line.call(body)) for body in bodies]
        await until(lambda: len(held.calls) == len(bodies), "all calls have arrived")

        for body in reversed(bodies):
            held.release(body)

        assert [(frame.kind, frame.body) for frame in await asyncio.gather(*answers)] == [
            (ECHO, body) for body in bodies
        ]
        assert bool(address.path) is is_on_this_node
        line.abort()


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, MAX_BYTES])
async def test_a_message_arrives_whole_whatever_its_size(folder: Path, size: int) -> None:
    async with listening(folder) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

        assert (await line.call(body)).body == body
        line.abort()


async def test_a_call_that_is_too_long_ends_the_connection_before_it_is_read(folder: Path) -> None:
    served: list[bytes] = []
    async with listening(folder, lambda body, _: served.append(body)) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))

        with pytest.raises(LineLost):
            await line.call(b"x" * (MAX_BYTES + 1))

        assert served == []
        assert not line.is_open


async def test_an_answer_that_is_too_long_loses_the_call(folder: Path) -> None:
    async with listening(folder) as listener:
        line = await line_to(await listener.address(is_on_this_node=True), max_bytes=10)

        with pytest.raises(LineLost):
            await line.call(b"eleven bytes")


async def test_who_does_not_know_the_secret_is_not_let_in_and_nothing_of_it_is_served(folder: Path) -> None:
    served: list[bytes] = []
    async with listening(folder, lambda body, _: served.append(body)) as listener:
        address = await listener.address(is_on_this_node=True)
        reader, writer = await asyncio.open_unix_connection(address.path)
        nonce = b"n" * NONCE_BYTES
        writer.write(hello(nonce))
        challenge = await reader.readexactly(CHALLENGE_BYTES)

        writer.write(caller_proof(new_secret(), nonce, challenge[:NONCE_BYTES]))
        writer.writelines(pieces(Frame(1, 0, b"let me in")))

        assert await reader.read() == b""
        assert served == []
        writer.close()


async def test_a_listener_that_does_not_know_the_secret_is_not_the_actor(folder: Path) -> None:
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)
        other = LineAddress(path=address.path, secret=new_secret())

        with pytest.raises(LineLost):
            await line_to(other)


@pytest.mark.parametrize(
    "words",
    [
        hello(b"n" * NONCE_BYTES).replace(VERSION.to_bytes(2, "little"), b"\xff\xff", 1),
        b"GET / HTTP/1.1\r\nHost: somebody\r\n\r\n" + b"x" * 64,
    ],
    ids=["another version", "another protocol"],
)
async def test_who_speaks_something_else_is_sent_away_at_once(folder: Path, words: bytes) -> None:
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)
        reader, writer = await asyncio.open_unix_connection(address.path)

        writer.write(words)

        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.close()


async def test_all_calls_are_lost_with_their_connection_and_later_ones_at_once(folder: Path) -> None:
    held = Held()
    async with listening(folder, held) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        calls = [asyncio.create_task(line.call(body)) for body in (b"1", b"2")]
        await until(lambda: len(held.calls) == 2, "both calls have arrived")

    lost = await asyncio.gather(*calls, line.call(b"3"), return_exceptions=True)

    assert [type(error) for error in lost] == [LineLost] * 3


async def test_an_actor_that_says_nothing_is_given_up(folder: Path) -> None:
    async with listening(folder, Held()) as listener:
        line = await line_to(await listener.address(is_on_this_node=True), silence_seconds=0.05)

        with pytest.raises(LineLost):
            await line.call(b"hello?")


async def test_silence_counts_from_the_call_that_is_waited_for(folder: Path) -> None:
    held = Held()
    async with listening(folder, held) as listener:
        line = await line_to(await listener.address(is_on_this_node=True), silence_seconds=1.0)
        first = asyncio.create_task(line.call(b"first"))
        await until(lambda: held.calls, "the first call has arrived")
        held.release(b"first")
        await first
        await passing(0.8)  # in which nothing was owed

        second = asyncio.create_task(line.call(b"second"))
        await passing(0.5)  # beyond the patience with the first
        held.release(b"second")

        assert (await second).body == b"second"
        line.abort()


async def test_who_gives_up_a_call_is_not_answered_and_the_line_goes_on(folder: Path) -> None:
    held = Held()
    async with listening(folder, held) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        impatient = asyncio.create_task(line.call(b"1"))
        await until(lambda: held.calls, "the call has arrived")
        impatient.cancel()
        await turns()
        held.release(b"1")
        patient = asyncio.create_task(line.call(b"2"))
        await until(lambda: held.calls, "the next call has arrived")
        held.release(b"2")

        assert (await patient).body == b"2"
        line.abort()


async def test_who_gives_up_while_a_line_is_opened_leaves_no_error_behind(folder: Path) -> None:
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)

        for moment in range(10):
            impatient = asyncio.create_task(line_to(address))
            await turns(moment)
            impatient.cancel()
            await asyncio.gather(impatient, return_exceptions=True)

        await turns()
        gc.collect()  # which tells of errors that nobody has asked for


async def test_a_retired_line_serves_what_is_under_way_and_then_ends(folder: Path) -> None:
    held = Held()
    async with listening(folder, held) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        calls = {body: asyncio.create_task(line.call(body)) for body in (b"first", b"last")}
        await until(lambda: len(held.calls) == 2, "the calls have arrived")

        line.retire()

        assert not line.is_open
        for body, call in calls.items():
            held.release(body)
            assert (await call).body == body
        await until(lambda: not listener._connections, "the connection has ended")


async def test_a_retired_line_with_nothing_under_way_ends_at_once(folder: Path) -> None:
    async with listening(folder) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        await until(lambda: listener._connections, "it is let in")

        line.retire()

        await until(lambda: not listener._connections, "the connection has ended")


async def test_calls_are_numbered_anew_before_a_frame_has_no_room_for_their_number(folder: Path) -> None:
    async with listening(folder) as listener:
        line = await line_to(await listener.address(is_on_this_node=True))
        line._number = 2**32 - 3

        numbers = [(await line.call(b"x")).number for _ in range(4)]

        assert numbers == [2**32 - 2, 2**32 - 1, 0, 1]
        line.abort()


async def test_ports_are_taken_in_turn_and_their_end_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with listening(folder, ports=str(port)) as listener:
            with pytest.raises(OSError, match="OCS_SESSION_PORTS"):
                await listener.address(is_on_this_node=False)
        async with listening(folder, ports=f"{port}-{min(port + 50, 65_535)}") as listener:
            address = await listener.address(is_on_this_node=False)

    assert port < address.port <= port + 50


async def test_a_socket_of_an_earlier_process_is_removed_and_ours_goes_with_us(folder: Path) -> None:
    earlier, another = folder / "actor.1", folder / "actor-2.1"
    earlier.touch()
    another.touch()
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)

        assert names_in(folder) == sorted([Path(address.path).name, another.name])

    assert names_in(folder) == [another.name]


async def test_who_does_not_read_answers_is_not_asked_for_more_calls(folder: Path) -> None:
    served: list[bytes] = []

    def counted(body: bytes, answer: Answer) -> None:
        served.append(body)
        answer(ECHO, body)

    async with listening(folder, counted) as listener:
        reader, writer = await trusted(await listener.address(is_on_this_node=True))
        body, calls = b"x" * 20_000, 400  # the buffers on the way hold less than a megabyte of these eight

        for number in range(calls):
            writer.writelines(pieces(Frame(number, 0, body)))
        await until(lambda: len(served) > 3, "the first calls are served")
        await passing(0.2)
        assert len(served) < calls / 2

        answers = Frames(MAX_BYTES)
        found: list[Frame] = []
        while len(found) < calls:
            found += answers.fed(await asyncio.wait_for(reader.read(1 << 16), 10.0))
        assert [frame.number for frame in found] == list(range(calls))
        writer.close()


async def test_who_is_silent_is_sent_away_unless_it_is_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.line.listener.HANDSHAKE_SECONDS", 1.0)
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)
        stranger, words = await asyncio.open_unix_connection(address.path)
        reader, writer = await trusted(address)

        assert await asyncio.wait_for(stranger.read(), 10.0) == b""
        await passing(1.0)  # as long again for the one that came later

        writer.writelines(pieces(Frame(5, 0, b"still here")))
        head_and_body = await asyncio.wait_for(reader.readexactly(HEAD_BYTES + 10), 10.0)
        assert head_and_body.endswith(b"still here")
        words.close()
        writer.close()


async def test_callers_are_as_many_as_may_be_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.line.listener.MAX_CONNECTIONS", 2)
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)
        for _ in range(4):  # one after another, as many as one likes
            passer = await until(lambda: line_if_there_is_room(address), "whoever was there is gone")
            assert (await passer.call(b"x")).body == b"x"
            passer.abort()
        lines = [
            await until(lambda: line_if_there_is_room(address), "whoever was there is gone") for _ in range(2)
        ]

        with pytest.raises(LineLost):
            await line_to(address)

        assert [(await line.call(b"x")).body for line in lines] == [b"x", b"x"]
        for line in lines:
            line.abort()


@pytest.mark.parametrize("is_on_this_node", [True, False], ids=["unix", "tcp"])
async def test_a_listener_that_was_closed_lets_nobody_in_until_it_is_asked_again(
    folder: Path, is_on_this_node: bool
) -> None:
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=is_on_this_node)
        await listener.close()

        with pytest.raises(LineLost):
            await line_to(address)

        line = await line_to(await listener.address(is_on_this_node=is_on_this_node))
        assert (await line.call(b"x")).body == b"x"
        line.abort()


async def test_a_listener_that_was_closed_has_no_socket_left(folder: Path) -> None:
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)
        # Another name for its socket, which closing does not take away.
        os.link(address.path, folder / "another")

        await listener.close()

        with pytest.raises(LineLost):
            await line_to(replace(address, path=str(folder / "another")))


async def test_a_socket_that_somebody_has_removed_is_no_matter_to_who_closes(folder: Path) -> None:
    async with listening(folder) as listener:
        os.unlink((await listener.address(is_on_this_node=True)).path)

        await listener.close()

    assert names_in(folder) == []


async def test_where_others_may_enter_the_folder_a_port_is_used(folder: Path) -> None:
    os.chmod(folder, 0o755)
    async with listening(folder) as listener:
        address = await listener.address(is_on_this_node=True)

        assert (address.path, address.host) == ("", "127.0.0.1")


@pytest.mark.parametrize("text", ["", "x", "0-5", "5-4", "65536", "1-65536", "-1", "1-2-3"])
def test_a_range_of_ports_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="20500-20599"):
        parse_ports(text)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("0", range(1)),
        ("1", range(1, 2)),
        ("65535", range(65_535, 65_536)),
        ("20500-20599", range(20_500, 20_600)),
        ("7-7", range(7, 8)),
        ("1-65535", range(1, 65_536)),
    ],
)
def test_ports_are_one_or_a_range_with_its_last(text: str, ports: range) -> None:
    assert parse_ports(text) == ports


def test_a_folder_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = socket_folder(tmp_path / "new" / "sockets")

    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert socket_folder(made) == made


def test_what_is_no_folder_or_lets_others_in_is_refused(tmp_path: Path) -> None:
    file, link, shared = tmp_path / "file", tmp_path / "link", tmp_path / "shared"
    file.touch(mode=0o600)
    shared.mkdir(mode=0o700)
    link.symlink_to(shared)

    for refused in (file, link):
        with pytest.raises(PermissionError, match="is not a folder of ours alone"):
            socket_folder(refused)
    for bit in (0o010, 0o001, 0o004):
        shared.chmod(0o700 | bit)
        with pytest.raises(PermissionError):
            socket_folder(shared)


def test_a_secret_is_not_shown() -> None:
    secret = new_secret()

    assert repr(secret) not in repr(LineAddress(path="somewhere", secret=secret))
