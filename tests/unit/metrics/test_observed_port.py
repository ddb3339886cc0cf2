"""Every call of a port is told of, whatever stands behind it."""

from __future__ import annotations

import pytest

from optionchain.errors import Unavailable
from optionchain.observed_port import told
from tests.recording import Recording

pytestmark = pytest.mark.anyio


class Store:
    async def save(self, key: str, *, value: int) -> str:
        if value < 0:
            raise Unavailable("the store")
        return f"{key}={value}"


async def test_a_call_is_an_operation_and_answers_as_before() -> None:
    observer = Recording()
    store = told(Store(), observer, "redis.call", role="session")

    assert await store.save("a", value=1) == "a=1"
    assert await store.save("a", value=2) == "a=2"

    assert [(each.name, each.facts) for each in observer.ended] == [
        ("redis.call", {"operation": "session.save"})
    ] * 2


async def test_a_call_that_fails_is_told_as_such_and_fails() -> None:
    observer = Recording()

    with pytest.raises(Unavailable):
        await told(Store(), observer, "redis.call", role="session").save("a", value=-1)

    assert isinstance(observer.failure("redis.call")[1], Unavailable)


def test_what_the_port_has_not_nobody_can_call() -> None:
    with pytest.raises(AttributeError):
        _ = told(Store(), Recording(), "redis.call", role="session").load  # type: ignore[attr-defined]
