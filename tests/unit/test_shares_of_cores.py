"""Replicas and actors follow the cores, unless somebody has said how many there are to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster.settings import Settings, load_settings
from cluster.shares_of_cores import cores, with_shares_of_cores


@pytest.mark.parametrize(("cores", "pairs"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4), (16, 8), (128, 8)])
def test_each_two_cores_have_a_replica_and_an_actor(cores: int, pairs: int) -> None:
    settings = with_shares_of_cores(Settings(), cores)

    assert (settings.http.replicas, settings.session.placement) == (str(pairs), f"shards:{pairs}")


def test_what_the_environment_says_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_PORT", "7272")
    monkeypatch.setenv("OCS_HTTP_REPLICAS", "1")
    monkeypatch.setenv("OCS_SESSION_PLACEMENT", "per-session")

    settings = with_shares_of_cores(load_settings(), 16)

    assert (settings.http.port, settings.http.replicas) == (7272, "1")
    assert settings.session.placement == "per-session"


def test_another_setting_of_a_group_does_not_count_as_one_of_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_PORT", "7272")

    assert with_shares_of_cores(load_settings(), 16).http.replicas == "8"


def test_replicas_that_follow_the_load_have_an_actor_for_each_that_there_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OCS_HTTP_REPLICAS", "2:6")

    settings = with_shares_of_cores(load_settings(), 16)

    assert (settings.http.replicas, settings.session.placement) == ("2:6", "shards:6")


@pytest.mark.parametrize("placement", ["shards:3", "per-session"])
def test_actors_that_somebody_has_asked_for_do_not_follow_replicas(
    placement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCS_HTTP_REPLICAS", "2:6")
    monkeypatch.setenv("OCS_SESSION_PLACEMENT", placement)

    assert with_shares_of_cores(load_settings(), 16).session.placement == placement


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, len(os.sched_getaffinity(0))),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, len(os.sched_getaffinity(0))),
        ({"cpu.max": "99900000 100000\n"}, len(os.sched_getaffinity(0))),
        ({}, len(os.sched_getaffinity(0))),
    ],
)
def test_a_container_has_the_cores_of_its_share(files: dict[str, str], expected: int, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert cores(tmp_path) == expected
