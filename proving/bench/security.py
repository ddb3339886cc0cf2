"""What it costs a step to know its caller by a signed token, and to look where the call comes from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from statistics import median
from typing import Any

from joserfc import jwk, jwt

from proving.bench.other_servers import serving
from proving.bench.turns import Turns, figures_of, take_turns

AUDIENCE, KEY_ID = "bench", "bench-1"
TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens, and one of its tokens."""

    url: str
    token: str


def run() -> dict[str, float]:
    """Step sessions of two instances in turn.

    ``key`` has a plain key of the settings. ``all`` has signed tokens of an issuer, networks from which one may call
    and may not, and quotas. Both put on record and look out for what is unusual, which nothing switches off.

    Returns:
        For each of them ``step_*_per_second`` and ``step_*_processor_milliseconds`` of all processes of the instance;
        ``all_over_key``, the ratio of throughput: the median over the rounds.

    Raises:
        InstanceProblem: An instance does not start.
        httpx.HTTPError: One does not answer.
    """
    with _issuer() as issuer:
        turns = take_turns(_settings(issuer), {"all": issuer.token})
    return _figures(turns)


def _figures(turns: Mapping[str, Turns]) -> dict[str, float]:
    rounds = zip(turns["all"].measured, turns["key"].measured, strict=True)
    ratio = median(mine.requests / theirs.requests for mine, theirs in rounds)
    return figures_of(turns) | {"all_over_key": ratio}


def _settings(issuer: Issuer) -> dict[str, dict[str, dict[str, Any]]]:
    """What is set of each instance, by group."""
    return {
        "key": {},
        "all": {
            "auth": {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE},
            "http": {"allowed_networks": "127.0.0.0/8,10.0.0.0/8", "denied_networks": "192.0.2.0/24"},
            # Far above what is asked, so that it is counted and never refused.
            "quota": {"enabled": True, "contracts_per_second": 1_000_000_000, "sessions": 1_000_000},
        },
    }


@contextmanager
def _issuer() -> Iterator[Issuer]:
    """An issuer as its users see it: a document that names its keys, and the keys."""
    key = jwk.RSAKey.generate_key(2048, {"kid": KEY_ID, "use": "sig", "alg": "RS256"})

    def reply(request: BaseHTTPRequestHandler) -> bytes:
        url = f"http://{request.headers['Host']}"
        keys = {"keys": [key.as_dict(private=False)]}
        found = {"issuer": url, "jwks_uri": f"{url}/keys"} if "well-known" in request.path else keys
        return json.dumps(found).encode()

    now = int(time.time())
    with serving(reply) as url:
        claims = {"iss": url, "aud": AUDIENCE, "sub": "bench", "tenant": "bench", "roles": ["admin"]}
        lifetime = {"iat": now, "exp": now + TOKEN_SECONDS, "jti": "bench-1"}
        yield Issuer(url, jwt.encode({"alg": "RS256", "kid": KEY_ID}, claims | lifetime, key))
