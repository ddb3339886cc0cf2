"""Backups of a running service by its command line: what is lost comes back, and steps go on to the same byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clusters import Cluster, create, step
from tests.e2e.simulations import simulate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return tmp_path_factory.mktemp("backups")


def backup(cluster: Cluster, *arguments: str, **variables: str) -> str:
    done = cluster.run("backup", *arguments, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refusal(cluster: Cluster, *arguments: str, **variables: str) -> str:
    done = cluster.run("backup", *arguments, **variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_restored_session_goes_on_to_the_same_byte(
    cluster: Cluster, api: httpx.Client, folder: Path
) -> None:
    lost, ahead = create(api)["id"], create(api, seed=7)["id"]
    simulation = simulate(api)["id"]
    for session in (lost, ahead):
        step(api, session, expected_step=0).raise_for_status()
    kept_key = {"Idempotency-Key": "of-the-second-step"}
    first_answer = api.post("/api/v1/chain/step", params={"sessionid": lost}, headers=kept_key).content

    backup(cluster, "create", "--to", str(folder))
    next_of_lost, next_of_ahead = step(api, lost).content, step(api, ahead).content
    next_of_simulation = api.post(f"/api/v2/simulations/{simulation}/step").content
    api.request("DELETE", "/api/v1/chain", params={"sessionid": lost}).raise_for_status()
    api.delete(f"/api/v2/simulations/{simulation}").raise_for_status()
    assert step(api, lost).status_code == 404
    told = backup(cluster, "restore", "--from", str(folder), "--session", lost, "--session", simulation)
    # It was not deleted: its cursor goes back to where it was, which is to be told.
    kept = backup(cluster, "restore", "--from", str(folder), "--session", ahead)
    backup(cluster, "restore", "--from", str(folder), "--session", ahead, "--force")

    assert "sessions" in told
    assert f"sessions: {ahead} was changed since" in kept
    again = api.post("/api/v1/chain/step", params={"sessionid": lost}, headers=kept_key)
    assert again.content == first_answer
    assert step(api, lost).content == next_of_lost
    assert step(api, ahead).content == next_of_ahead
    assert api.post(f"/api/v2/simulations/{simulation}/step").content == next_of_simulation


def test_a_backup_is_listed_verified_and_pruned(cluster: Cluster, api: httpx.Client, folder: Path) -> None:
    create(api)
    key = {"OCS_ENCRYPTION_KEY": "b25lLWtleS1vZi1vbmUta2V5LW9mLW9uZS1rZXktMDE="}

    backup(cluster, "create", "--to", str(folder / "sealed"), **key)
    verified = backup(cluster, "verify", "--from", str(folder / "sealed"), **key)
    listed = backup(cluster, "list", "--from", str(folder / "sealed"), "--json")
    pruned = backup(cluster, "prune", "--from", str(folder / "sealed"), "--keep", "0,0,0,0")

    assert "comes back" in verified
    assert '"verified_at": "2' in listed
    assert "0 removed" in pruned
    wrong = {"OCS_ENCRYPTION_KEY": "dHdvLWtleS1vZi10d28ta2V5LW9mLXR3by1rZXktMDI="}
    assert "is none of OCS_ENCRYPTION_KEY" in refusal(
        cluster, "restore", "--from", str(folder / "sealed"), "--dry-run", **wrong
    )


def test_what_is_in_use_is_not_overwritten_by_mistake(
    cluster: Cluster, api: httpx.Client, folder: Path
) -> None:
    create(api)
    backup(cluster, "create", "--to", str(folder / "whole"))

    message = refusal(cluster, "restore", "--from", str(folder / "whole"))

    assert "onto stores that are in use" in message
    assert len(message.splitlines()) <= 4
