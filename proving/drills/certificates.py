"""An authority of a drill's own, whose certificates may have expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
LASTS, BEGAN = timedelta(days=30), timedelta(days=60)


class Authority:
    """Issues certificates for this machine."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of a drill")])
        made = self._made(self._name, self._key.public_key(), LASTS).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._certificate = made.sign(self._key, hashes.SHA256())

    @property
    def text(self) -> str:
        """Its own certificate, for whoever trusts it."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, certificate: Path, key: Path, *, ends_in: timedelta = LASTS) -> None:
        """Write a certificate for this machine and its key; each takes the place of the one before at once.

        Args:
            certificate, key: The files.
            ends_in: How long it is valid; below zero it has expired.
        """
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        made = self._made(name, own.public_key(), ends_in).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        signed = made.sign(self._key, hashes.SHA256())
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        _replace(key, own.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        _replace(certificate, signed.public_bytes(pem))

    def _made(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, ends_in: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BEGAN)
            .not_valid_after(now + ends_in)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority, critical=False)
        )


def _replace(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.rename(file)
