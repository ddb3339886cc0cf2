"""HTTPS as HAProxy serves it: which versions it speaks, what it says of itself, and how its certificate is renewed."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme

from adapters.certificates import expires_at, unusable_because
from cluster.haproxy.amended import CERTIFICATE, CERTIFICATE_LOG
from cluster.instance.ports import free_ports
from cluster.instance.ray_node import haproxy_program
from tests.integration.cluster.front import Front, front, replica, started
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(haproxy_program() is None, reason="there is no HAProxy here")

HOST = "127.0.0.1"
AUTHORITY = trustme.CA()
REQUEST = b"GET /api/v1/x HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n\r\n"


@dataclass(frozen=True)
class Encrypted:
    """A HAProxy with a port for TLS, and where its certificate is renewed."""

    front: Front
    port: int
    certificate: Path
    key: Path

    def renew(self, authority: trustme.CA = AUTHORITY) -> None:
        issued(self.certificate, self.key, authority)

    def shown(self) -> str:
        """The digest of the certificate that a new connection is shown."""
        with connected(self.port) as line:
            return hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()


def issued(certificate: Path, key: Path, authority: trustme.CA = AUTHORITY, **how: datetime) -> None:
    made = authority.issue_cert(HOST, "ocs.example", **how)
    key.write_bytes(made.private_key_pem.bytes())
    certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))


def trusting(**versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


@contextmanager
def connected(port: int, context: ssl.SSLContext | None = None, host: str = HOST) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((HOST, port), timeout=10.0) as plain,
        (context or trusting()).wrap_socket(plain, server_hostname=host) as line,
    ):
        yield line


def asked(line: ssl.SSLSocket) -> bytes:
    line.sendall(REQUEST)
    return line.recv(65_536)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with replica() as port:
        yield port


@contextmanager
def encrypted(folder: Path, server: int, **variables: str) -> Iterator[Encrypted]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    issued(certificate, key)
    [port] = free_ports(1)
    with front(
        folder,
        server,
        CERTIFICATE=str(certificate),
        CERTIFICATE_KEY=str(key),
        CERTIFICATE_SECONDS="0.1",
        TLS_PORT=str(port),
        **variables,
    ) as running:
        yield Encrypted(running, port, certificate, key)


@pytest.fixture(scope="module")
def served(server: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    with encrypted(Path(tmp_path_factory.mktemp("https")), server) as running:
        yield running


def test_a_client_that_trusts_the_authority_is_served_and_browsers_are_told_to_stay(
    served: Encrypted,
) -> None:
    with httpx.Client(verify=trusting(), trust_env=False) as client:
        answer = client.get(f"https://{HOST}:{served.port}/api/v1/x", headers={"X-API-Key": "k"})
        unknown = client.get(f"https://{HOST}:{served.port}/api/v1/x")
    plain = httpx.get(f"http://{HOST}:{served.front.port}/api/v1/x", trust_env=False)

    assert answer.status_code == 200
    assert "x-forwarded-for" in answer.text
    assert [each.headers.get("strict-transport-security") for each in (answer, unknown, plain)] == [
        "max-age=31536000",
        "max-age=31536000",
        None,
    ]


def test_a_client_that_does_not_or_that_wants_another_host_refuses(served: Encrypted) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get"):
        connected(served.port, ssl.create_default_context()).__enter__()
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connected(served.port, host="other.example").__enter__()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_older_than_tls_1_2_is_spoken(served: Encrypted) -> None:
    spoken = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with connected(served.port, trusting(minimum_version=version, maximum_version=version)) as line:
            spoken.append(line.version())
    old = trusting(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")

    assert spoken == ["TLSv1.2", "TLSv1.3"]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connected(served.port, old).__enter__()


@pytest.mark.parametrize("ciphers", ["AES256-SHA", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256"])
def test_what_can_be_read_later_or_is_not_authenticated_is_not_spoken(
    served: Encrypted, ciphers: str
) -> None:
    weak = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers(f"{ciphers}:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        connected(served.port, weak).__enter__()


def test_the_port_without_tls_is_for_this_machine_alone(tmp_path: Path, server: int) -> None:
    with encrypted(tmp_path, server, LOOPBACK="0"):
        text = (tmp_path / "haproxy.cfg").read_text()

    frontend = re.split(r"^\S", text.partition("frontend http_frontend\n")[2], flags=re.MULTILINE)[0]
    binds = [line.split() for line in frontend.splitlines() if line.strip().startswith("bind ")]
    assert [bind[1].partition(":")[0] for bind in binds if "ssl" not in bind] == [HOST]
    assert len([bind for bind in binds if "ssl" in bind]) == 1


def test_a_renewed_certificate_is_shown_to_new_clients_and_cuts_no_connection(
    tmp_path: Path, server: int
) -> None:
    with encrypted(tmp_path, server) as served, connected(served.port) as line:
        before, pid = served.shown(), served.front.process.pid
        assert asked(line).startswith(b"HTTP/1.1 200")

        served.renew()
        eventually(lambda: served.shown() != before, "the new one is shown")

        assert asked(line).startswith(b"HTTP/1.1 200"), "the old connection serves on"
        assert served.front.process.is_running()
        assert served.front.process.pid == pid
        assert served.front.process.children()[0].cmdline()[2].endswith("haproxy/certificate.py")
    assert (tmp_path / CERTIFICATE).stat().st_mode & 0o777 == 0o600


def test_a_certificate_without_its_key_changes_nothing_until_the_key_is_there(
    tmp_path: Path, server: int
) -> None:
    with encrypted(tmp_path, server) as served:
        before, old_key = served.shown(), served.key.read_bytes()
        served.renew()
        new_key = served.key.read_bytes()
        served.key.write_bytes(old_key)
        log = tmp_path / CERTIFICATE_LOG
        eventually(lambda: "not renewed" in log.read_text(), "it is noticed")

        # What starts now shows what was shown before.
        again = started(
            tmp_path,
            "-sf",
            str(served.front.process.pid),
            CERTIFICATE=str(served.certificate),
            CERTIFICATE_KEY=str(served.key),
            CERTIFICATE_SECONDS="0.1",
            TLS_PORT=str(served.port),
        )
        try:
            eventually(lambda: served.front.process.poll() is not None, "the other has taken over")
            assert served.shown() == before

            served.key.write_bytes(new_key)
            eventually(lambda: served.shown() != before, "the new one is shown")
        finally:
            again.terminate()
            again.wait(10)


def test_who_keeps_a_certificate_ends_with_its_haproxy(tmp_path: Path, server: int) -> None:
    with encrypted(tmp_path, server) as served:
        [keeper] = served.front.process.children()
        assert keeper.is_running()

    keeper.wait(10)


def test_without_a_usable_certificate_nothing_is_started(tmp_path: Path) -> None:
    certificate = tmp_path / "tls.crt"
    certificate.write_text("no certificate")
    (tmp_path / "haproxy.cfg").write_text("")

    with pytest.raises(Exception, match="ended"), front(tmp_path, 1, CERTIFICATE=str(certificate)):
        pass

    assert "OCS_HTTP_CERTIFICATE" in (tmp_path / "refusal").read_text()


def test_what_is_wrong_with_a_certificate_is_said_before_anything_starts(tmp_path: Path) -> None:
    certificate, key, other = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "other.key"
    issued(certificate, key)
    issued(tmp_path / "other.crt", other)
    expired = tmp_path / "expired.crt"
    issued(expired, tmp_path / "expired.key", not_after=datetime.now(UTC) - timedelta(days=1))

    assert unusable_because(certificate, key) is None
    assert "no such pair" in (unusable_because(certificate, other) or "")
    assert "cannot be read" in (unusable_because(tmp_path / "none.crt", None) or "")
    assert "has expired" in (unusable_because(expired, tmp_path / "expired.key") or "")
    assert expires_at(certificate) > datetime.now(UTC)
