"""Keys that are made while the service runs, from the command line, on a cluster as it is started."""

from __future__ import annotations

import time

import httpx

from adapters.encryption import Keyring
from tests.clusters import Cluster
from tests.waiting import eventually

PROMISED_SECONDS = 1.0


def status(client: httpx.Client) -> int:
    return client.get("/api/v1/chain/sessions").status_code


def test_a_key_is_made_used_and_revoked_without_a_redeploy(cluster: Cluster) -> None:
    made = cluster.run("keys", "create", "desk", "--role", "viewer", "--note", "dashboards", "--days", "90")
    key = made.stdout.strip()
    key_id = made.stderr.split()[2]

    with cluster.client(key) as viewer:
        assert status(viewer) == 200
        assert viewer.post("/api/v1/chain", json={}).status_code == 403
        listed = cluster.run("keys", "list")
        assert key_id in listed.stdout.replace("\n", "") or key_id[:8] in listed.stdout

        revoked = cluster.run("keys", "revoke", key_id)
        began = time.monotonic()
        eventually(lambda: status(viewer) == 401, "it works no more")

    assert time.monotonic() - began < PROMISED_SECONDS
    assert "is revoked" in revoked.stdout
    assert key not in listed.stdout


def test_a_key_is_replaced(cluster: Cluster) -> None:
    made = cluster.run("keys", "create", "desk", "--role", "trader", "--role", "operator")
    first, key_id = made.stdout.strip(), made.stderr.split()[2]

    second = cluster.run("keys", "rotate", key_id, "--overlap", "60").stdout.strip()
    third = cluster.run("keys", "rotate", "nothing")

    with cluster.client(first) as before, cluster.client(second) as after:
        assert [status(before), status(after)] == [200, 200]
        assert after.get("/api/v1/system").status_code == 200
    assert (third.returncode, "API key not found: nothing" in third.stderr) == (1, True)


def test_ready_tells_whether_revocations_are_heard(cluster: Cluster) -> None:
    with cluster.client() as api:
        eventually(lambda: api.get("/ready").json()["states"].get("api_keys") == "up", "they are")


def test_what_administrators_do_is_on_record_and_can_be_verified(cluster: Cluster) -> None:
    cluster.run("keys", "create", "recorded", "--role", "viewer")
    with cluster.client() as api:

        def entries() -> list[str]:
            found = api.get("/api/v1/audit", params={"limit": 100}).json()["data"]
            return [each["target"] for each in found if "of recorded: viewer" in each["target"]]

        eventually(lambda: len(entries()) == 1, "it is on record")

    verified = cluster.run("audit", "verify")

    assert (verified.returncode, "0 problems" in verified.stdout) == (0, True)


def test_what_is_secret_can_be_read_when_its_key_was_replaced(cluster: Cluster) -> None:
    path, values = "/api/v1/config/sign-in", {"client_secret": "word"}
    with cluster.client() as api:
        saved = api.put(path, params={"secret": "true"}, json=values)
        assert saved.status_code == 200, saved.text

        rotated = cluster.run("keys", "rotate-encryption")

        assert "1 secret versions of configurations, encrypted by the key" in rotated.stdout, rotated.stderr
        assert eventually(lambda: api.get(path).json().get("values"), "it is read") == values
    new, old = (cluster.folder / "encryption_key").read_text().split()
    assert Keyring(new).sealing_id in rotated.stdout
    assert Keyring(old).sealing_id not in rotated.stdout
