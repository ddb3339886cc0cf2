"""A unit test is of one process: what starts another, opens a port or loads Ray is an integration test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

STARTS_A_PROCESS = {
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
}
OPENS_A_PORT = {"socket.bind", "socket.connect"}


class Guard:
    """Fails the unit test, or the import of its module, that does what is for integration tests."""

    def __init__(self) -> None:
        self.forbidden: set[str] = set()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in self.forbidden:
            pytest.fail(f"a unit test must not do this: {event}{arguments}", pytrace=True)
        if event == "import" and self.forbidden and str(arguments[0]).partition(".")[0] == "ray":
            pytest.fail("a unit test must not import Ray")


GUARD = Guard()
sys.addaudithook(GUARD)


@contextmanager
def guarded(forbidden: set[str]) -> Iterator[None]:
    GUARD.forbidden = forbidden
    try:
        yield
    finally:
        GUARD.forbidden = set()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    # Not ports: libraries look whether there is IPv6 when they are imported.
    with guarded(STARTS_A_PROCESS):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with guarded(STARTS_A_PROCESS | OPENS_A_PORT):
        return (yield)


# Not `pytest_runtest_teardown`: after the last test, what integration tests started may be ended there.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with guarded(STARTS_A_PROCESS | OPENS_A_PORT):
        return (yield)
