"""An issuer of tokens that is none of ours, in a process of its own, and people who sign in with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

from cluster.instance.ports import accepts, free_ports
from tests.waiting import eventually

US, BACK = "optionchain", "http://127.0.0.1:1/signed-in"


class Issuer:
    """A running issuer.

    Attributes:
        url: Its own, as its tokens name it.
        process: Of it.
    """

    def __init__(self, url: str, process: psutil.Popen) -> None:
        self.url = url
        self.process = process

    def signed_in(self, subject: str, client_id: str = US, **claims: object) -> str:
        """The token of somebody who signs in by authorization code."""
        with httpx.Client(base_url=self.url, trust_env=False) as browser:
            browser.put(f"/users/{subject}", json=claims).raise_for_status()
            asked = {
                "client_id": client_id,
                "redirect_uri": BACK,
                "response_type": "code",
                "scope": "openid profile",
            }
            sent_back = browser.post("/oauth2/authorize", params=asked, data={"sub": subject})
            [code] = parse_qs(urlsplit(sent_back.headers["Location"]).query)["code"]
            given = browser.post(
                "/oauth2/token",
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": BACK},
                auth=(client_id, "secret"),
            )
            return str(given.raise_for_status().json()["id_token"])


@contextmanager
def issuing(folder: Path) -> Iterator[Issuer]:
    """An issuer for as long as the block lasts.

    Args:
        folder: Of its log.
    """
    [port] = free_ports(1)
    with (folder / "issuer.log").open("wb") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)], stdout=log, stderr=log
        )
    try:
        eventually(lambda: accepts(port), "the issuer listens", patience_seconds=60.0)
        yield Issuer(f"http://localhost:{port}", process)
    finally:
        process.kill()
        process.wait(10)
