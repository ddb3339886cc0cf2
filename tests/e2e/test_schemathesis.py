"""The service keeps to its OpenAPI document, whatever it is sent."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import Cluster

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LEAST_CASES = 2_000


@pytest.mark.fuzz
@pytest.mark.timeout(400)
def test_the_service_keeps_to_its_openapi_document(cluster: Cluster) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(CONFIGURATION)),
        *("run", cluster.state.base_url + "/api-docs/openapi.json"),
        *("--header", f"X-API-Key: {cluster.state.api_key}"),
        "--no-color",
    ]

    # Its hooks are named relative to its working directory.
    run = subprocess.run(
        command, cwd=CONFIGURATION.parent, capture_output=True, text=True, timeout=380, check=False
    )

    assert run.returncode == 0, run.stdout
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated, run.stdout
    assert int(generated[1]) >= LEAST_CASES
