"""Commands that ask a running service: which one, with which key, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
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
        """The service of a URL, or else the one that runs on this machine.

        Raises:
            InstanceProblem: Nothing runs here, and no address is given.
        """
        if url:
            return cls(url, key)
        settings = load_settings()
        if data is not None:
            settings = settings.with_changes({"data": {"folder": data}})
        state = Instance(settings).state()
        if state is None:
            raise InstanceProblem(
                "Nothing is running: `optionchain up` starts it, or --url says where another service is."
            )
        return cls(state.base_url, state.api_key)

    def ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What it answers.

        Raises:
            InstanceProblem: It does not answer as it should, or refuses; the message says why.
        """
        try:
            found: dict[str, Any] = self._answer(path, method, body).json()
        except ValueError as error:
            raise self._strange(error) from error
        return found

    def text(self, path: str) -> str:
        """The same of what is no JSON."""
        return self._answer(path, "GET", None).text

    def _answer(self, path: str, method: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {"X-API-Key": self.secret} if self.secret else {}
        url = self.address.rstrip("/") + path
        try:
            answer = httpx.request(
                method, url, json=body, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
            )
            refusal = str(answer.json().get("error", answer.status_code)) if answer.is_error else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
            raise self._strange(error) from error
        if refusal is not None:
            raise InstanceProblem(refusal)
        return answer

    def _strange(self, error: Exception) -> InstanceProblem:
        return InstanceProblem(f"{self.address} does not answer as it should: {error}")
