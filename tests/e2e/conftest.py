"""Callers of the one cluster that all end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from cluster.api_keys import parse_keys
from optionchain.access.roles import Permission
from tests.clusters import OTHER_KEYS, Cluster


@pytest.fixture
def api(cluster: Cluster) -> Iterator[httpx.Client]:
    with cluster.client() as client:
        yield client


@pytest.fixture
def other_api(cluster: Cluster) -> Iterator[httpx.Client]:
    """The same service, for a caller who is not an administrator and owns other sessions."""
    key = next(
        key for key, principal in parse_keys(OTHER_KEYS).items() if not principal.may(Permission.ADMINISTER)
    )
    with cluster.client(key) as client:
        yield client
