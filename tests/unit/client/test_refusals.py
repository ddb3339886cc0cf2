"""What the client refuses by itself: nothing of it is sent."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from optionchain_client import AsyncClient, Client, ConnectionFailed, Retry
from tests.unit.client.fake_service import PARAMETERS, SESSION_ID, FakeService, open_async_client, open_client

SWEEP: dict[str, Any] = {"base": {"symbol": "SPX"}, "measures": ["terminal_price"]}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("localhost:7070", "write http://localhost:7070"),
        ("127.0.0.1:7070", "write http://127.0.0.1:7070"),
        ("simulator.example", "write http://simulator.example"),
        ("ftp://simulator.example", "write http://simulator.example"),
        ("", "write http://127.0.0.1:7070"),
        ("http://", "has no host"),
    ],
)
def test_an_address_without_what_it_needs_is_refused_at_once(kind: type, address: str, advice: str) -> None:
    with pytest.raises(ValueError, match=f"base_url '{address}' .*{advice}"):
        kind(address)


@pytest.mark.parametrize("key", ["a-key\n", " a-key", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="api_key has") as refusal:
        Client("http://service", key)

    assert key not in str(refusal.value)


def test_a_password_in_the_address_is_not_shown() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    http = httpx.Client(transport=httpx.MockTransport(unreachable))
    client = Client("http://user:secret@service:8080/base", http=http, retry=Retry(attempts=1))

    with pytest.raises(
        ConnectionFailed, match=r"GET http://service:8080/base/metrics got no answer: refused"
    ):
        client.metrics()


@pytest.mark.parametrize(
    ("method", "given", "refusal"),
    [
        (
            "create_session",
            PARAMETERS | {"sead": 42},
            "sead is no parameter of a session: did you mean seed?",
        ),
        ("create_session", PARAMETERS | {"schedules": []}, "schedules is no parameter of a session: it has "),
        (
            "create_simulation",
            {"volatilty": 0.2},
            "volatilty is no parameter of a simulation: did you mean vol",
        ),
        (
            "create_simulation",
            {"schedules": [{"rule_id": "a"}, {"weekday_s": 1}]},
            "schedules[1].weekday_s is no parameter of a rule: did you mean weekdays?",
        ),
        ("start_sweep", SWEEP | {"pathes": 7}, "pathes is no parameter of a sweep: did you mean paths?"),
        (
            "start_sweep",
            SWEEP | {"base": {"volatilty": 0.2}},
            "base.volatilty is no parameter of a sweep's base: did you mean volatility?",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(
    method: str, given: dict[str, Any], refusal: str
) -> None:
    service = FakeService()

    with pytest.raises(TypeError) as refused:
        getattr(open_client(service), method)(**given)

    assert str(refused.value).startswith(refusal)
    assert service.requests == []


@pytest.mark.parametrize("method", ["change", "replace"])
def test_an_unknown_change_is_refused(method: str) -> None:
    service = FakeService()
    session = open_client(service).open_session(SESSION_ID)

    with pytest.raises(TypeError, match=r"volatilty is no parameter of a session: did you mean volatility\?"):
        getattr(session, method)(volatilty=0.3)

    assert service.requests == []


@pytest.mark.anyio
async def test_a_coroutine_is_refused_the_same() -> None:
    with pytest.raises(TypeError, match=r"sead is no parameter of a session: did you mean seed\?"):
        await open_async_client(FakeService()).create_session(**PARAMETERS, sead=42)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"volatility": math.nan}, "volatility is nan"),
        ({"method": {"Heston": {"rho": math.inf}}}, "method.Heston.rho is inf"),
        ({"method": {"Historical": {"prices": [1.0, math.nan]}}}, r"method.Historical.prices\[1\] is nan"),
        ({"method": {"Historical": {"prices": np.array([1.0, math.nan])}}}, r"prices\[1\] is nan"),
    ],
)
def test_a_number_that_json_has_not_is_refused_with_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        open_client(FakeService()).create_session(**PARAMETERS | given)


def test_numbers_of_numpy_and_instants_are_sent_as_what_they_are() -> None:
    given = {
        "seed": np.int64(7),
        "initial_price": np.float64(99.5),
        "start_at": datetime(2026, 1, 5, tzinfo=UTC),
    }

    session = open_client(FakeService()).create_session(**PARAMETERS | given)

    assert session.view is not None
    shown = session.view["parameters"]
    assert (shown["seed"], shown["initial_price"]) == (7, 99.5)
    assert shown["start_at"] == "2026-01-05T00:00:00+00:00"


@pytest.mark.parametrize("name", ["chains.xlsx", "chains", "chains.csv.gz"])
def test_a_file_of_an_unknown_ending_is_refused(name: str, tmp_path: Path) -> None:
    service = FakeService()

    with pytest.raises(
        ValueError, match=r"does not end in one of .json, .csv, .arrow, .ocsp, .parquet: rename it"
    ):
        open_client(service).open_session(SESSION_ID).download(tmp_path / name)

    assert service.requests == []


def test_a_file_whose_ending_is_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not the name of a file of format 'parquet'"):
        open_client(FakeService()).open_session(SESSION_ID).download(tmp_path / "a.csv", format="parquet")


@pytest.mark.parametrize(
    ("name", "format", "asked"),
    [
        ("a.csv", None, "csv"),
        ("a.PARQUET", None, "parquet"),
        ("a", "arrow", "arrow"),
        ("a.dat", "json", "json"),
        ("a.rows", "a-later-one", "a-later-one"),
        ("a.ocsp", None, "packed"),
    ],
)
def test_a_file_is_of_the_format_of_its_ending_or_of_the_given_one(
    name: str, format: Any, asked: str, tmp_path: Path
) -> None:
    service = FakeService(before=lambda *_: httpx.Response(200, content=b"rows"))

    open_client(service).open_session(SESSION_ID).download(tmp_path / name, format=format)

    assert service.requests[0].url.params["format"] == asked
    assert (tmp_path / name).read_bytes() == b"rows"
