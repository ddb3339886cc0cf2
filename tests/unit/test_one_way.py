"""What is to be done in one way is done in one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ("optionchain", "actors", "adapters", "cluster", "serve_app")


def files_with(pattern: str, packages: tuple[str, ...] = SERVICE) -> set[str]:
    files = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    return {
        str(path.relative_to(ROOT))
        for path in files
        if re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


@pytest.mark.parametrize(
    "pattern",
    [r"\bget_actor\(", r"get_if_exists|lifetime=\"detached\"", r"list_named_actors", r"max_task_retries"],
)
def test_named_actors_are_found_and_made_in_one_file(pattern: str) -> None:
    assert files_with(pattern) == {"actors/named.py"}


def test_what_is_lost_is_repeated_in_one_file() -> None:
    assert files_with(r"\bstamina\b|tenacity|backoff\.on_") == {"actors/delivery.py"}


NUMBERS_OF_RETRIES = (
    r"^_?[A-Z_]*(RETR|ATTEMPTS|BACKOFF|RECONNECT)[A-Z_]*\s*=\s*[\d.]+"
    r"|(wait_initial|wait_max|wait_jitter|attempts|cap|base|max_retries|task_retries|pause_seconds|failures)"
    r"(: \w+)?\s?=\s?[1-9.]"
    r"|(first_seconds|longest_seconds|jitter_seconds)=[\d.]"
)


def test_the_numbers_of_retries_stand_in_one_file() -> None:
    assert files_with(NUMBERS_OF_RETRIES) == {"optionchain/patience.py"}


def test_nobody_logs_past_the_observer() -> None:
    assert files_with(r"getLogger") == set()


def test_settings_are_changed_in_one_way() -> None:
    places = (*SERVICE, "proving", "tests")

    assert files_with(r"\.model_copy\(", places) == {"cluster/settings.py"}
