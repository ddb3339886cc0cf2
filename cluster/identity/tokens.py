"""Tokens of an issuer (JWT, OAuth 2, OpenID Connect): whose they are, and what they may do.

A token counts only where it is signed by a key of the issuer, was made for this service and has not expired, and where
neither it nor its subject is denied. It is verified once, and then remembered. While the issuer is silent, the keys
that were last known serve.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cachetools import LRUCache
from joserfc import jwk, jwt
from joserfc.errors import JoseError, SecurityWarning

from cluster.identity.following import Following
from cluster.identity.held_denials import HeldDenials
from cluster.identity.held_keys import check_is_heard
from cluster.identity.settings import AuthSettings
from optionchain.access.api_keys import digest_of, is_owner
from optionchain.access.roles import GIVEN_ROLES
from optionchain.context import Principal
from optionchain.errors import Unavailable
from optionchain.observing import Observer, attempted
from optionchain.ports import Authentication, Issuer

# None of the shared secrets (HS256): with them, a public key would sign. `EdDSA` is the older name of Ed25519.
ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
LONGEST_TOKEN = 8_192
LONGEST_SUBJECT = 256


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was verified."""

    principal: Principal
    expires_at: float
    jti: str


class Tokens:
    """The `Authentication` of tokens, and of keys where a secret is none.

    Args:
        keys: Of those.
        issuer: Whose tokens they are.
        denials: Which are not accepted any more.
        following: Says whether a denial could be heard.
        settings: What a token must say, and what that means.
        observer: Told why tokens are refused.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        keys: Authentication,
        issuer: Issuer,
        denials: HeldDenials,
        following: Following,
        settings: AuthSettings,
        *,
        observer: Observer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._denials = denials
        self._following = following
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._known: LRUCache[bytes, _Known] = LRUCache(settings.oidc_max_tokens)
        self._public_keys: dict[str | None, jwk.Key] = {}
        self._fetched_at = self._tried_at = -float("inf")
        self._fetching = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def principal(self, secret: str | None) -> Principal | None:
        """Whoever has this secret.

        Raises:
            Unavailable: The issuer's keys are not known, or a denial may have been unheard for too long.
        """
        if secret is None or not is_token(secret):
            return await self._keys.principal(secret)
        digest = digest_of(secret)
        known = self._known.get(digest)
        if known is None:
            known = await self._verified(secret)
            if known is None:
                return None
            self._known[digest] = known
        self._keep_fresh()
        if known.expires_at <= self._clock():
            return None
        check_is_heard(self._following, self._settings)
        if self._denials.has("jti", known.jti) or self._denials.has("subject", known.principal.subject):
            return None
        return known.principal

    async def _verified(self, token: str) -> _Known | None:
        key = await self._key_of(token)
        if key is None:
            return self._refused("key")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # of the older name, which issuers use
                claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            self._registry().validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            return self._refused(getattr(error, "error", type(error).__name__))
        return self._understood(claims)

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=int(self._settings.oidc_leeway_seconds),
            iss={"essential": True, "value": self._settings.oidc_issuer},
            aud={"essential": True, "value": self._settings.oidc_audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def _understood(self, claims: Mapping[str, Any]) -> _Known | None:
        tenant, subject = claim_of(claims, self._settings.oidc_tenant_claim), claims["sub"]
        if not isinstance(tenant, str) or not is_owner(tenant) or len(subject) > LONGEST_SUBJECT:
            return self._refused("tenant")
        roles = roles_of(claim_of(claims, self._settings.oidc_roles_claim), self._settings.role_names)
        expires_at = float(claims["exp"]) + self._settings.oidc_leeway_seconds
        jti = claims.get("jti")
        return _Known(Principal(tenant, subject, roles), expires_at, jti if isinstance(jti, str) else "")

    async def _key_of(self, token: str) -> jwk.Key | None:
        header = header_of(token)
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        kid = header.get("kid")
        if not isinstance(kid, str | None):
            return None
        if self._found(kid) is None:
            await self._fetch_for(kid)
        return self._found(kid)

    def _found(self, kid: str | None) -> jwk.Key | None:
        if kid is None and len(self._public_keys) == 1:
            return next(iter(self._public_keys.values()))
        return self._public_keys.get(kid)

    async def _fetch_for(self, kid: str | None) -> None:
        """Fetch the keys for a token whose key is not known, unless that was tried a moment ago."""
        async with self._fetching:
            is_recent = self._clock() - self._tried_at < self._settings.oidc_refetch_seconds
            if self._found(kid) is None and not is_recent:
                await attempted(self._observer, "tokens.fetch_keys", self._fetch)
        if not self._public_keys:
            raise Unavailable("the issuer of tokens")

    def _keep_fresh(self) -> None:
        """Fetch the keys again from time to time, beside the requests: one may have been withdrawn."""
        now, is_under_way = self._clock(), self._refresh is not None and not self._refresh.done()
        is_fresh = now - self._fetched_at < self._settings.oidc_refresh_seconds
        if is_fresh or is_under_way or now - self._tried_at < self._settings.oidc_refetch_seconds:
            return
        self._refresh = asyncio.create_task(attempted(self._observer, "tokens.fetch_keys", self._fetch))

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        found = read_keys(await self._issuer.keys())
        self._fetched_at = self._clock()
        if found.keys() != self._public_keys.keys():
            # What was signed by a key that is withdrawn counts no more.
            self._known.clear()
        self._public_keys = found

    def _refused(self, reason: str) -> _Known | None:
        self._observer.counted("tokens.refused", reason=reason)
        return None


def is_token(secret: str) -> bool:
    """Whether a secret is shaped as a signed token: three parts, of which the first is an object."""
    return secret.startswith("eyJ") and secret.count(".") == 2 and len(secret) <= LONGEST_TOKEN


def header_of(token: str) -> dict[str, Any] | None:
    """What a token says of its key; None where it cannot be read."""
    first = token.partition(".")[0]
    try:
        header = orjson.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except ValueError:
        return None
    return header if isinstance(header, dict) else None


def read_keys(document: Mapping[str, Any]) -> dict[str | None, jwk.Key]:
    """The keys of a JSON Web Key Set that can verify a signature, by their ids; others are left out."""
    found: dict[str | None, jwk.Key] = {}
    keys = document.get("keys")
    for each in keys if isinstance(keys, list) else []:
        if not isinstance(each, dict) or each.get("kty") not in KEY_TYPES or each.get("use", "sig") != "sig":
            continue
        try:
            key = jwk.import_key(each)
        except (JoseError, ValueError, TypeError):
            continue
        found[key.kid] = key
    return found


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the path to it: ``realm_access.roles``; None where there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def roles_of(claim: Any, names: Mapping[str, str]) -> frozenset[str]:
    """The roles that a claim gives: a list of names, or a text of names with spaces between; unknown ones give none.

    Args:
        claim: As the token has it.
        names: The role of each name; empty where roles are named as they are here.
    """
    given = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    told = [each for each in given if isinstance(each, str)]
    return frozenset(role for each in told if (role := names.get(each) if names else each) in GIVEN_ROLES)
