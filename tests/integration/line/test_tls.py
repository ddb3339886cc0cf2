"""A line between nodes where Ray's own connections are encrypted: with Ray's certificates, and with no others."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from actors.line.address import parse_ports
from actors.line.line import LineLost, connected
from actors.line.listener import Answer, Listener

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


class Authority:
    """Signs the certificates of nodes."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._folder = folder / name
        self._folder.mkdir()
        certificate = self._signed(self._name, self._key.public_key(), is_authority=True)
        self.file = self._written("authority.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def variables_of_a_node(self) -> dict[str, str]:
        """What Ray reads on a node of 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
        certificate = self._signed(name, key.public_key(), is_authority=False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "RAY_USE_TLS": "1",
            "RAY_TLS_SERVER_CERT": self._written(
                "node.pem", certificate.public_bytes(serialization.Encoding.PEM)
            ),
            "RAY_TLS_SERVER_KEY": self._written("node.key", private),
            "RAY_TLS_CA_CERT": self.file,
        }

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _written(self, name: str, content: bytes) -> str:
        file = self._folder / name
        file.write_bytes(content)
        return str(file)


def set_variables(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def echo(body: bytes, answer: Answer) -> None:
    answer(0, body)


async def test_a_line_between_nodes_is_encrypted_with_the_certificates_of_ray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, Authority("ours", tmp_path).variables_of_a_node())
    listener = Listener(
        "actor", echo, folder=tmp_path, host="127.0.0.1", ports=parse_ports("0"), max_bytes=1 << 20
    )
    try:
        address = await listener.address(is_on_this_node=False)
        line = await connected(address, max_bytes=1 << 20, silence_seconds=30.0)

        assert (await line.call(b"hello")).body == b"hello"
        line.abort()

        monkeypatch.setenv("RAY_USE_TLS", "0")
        with pytest.raises(LineLost):
            await connected(address, max_bytes=1 << 20, silence_seconds=30.0)
        set_variables(monkeypatch, Authority("another", tmp_path).variables_of_a_node())
        with pytest.raises(LineLost):
            await connected(address, max_bytes=1 << 20, silence_seconds=30.0)
    finally:
        await listener.close()
