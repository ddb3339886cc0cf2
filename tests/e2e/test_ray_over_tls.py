"""An instance whose Ray encrypts what its processes say to each other serves as any other."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest
import trustme

from tests.clusters import PARAMETERS, Cluster


@pytest.mark.long
@pytest.mark.timeout(300)
def test_sessions_are_stepped_where_ray_uses_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET
    }
    authority = trustme.CA()
    node = authority.issue_cert("localhost", "127.0.0.1", *own - {"127.0.0.1"})
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    node.cert_chain_pems[0].write_to_path(tmp_path / "node.pem")
    node.private_key_pem.write_to_path(tmp_path / "node.key")
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.setenv("RAY_TLS_SERVER_CERT", str(tmp_path / "node.pem"))
    monkeypatch.setenv("RAY_TLS_SERVER_KEY", str(tmp_path / "node.key"))
    monkeypatch.setenv("RAY_TLS_CA_CERT", str(tmp_path / "authority.pem"))
    cluster = Cluster(tmp_path / "data")

    with cluster.running(), cluster.client() as api:
        session = api.post("/api/v1/chain", json=PARAMETERS).json()["id"]
        stepped = api.post("/api/v1/chain/step", params={"sessionid": session})

        assert stepped.status_code == 200, stepped.text
