"""What is wrong with an encrypted line, in words that say what to do: drivers bury it in errors of their own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from optionchain.observing import Observer

# As OpenSSL says it, and what that means.
MEANINGS = {
    "hostname mismatch": "its certificate is for another host than the address names",
    "ip address mismatch": "its certificate is for another host than the address names",
    "certificate has expired": "its certificate has expired",
    "certificate is not yet valid": "its certificate is not valid yet, or the clock here is wrong",
    "self-signed certificate": "its certificate is signed by nobody who is trusted here: name its authority's",
    "self signed certificate": "its certificate is signed by nobody who is trusted here: name its authority's",
    "unable to get local issuer certificate": "its certificate is signed by nobody who is trusted here: name its "
    "authority's",
    "certificate required": "it asks for a client certificate",
    "wrong version number": "it does not speak TLS there",
}
# Of errors that are caused by others.
DEEPEST = 10


def certificate_problem(error: BaseException) -> str | None:
    """What is wrong with the certificates of a line that could not be opened; None where that is not the reason.

    Args:
        error: As it was raised; those that caused it are looked at too.
    """
    said = " ".join(str(each).lower() for each in _causes(error))
    return next((meaning for sign, meaning in MEANINGS.items() if sign in said), None)


def expires_at(certificate: Path) -> datetime:
    """When a chain of certificates is worth nothing any more: the first of them that expires.

    Raises:
        OSError, ValueError: There is none that can be read.
    """
    chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    return min(each.not_valid_after_utc for each in chain)


def tell_expiry(files: Mapping[str, Path], observer: Observer) -> None:
    """Tell when the certificate of each line expires (``certificate.expires``, Unix time); 0: it cannot be read."""
    for line, file in files.items():
        try:
            expires = expires_at(file).timestamp()
        except (OSError, ValueError):
            expires = 0.0
        observer.counted("certificate.expires", expires, line=line)


def unusable_because(certificate: Path, key: Path | None) -> str | None:
    """Why a server of ours cannot show a certificate; None where it can.

    Args:
        certificate: The chain, in PEM.
        key: Its private key; None where it is in the same file.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        ends = expires_at(certificate)
    except ssl.SSLError as error:
        return f"{certificate} and its key are no such pair in PEM ({error.reason or error})"
    except (OSError, ValueError) as error:
        return f"{certificate} or its key cannot be read ({error})"
    return f"{certificate} has expired, on {ends:%Y-%m-%d}" if ends <= datetime.now(UTC) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(DEEPEST):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
