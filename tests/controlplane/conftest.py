"""A control plane for each file of tests: what one has left on it is not what another begins with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane.deployed import Deployed, deployment


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployment(tmp_path_factory.mktemp("overlays")) as deployed:
        yield deployed
