"""What is wrong with an encrypted line, in words that say what to do: drivers bury it in errors of their own."""

from __future__ import annotations

from collections.abc import Iterator

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


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(DEEPEST):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
