"""Redis and MongoDB over TLS, with client certificates: what works, and what is said of what does not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from cluster.instance.given_servers import silent_servers
from cluster.instance.ports import accepts, free_ports
from cluster.settings import Settings
from proving.groups.redis_members import Member, running
from tests.integration.history.mongo_servers import mongod_command, process
from tests.servers import needs_redis
from tests.waiting import eventually

USER, PASSWORD = "service", "of-the-service"


# A driver that gives up a handshake leaves its socket to the collector, which is to come while nobody minds.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


@dataclass(frozen=True)
class Place:
    """An encrypted server, and the files of its line."""

    port: int
    folder: Path

    def redis(self, *, host: str = "127.0.0.1", scheme: str = "rediss", **left_out: bool) -> list[str]:
        """What is said of it before a start."""
        files = {"ssl_ca_certs": "authority.pem", "ssl_certfile": "client.pem", "ssl_keyfile": "client.key"}
        query = "&".join(
            f"{name}={self.folder / file}" for name, file in files.items() if name not in left_out
        )
        url = f"{scheme}://{USER}:{PASSWORD}@{host}:{self.port}/0"
        return silent_servers(Settings(redis={"url": f"{url}?{query}" if scheme == "rediss" else url}))

    def mongo(self, *, host: str = "127.0.0.1", tls: bool = True, **left_out: bool) -> list[str]:
        """The same."""
        files = {"tlsCAFile": "authority.pem", "tlsCertificateKeyFile": "client-both.pem"}
        query = "&".join(
            f"{name}={self.folder / file}" for name, file in files.items() if name not in left_out
        )
        uri = f"mongodb://{host}:{self.port}/?directConnection=true{f'&tls=true&{query}' if tls else ''}"
        return silent_servers(Settings(mongo={"uri": uri, "timeout_seconds": 2.0}))


def written(folder: Path, signer: trustme.CA, *names: str, not_after: datetime | None = None) -> None:
    """The certificates of a server for these names and of its clients, and the authority's."""
    signer.cert_pem.write_to_path(folder / "authority.pem")
    for who, certificate in (
        ("server", signer.issue_cert(*names, not_after=not_after)),
        ("client", signer.issue_cert("client.example")),
    ):
        certificate.cert_chain_pems[0].write_to_path(folder / f"{who}.pem")
        certificate.private_key_pem.write_to_path(folder / f"{who}.key")
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / f"{who}-both.pem")


@contextmanager
def redis(folder: Path) -> Iterator[Place]:
    [port] = free_ports(1)
    needs_redis()
    member = Member(port, folder / "redis")
    member.configure(
        [
            "port 0",
            f"tls-port {port}",
            f"tls-ca-cert-file {folder / 'authority.pem'}",
            f"tls-cert-file {folder / 'server.pem'}",
            f"tls-key-file {folder / 'server.key'}",
            "tls-auth-clients yes",
            "user default off",
            f"user {USER} on >{PASSWORD} ~* &* +@all",
        ]
    )
    with running([member]):
        eventually(lambda: accepts(port), "Redis listens")
        yield Place(port, folder)


@contextmanager
def mongo(folder: Path) -> Iterator[Place]:
    [port] = free_ports(1)
    command = mongod_command(folder / "data", port, replica_set=None)
    tls = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(folder / "server-both.pem")]
    with process([*command, *tls, "--tlsCAFile", str(folder / "authority.pem")], folder / "mongod.log"):
        eventually(lambda: accepts(port), "mongod listens")
        yield Place(port, folder)


SERVERS = {"redis": redis, "mongo": mongo}
OTHER_HOST = "its certificate is for another host"
EXPIRED = "its certificate has expired"
NOBODY = "signed by nobody who is trusted here"


@pytest.mark.parametrize("which", SERVERS)
def test_a_line_with_both_certificates_works_and_with_less_is_refused_by_its_reason(
    which: str, tmp_path: Path
) -> None:
    written(tmp_path, trustme.CA(), "127.0.0.1")
    with SERVERS[which](tmp_path) as place:
        assert getattr(place, which)() == []
        [by_name] = getattr(place, which)(host="localhost")
        written(tmp_path, trustme.CA(), "127.0.0.1")  # what clients trust; the server has read its own
        [stranger] = getattr(place, which)()

    assert OTHER_HOST in by_name
    assert NOBODY in stranger
    assert PASSWORD not in by_name + stranger


@pytest.mark.parametrize("which", SERVERS)
def test_an_expired_certificate_is_named(which: str, tmp_path: Path) -> None:
    # No server starts with one that has expired already.
    written(tmp_path, trustme.CA(), "127.0.0.1", not_after=datetime.now(UTC) + timedelta(seconds=15))

    with SERVERS[which](tmp_path) as place:
        [problem] = eventually(getattr(place, which), "it expires", patience_seconds=60.0)

    assert EXPIRED in problem


def test_redis_refuses_who_has_no_client_certificate_or_speaks_plainly(tmp_path: Path) -> None:
    written(tmp_path, trustme.CA(), "127.0.0.1")

    with redis(tmp_path) as place:
        [bare] = place.redis(ssl_certfile=True, ssl_keyfile=True)
        [plain] = place.redis(scheme="redis")

    assert f"Redis at rediss://127.0.0.1:{place.port}" in bare
    assert "gives no answer" in plain


def test_mongodb_refuses_who_has_no_client_certificate_or_speaks_plainly(tmp_path: Path) -> None:
    written(tmp_path, trustme.CA(), "127.0.0.1")

    with mongo(tmp_path) as place:
        [bare] = place.mongo(tlsCertificateKeyFile=True)
        [plain] = place.mongo(tls=False)

    assert f"MongoDB at mongodb://127.0.0.1:{place.port}" in bare
    assert "gives no answer" in plain
