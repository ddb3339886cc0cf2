"""Codes that work once: who has signed in here hands its secret to a browser through an address."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from optionchain.ports import OneTime

_SEALED = {"alg": "dir", "enc": "A256GCM"}
_CODE_BYTES = 32
LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class SignInCodes:
    """Makes and redeems codes.

    The store sees neither a code nor a secret: what it keeps is encrypted by a key that only the code gives, under
    a name that only the code gives. So whoever can read the store cannot sign in.

    Attributes:
        store: Where they wait.
        seconds: How long they work.
    """

    store: OneTime
    seconds: float

    async def make(self, secret: str) -> str:
        """A code for a secret.

        Raises:
            Unavailable: The store does not answer.
        """
        code = secrets.token_urlsafe(_CODE_BYTES)
        sealed = jwe.encrypt_compact(_SEALED, secret.encode(), _key(code))
        await self.store.keep(_name(code), sealed.encode(), seconds=self.seconds)
        return code

    async def redeem(self, code: str) -> str | None:
        """The secret of a code, which works no more then; None where it did not work.

        Raises:
            Unavailable: The store does not answer.
        """
        sealed = await self.store.take(_name(code))
        if sealed is None:
            return None
        try:
            opened = jwe.decrypt_compact(sealed.decode(), _key(code)).plaintext
        except (JoseError, ValueError):
            return None  # somebody wrote into the store
        return None if opened is None else opened.decode()


def _name(code: str) -> str:
    return _derived(code, b"sign-in name").hex()


def _key(code: str) -> OctKey:
    return OctKey.import_key(_derived(code, b"sign-in key"))


def _derived(code: str, purpose: bytes) -> bytes:
    """256 bits of a code of 256 random bits, others for each purpose."""
    return hashlib.blake2b(code.encode(errors="surrogatepass"), digest_size=32, person=purpose).digest()
