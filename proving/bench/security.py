"""What it costs a step to know its caller: instances that differ in nothing else take turns, as for traces."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from joserfc import jwk, jwt
from rich.console import Console

from cluster.instance.temporary import private_settings, temporary_instance
from cluster.settings import Settings
from proving.bench.http import stepped_sessions
from proving.bench.load_generator import Load, Measured, Target, generate
from proving.bench.processor_time import seconds_by_role, used_since

CONNECTIONS = 64
ROUNDS = 6
SECONDS = 4.0
AUDIENCE, KEY_ID = "bench", "bench-1"
TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens, and one of its tokens."""

    url: str
    token: str


def run() -> dict[str, float]:
    """Step sessions of two instances in turn.

    ``key`` has a plain key of the settings. ``all`` has signed tokens of an issuer, and networks from which one may
    call and may not. Both put on record and look out for what is unusual, which nothing switches off.

    Returns:
        For each of them ``step_*_per_second`` and ``step_*_processor_milliseconds`` of all processes of the instance;
        ``all_over_key``, the ratio of throughput: the median over the rounds.

    Raises:
        InstanceProblem: An instance does not start.
        httpx.HTTPError: One does not answer.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    measured: defaultdict[str, list[Measured]] = defaultdict(list)
    with ExitStack() as stack:
        issuer = stack.enter_context(_issuer())
        states = {
            name: stack.enter_context(temporary_instance(Console(stderr=True), _with(groups)))[1]
            for name, groups in _settings(issuer).items()
        }
        targets = {
            name: Target(state.base_url, issuer.token if name == "all" else state.api_key or "")
            for name, state in states.items()
        }
        loads = {name: stack.enter_context(_stepping(target)) for name, target in targets.items()}
        for _ in range(ROUNDS):
            for name, state in states.items():
                before = seconds_by_role(state.marker)
                measured[name].append(
                    generate(targets[name], loads[name], connections=CONNECTIONS, seconds=SECONDS)
                )
                spent[name] += sum(used_since(before, seconds_by_role(state.marker)).values())
    return _figures(spent, measured)


def _figures(spent: dict[str, float], measured: dict[str, list[Measured]]) -> dict[str, float]:
    steps = {name: [each.requests for each in rounds] for name, rounds in measured.items()}
    return (
        {f"step_{name}_per_second": sum(steps[name]) / (ROUNDS * SECONDS) for name in steps}
        | {f"step_{name}_processor_milliseconds": 1e3 * spent[name] / sum(steps[name]) for name in steps}
        | {
            "all_over_key": median(
                mine / theirs for mine, theirs in zip(steps["all"], steps["key"], strict=True)
            ),
            "failed": sum(each.failed for rounds in measured.values() for each in rounds),
        }
    )


def _settings(issuer: Issuer) -> dict[str, dict[str, dict[str, Any]]]:
    """What is set of each instance, by group."""
    return {
        "key": {},
        "all": {
            "auth": {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE},
            "http": {"allowed_networks": "127.0.0.0/8,10.0.0.0/8", "denied_networks": "192.0.2.0/24"},
        },
    }


def _with(groups: dict[str, dict[str, Any]]) -> Callable[[Path], Settings]:
    return lambda folder: private_settings(folder).with_changes(groups)


@contextmanager
def _stepping(target: Target) -> Iterator[Load]:
    with stepped_sessions(target) as ids:
        yield Load("step", [("POST", f"/api/v1/chain/step?sessionid={one}", b"") for one in ids])


@contextmanager
def _issuer() -> Iterator[Issuer]:
    """An issuer as its users see it: a document that names its keys, and the keys."""
    key = jwk.RSAKey.generate_key(2048, {"kid": KEY_ID, "use": "sig", "alg": "RS256"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"http://{self.headers['Host']}"
            keys = {"keys": [key.as_dict(private=False)]}
            found = {"issuer": url, "jwks_uri": f"{url}/keys"} if "well-known" in self.path else keys
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url, now = f"http://127.0.0.1:{server.server_address[1]}", int(time.time())
    claims = {"iss": url, "aud": AUDIENCE, "sub": "bench", "tenant": "bench", "roles": ["admin"]}
    lifetime = {"iat": now, "exp": now + TOKEN_SECONDS, "jti": "bench-1"}
    try:
        yield Issuer(url, jwt.encode({"alg": "RS256", "kid": KEY_ID}, claims | lifetime, key))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
