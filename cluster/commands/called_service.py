"""The service that a command asks: the one that runs here, or another by its address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.settings import load_settings

PATIENCE_SECONDS = 30.0

Url = Annotated[
    str | None, typer.Option(envvar="OPTIONCHAIN_URL", help="Of a service; else the one that runs here.")
]
ApiKey = Annotated[str | None, typer.Option("--key", envvar="OPTIONCHAIN_KEY", help="Its API key.")]
Data = Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")]


@dataclass(frozen=True, slots=True)
class CalledService:
    """A service, and who asks it.

    Attributes:
        address: Its base URL.
        api_key: None where it asks for none.
    """

    address: str
    api_key: str | None

    def text(self, path: str) -> str:
        """What it answers.

        Raises:
            InstanceProblem: It does not answer, or refuses; the message says why.
        """
        return self._answer(path).text

    def json(self, path: str) -> dict[str, Any]:
        """The same as an object.

        Raises:
            InstanceProblem: As `text`; or the answer is no JSON.
        """
        try:
            body: dict[str, Any] = self._answer(path).json()
        except ValueError as error:
            raise self._strange(error) from error
        return body

    def _answer(self, path: str) -> httpx.Response:
        headers = {"X-API-Key": self.api_key} if self.api_key else {}
        url = self.address.rstrip("/") + path
        try:
            answer = httpx.get(url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)
            reason = str(answer.json().get("error", answer.status_code)) if answer.is_error else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
            raise self._strange(error) from error
        if reason is not None:
            raise InstanceProblem(reason)
        return answer

    def _strange(self, error: Exception) -> InstanceProblem:
        return InstanceProblem(f"{self.address} does not answer as it should: {error}")


def called_service(url: str | None, api_key: str | None, data: Path | None) -> CalledService:
    """The service of a command's options.

    Raises:
        InstanceProblem: Nothing runs here, and no address is given.
    """
    if url:
        return CalledService(url, api_key)
    settings = load_settings()
    if data is not None:
        settings = settings.with_changes({"data": {"folder": data}})
    state = Instance(settings).state()
    if state is None:
        raise InstanceProblem(
            "Nothing is running: `optionchain up` starts it, or --url says where another service is."
        )
    return CalledService(state.base_url, state.api_key)
