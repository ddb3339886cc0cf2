"""Calendars of exchanges are computed once on a machine: kept on disk, in a folder that nobody else can write to."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from optionchain.errors import InvalidInput
from optionchain.expirations import exchanges
from optionchain.expirations.exchanges import CalendarMissing, compute_apart, exchange_calendar, forget_all
from optionchain.kept import private_places

EXCHANGE = "XHKG"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nothing is kept, neither on disk nor in memory; afterwards this process computes by itself again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    forget_all()
    yield tmp_path
    compute_apart(False)
    forget_all()


def test_what_one_process_computed_another_reads_in_milliseconds(places: Path) -> None:
    computed = exchange_calendar(EXCHANGE)
    forget_all()
    compute_apart()

    began = time.thread_time()
    read = exchange_calendar(EXCHANGE)

    assert time.thread_time() - began < 0.05
    assert read is not computed
    assert (read.name, read.weekdays, read.first_day, read.last_day, read.sessions) == (
        computed.name,
        computed.weekdays,
        computed.first_day,
        computed.last_day,
        computed.sessions,
    )


def test_a_process_that_serves_computes_none(places: Path) -> None:
    compute_apart()

    with pytest.raises(CalendarMissing, match="the calendar XHKG is not available right now") as missing:
        exchange_calendar(EXCHANGE)

    assert missing.value.name == EXCHANGE


def test_a_made_up_name_is_refused_at_once_when_the_names_are_known(places: Path) -> None:
    exchange_calendar(EXCHANGE)
    compute_apart()

    with pytest.raises(InvalidInput, match="the name of an exchange calendar such as XNYS"):
        exchange_calendar("XXXX")


@pytest.mark.parametrize("name", ["", "../../etc/passwd\0", "X" * 65, "\ud800", "X NYS"])
def test_what_can_be_no_name_is_refused_before_anything_is_read(places: Path, name: str) -> None:
    compute_apart()

    with pytest.raises(InvalidInput, match="calendar: must be weekdays_v1 or"):
        exchange_calendar(name)


@pytest.mark.parametrize("kept", [b"half of", b'{"sessions": 3}\n12345678'])
def test_what_is_damaged_on_disk_is_computed_again(places: Path, kept: bytes) -> None:
    computed = exchange_calendar(EXCHANGE)
    forget_all()
    (folder,) = places.glob("user/optionchain/calendars")
    for file in folder.glob("*.calendar"):
        if file.read_bytes() == exchanges.encoded(computed):
            file.write_bytes(kept)

    assert exchange_calendar(EXCHANGE).sessions == computed.sessions


def test_a_folder_that_others_may_write_to_is_not_used(places: Path) -> None:
    assert [folder.parent.name for folder in private_places("calendars")][:1] == ["optionchain"]
    (places / "user" / "optionchain").chmod(0o777)

    assert "user" not in [folder.parent.parent.name for folder in private_places("calendars")]


def test_a_link_in_place_of_the_folder_is_not_followed(places: Path) -> None:
    elsewhere = places / "elsewhere"
    elsewhere.mkdir()
    (places / "user").mkdir()
    (places / "user" / "optionchain").symlink_to(elsewhere)

    assert all("user" not in folder.parts[len(places.parts) :] for folder in private_places("calendars"))
