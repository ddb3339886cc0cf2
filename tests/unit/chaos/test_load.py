"""What the clients of a chaos run write down, against a service that answers as a test says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import httpx
import orjson
import pytest

from optionchain.numerics import IDENTITY
from proving.chaos import load as load_module
from proving.chaos.checker import check
from proving.chaos.history import Attempt, Gone, Outcome, Refused, Served, Unanswered, digest
from proving.chaos.load import LATE_STEPS, BadLoad, Load

pytestmark = pytest.mark.anyio

LAST_STEPS = 3


class Service:
    """Sessions with a cursor; `disturb` may answer in its place."""

    def __init__(
        self,
        disturb: Callable[[httpx.Request, int], httpx.Response | None] | None = None,
        numerics: str = IDENTITY,
    ) -> None:
        self.cursors: Counter[str] = Counter()
        self._numerics = numerics
        self.requests = 0
        self.kept: dict[str, httpx.Response] = {}
        self._disturb = disturb or (lambda request, number: None)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api-docs/openapi.json":
            return httpx.Response(200, json={"info": {"x-numerics": self._numerics}})
        self.requests += 1
        return self._disturb(request, self.requests) or self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/chain":
            return httpx.Response(201, json={"id": f"s{self.requests}"})
        session_id, key = request.url.params["sessionid"], request.headers.get("Idempotency-Key")
        expected = int(request.url.params.get("expected_step", self.cursors[session_id]))
        if key in self.kept:
            return self.kept[key]
        if expected != self.cursors[session_id]:
            return httpx.Response(412, json={"error": "", "current_step": self.cursors[session_id]})
        self.cursors[session_id] += 1
        answer = httpx.Response(200, json={"session_info": {"current_step": self.cursors[session_id]}})
        if key:
            self.kept[key] = answer
        return answer


async def outcomes(service: Service, steps: int, clients: int = 1) -> list[Outcome]:
    """What the clients saw; they begin no step after so many."""
    return [attempt.outcome for attempt in await attempts(service, steps, clients)]


async def attempts(service: Service, steps: int, clients: int = 1) -> list[Attempt]:
    """What the clients wrote down."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(load.attempts) >= steps:
            load.finish()
        return service(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://service") as api:
        load = Load(api, clients, random.Random(1), pause_seconds=0.0)
        await load.run()
    return load.attempts


def at(
    number: int, answer: httpx.Response | Exception
) -> Callable[[httpx.Request, int], httpx.Response | None]:
    """Disturbs one request; the first creates the session."""

    def disturb(request: httpx.Request, count: int) -> httpx.Response | None:
        if count != number:
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    return disturb


async def test_a_served_step_is_written_down_with_its_index_and_the_digest_of_its_body() -> None:
    first, second, *_ = await outcomes(Service(), 2)

    assert first == Served(0, digest(b'{"session_info":{"current_step":1}}'))
    assert isinstance(second, Served)
    assert second.index == 1


async def test_the_body_is_kept_where_a_service_has_another_arithmetic() -> None:
    first, *_ = await outcomes(Service(numerics="libraries"), 1)

    assert isinstance(first, Served)
    assert first.body == b'{"session_info":{"current_step":1}}'


async def test_a_service_that_names_no_arithmetic_cannot_be_judged() -> None:
    with pytest.raises(BadLoad, match="which arithmetic"):
        await outcomes(Service(numerics=None), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.ConnectError("refused"), Unanswered()),
        (httpx.ReadTimeout("late"), Unanswered()),
        (httpx.Response(503, json={"error": "try again"}), Unanswered(503)),
        (httpx.Response(409, json={"error": "lost"}), Unanswered(409)),
        (httpx.Response(404, text="no such route"), Unanswered(404)),
        (
            httpx.Response(500, content=orjson.dumps({"error": "Internal server error"})),
            Unanswered(500, is_defect=True),
        ),
        (httpx.Response(412, json={"error": "", "current_step": 7}), Refused(7)),
        (httpx.Response(404, json={"error": "session not found: s1"}), Gone()),
    ],
    ids=str,
)
async def test_every_other_answer_is_written_down_for_what_it_says(
    answer: httpx.Response | Exception, outcome: Outcome
) -> None:
    first, *_ = await outcomes(Service(at(2, answer)), 2)

    assert first == outcome


async def test_the_last_word_of_every_session_is_where_its_cursor_is() -> None:
    *_, last = await outcomes(Service(), 3)

    assert isinstance(last, Refused)


async def test_a_client_begins_another_session_when_all_steps_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load_module, "STEPS", LAST_STEPS)
    service = Service()

    await outcomes(service, 3 * LAST_STEPS)

    assert len(service.cursors) > 1
    assert max(service.cursors.values()) == LAST_STEPS


async def test_a_service_that_refuses_the_sessions_ends_the_load_at_once() -> None:
    with pytest.raises(BadLoad, match="401"):
        await outcomes(Service(lambda request, number: httpx.Response(401, text="no key")), 1, clients=3)


class Forgetful(Service):
    """Remembers a key for a few steps only."""

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if len(self.kept) > LATE_STEPS // 8:
            self.kept.pop(next(iter(self.kept)))
        return super()._answer(request)


async def test_keys_are_sent_again_late_and_a_second_effect_is_found() -> None:
    def replay(_: str, step: Served) -> bool:
        return step.digest == digest(b'{"session_info":{"current_step":%d}}' % (step.index + 1))

    kept, forgotten = await attempts(Service(), 200), await attempts(Forgetful(), 200)

    repeats = [attempt for attempt in kept if attempt.is_repeat]
    assert len(repeats) > 10
    for repeat in repeats:
        (first,) = [one for one in kept if one.key == repeat.key and not one.is_repeat]
        assert repeat.outcome == first.outcome
        between = [one for one in kept if first.began < one.began < repeat.began and not one.is_repeat]
        assert len(between) >= LATE_STEPS - 1
    assert check(kept, replay).is_clean
    assert check(forgotten, replay).count("repeated") > 0
