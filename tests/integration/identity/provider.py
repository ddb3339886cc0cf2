"""An issuer of tokens in a process of its own: ``python provider.py PORT``; it signs whatever the test asks for.

It can do what real ones do to us: withdraw keys, name another issuer, publish what is no key, and sign by the wrong
algorithm.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

MAKE = {
    "RS256": lambda: RSAKey.generate_key(2048, auto_kid=True),
    "ES256": lambda: ECKey.generate_key("P-256", auto_kid=True),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", auto_kid=True),
}


class Provider:
    """What it knows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.named = url
        self.keys: dict[str, Any] = {algorithm: make() for algorithm, make in MAKE.items()}
        self.fetches = 0
        self.is_silent = False

    def published(self) -> dict[str, Any]:
        keys = KeySet(list(self.keys.values())).as_dict(private=False)["keys"]
        return {
            "keys": [{"kty": "unknown", "kid": "later"}, {"kty": "oct", "kid": "shared", "k": "AAAA"}, *keys]
        }

    def signed(self, asked: dict[str, Any]) -> str:
        """A token with these claims, signed by the key of an algorithm."""
        algorithm, claims = asked.get("alg", "RS256"), asked["claims"]
        if algorithm == "none":
            return jwt.encode({"alg": "none"}, claims, OctKey.generate_key(), algorithms=["none"])
        if algorithm == "HS256":  # with what everybody can read: the public key
            return by_hand({"alg": "HS256", "kid": self.keys["RS256"].kid}, claims, self.keys["RS256"])
        key = self.keys[algorithm]
        header = {"alg": algorithm, "kid": asked.get("kid", key.kid)}
        return jwt.encode(header, claims, key, algorithms=[algorithm])

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        match path:
            case "/.well-known/openid-configuration":
                self.fetches += 1
                return {"issuer": self.named, "jwks_uri": f"{self.url}/jwks"}
            case "/jwks":
                return self.published()
            case "/sign":
                return self.signed(body)
            case "/rotate":
                self.keys = {algorithm: make() for algorithm, make in MAKE.items()}
            case "/change":
                for name, value in body.items():
                    setattr(self, name, value)
        return {"fetches": self.fetches}


def by_hand(header: dict[str, Any], claims: dict[str, Any], public: RSAKey) -> str:
    """A token signed with the public key as a shared secret, which no library does."""
    said = b".".join(urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (header, claims))
    signature = hmac.new(public.as_pem(private=False), said, hashlib.sha256).digest()
    return (said + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def serve(port: int) -> None:
    provider = Provider(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

        def respond(self, body: dict[str, Any]) -> None:
            is_refused = provider.is_silent and self.command == "GET"
            said = json.dumps(provider.answer(self.path, body)).encode()
            self.send_response(503 if is_refused else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
