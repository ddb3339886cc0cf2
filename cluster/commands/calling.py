"""Commands that ask a running service: which one, with which key, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer
from rich.console import Console

from cluster.instance.instance import Instance
from cluster.settings import load_settings

PATIENCE_SECONDS = 30.0

Url = Annotated[
    str | None, typer.Option("--url", envvar="OPTIONCHAIN_URL", help="Of a service; else the one here.")
]
Key = Annotated[str | None, typer.Option("--key", envvar="OPTIONCHAIN_KEY", help="Its API key.")]
Data = Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")]

console = Console()


@dataclass(frozen=True, slots=True)
class Called:
    """A service that can be asked.

    Attributes:
        address: Its URL.
        secret: The key to present; None for none.
    """

    address: str
    secret: str | None

    @classmethod
    def at(cls, url: str | None, key: str | None, data: Path | None) -> Called:
        """The service of a URL, or else the one that runs on this machine; ends the command where none does."""
        if url:
            return cls(url, key)
        settings = load_settings()
        if data is not None:
            settings = settings.with_changes({"data": {"folder": data}})
        state = Instance(settings).state()
        if state is None:
            fail("Nothing is running: `optionchain up` starts it, or --url says where another service is.")
        return cls(state.base_url, state.api_key)

    def ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What it answers; a refusal ends the command, and says why."""
        headers = {"X-API-Key": self.secret} if self.secret else {}
        try:
            answer = httpx.request(
                method,
                self.address.rstrip("/") + path,
                json=body,
                headers=headers,
                timeout=PATIENCE_SECONDS,
                trust_env=False,
            )
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            fail(f"{self.address} does not answer as it should: {error}")
        if answer.is_error:
            fail(str(found.get("error", answer.status_code)))
        return found


def fail(message: str) -> NoReturn:
    """End the command with a message."""
    console.print(message, style="red", markup=False)
    raise typer.Exit(1)
