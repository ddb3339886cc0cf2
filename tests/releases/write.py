"""Writes what a release leaves behind, for the tests of every later one: ``python -m tests.releases.write v1.2.0``.

Once, when it is tagged, and never again for the same version (docs/releasing.md).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from optionchain.numerics import IDENTITY
from tests.clusters import PARAMETERS, create, step
from tests.e2e.simulations import SIMULATIONS, simulate
from tests.integration.history import mongo_servers
from tests.releases.dumps import dump
from tests.releases.instance import ROOT, code_of, running
from tests.servers import redis_server
from tests.waiting import eventually

HERE = Path(__file__).parent
# What is stepped under the next release, and then under this one again.
LATER_STEPS = 2
HESTON = {
    "Heston": {
        "dt": 0.004, "drift": 0.05, "volatility": 0.2, "kappa": 2.0, "theta": 0.04, "xi": 0.3, "rho": -0.7
    }
}  # fmt: skip
PRICES = [100.0, 101.5, 99.0, 102.25, 103.0, 101.0, 104.5, 105.0]
CONFIGURATION = "/api/v1/config/of-a-release"
SECRET = "/api/v1/config/of-a-release-secret"
CHAIN = "/api/v1/historical/RELEASED/2024-01-02"
STORED_CHAIN: dict[str, Any] = {
    "quote_time": "2024-01-02T21:00:00Z",
    "underlying": {"price": 100.0},
    "chains": [
        {
            "expiration": "2024-01-19",
            "contracts": [
                {"strike": 100.0, "call": {"bid": 1.0, "ask": 1.2}, "put": {"bid": 0.8, "ask": 1.0}}
            ],
        }
    ],
}
SWEEP = {
    "base": {
        name: value for name, value in PARAMETERS.items() if name not in ("seed", "time_frame", "chain_size")
    },
    "measures": ["terminal_price"],
    "paths": 4,
    "seed": 1,
}


def stepping(api: httpx.Client, path: str) -> Any:
    """The next snapshot of a session, by the path that its release served."""
    return api.post(path).raise_for_status().json()


def write(release: str) -> None:
    """Fill an instance of a release, save what is stored, and note what it would have answered next."""
    commit = git("rev-parse", f"{release}^{{commit}}")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        code, data = place / "code", place / "data"
        assert code_of(commit, code)
        found = re.search(r'__version__ = "(.+)"', (code / "optionchain" / "__init__.py").read_text())
        assert found
        folder = HERE / "written" / found[1]
        with redis_server(place / "redis") as redis, mongo_servers.standalone(place / "mongo") as mongo:
            with running(code, data, redis.url, mongo) as api:
                paths, read = fill(api)
            dump(folder, redis.url, mongo, data)
            with running(code, data, redis.url, mongo) as api:
                later = {path: [stepping(api, path) for _ in range(LATER_STEPS)] for path in paths}
    expected = {"commit": commit, "numerics": IDENTITY, "steps": later, "read": read}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def fill(api: httpx.Client) -> tuple[list[str], dict[str, Any]]:
    """Make something of everything; returns what is stepped, and what is read."""
    sessions = [create(api)["id"], create(api, method=HESTON)["id"]]
    for session in sessions:
        step(api, session).raise_for_status()
    simulation = simulate(api)["id"]
    stepping(api, f"{SIMULATIONS}/{simulation}/step")
    api.put(CONFIGURATION, json={"simulation_parameters": {"symbol": "SPX"}}).raise_for_status()
    api.put(SECRET, params={"secret": True}, json={"password": "known"}).raise_for_status()
    api.put(CHAIN, json=STORED_CHAIN).raise_for_status()
    # Again and again: whoever is to do it may not run yet.
    submitted = eventually(
        lambda: (answer := api.post("/api/v1/sweeps", json=SWEEP)).is_success and answer.json()["id"],
        "the sweep is taken",
        patience_seconds=60.0,
    )
    sweep = f"/api/v1/sweeps/{submitted}"
    eventually(
        lambda: api.get(sweep).json()["state"] == "completed", "the sweep is over", patience_seconds=60.0
    )
    paths = [f"/api/v1/chain/step?sessionid={session}" for session in sessions]
    read = [CONFIGURATION, SECRET, CHAIN, f"{sweep}/results"]
    return [*paths, f"{SIMULATIONS}/{simulation}/step"], {path: api.get(path).json() for path in read}


if __name__ == "__main__":
    write(sys.argv[1])
