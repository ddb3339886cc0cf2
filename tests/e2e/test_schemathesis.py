"""The service keeps to its OpenAPI document, whatever it is sent."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import Cluster

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("examples", "least_cases"),
    [(12, 2_000), pytest.param(60, 10_000, marks=pytest.mark.long)],
)
def test_the_service_keeps_to_its_openapi_document(cluster: Cluster, examples: int, least_cases: int) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(CONFIGURATION)),
        *("run", "--max-examples", str(examples), cluster.state.base_url + "/api-docs/openapi.json"),
        *("--header", f"X-API-Key: {cluster.state.api_key}"),
        "--no-color",
    ]

    # Its hooks are named relative to its working directory.
    run = subprocess.run(
        command, cwd=CONFIGURATION.parent, capture_output=True, text=True, timeout=3500, check=False
    )

    assert run.returncode == 0, run.stdout
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated, run.stdout
    assert int(generated[1]) >= least_cases
