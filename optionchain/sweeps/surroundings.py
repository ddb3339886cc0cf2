"""What a sweep finds around it: where it computes, who watches, where it is recorded, unless it is told otherwise.

The domain computes in this process and tells nobody. Where the service is installed beside it, that one's surroundings
are used: it is named here as text, for the domain imports nothing of what is built on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal, Protocol, TypeAlias, cast

from optionchain.errors import InvalidInput
from optionchain.parameters import SimulationParameters
from optionchain.sweeps.blocks import Outcome, PathKeeper
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine, InProcess
from optionchain.sweeps.progress import ProgressObserver, Silent

SERVICE = "optionchain_server"
RICHER = "cluster.sweeps.surroundings"

_HOW_TO_INSTALL = "which is not installed: pip install optionchain-simulator"

InDoubt: TypeAlias = Literal["refuse", "anew"]
"""What to do where it is not certain that a record is of the same computation."""


class Journal(Protocol):
    """What is done of a sweep, where it survives its driver."""

    @property
    def folder(self) -> str:
        """Where it is."""
        ...

    def recorded(self) -> Iterator[Outcome]:
        """What earlier runs had done."""
        ...

    def add(self, outcome: Outcome) -> None:
        """Record an outcome, soon."""
        ...

    def flush(self) -> None:
        """Record what waits."""
        ...

    def complete(self, results: bytes) -> None:
        """Store the table of a complete sweep, as Parquet."""
        ...

    def keeper(self) -> PathKeeper:
        """Keeps paths beside the record."""
        ...


class Surroundings(Protocol):
    """What is used where nothing else is said."""

    def engine(self) -> Engine:
        """Where to compute."""
        ...

    def observer(self) -> ProgressObserver:
        """Who is told of progress."""
        ...

    def journal(self, sweep: SweepDefinition, output: str, in_doubt: InDoubt) -> Journal:
        """The record of a sweep below an output.

        Raises:
            InvalidInput: There is no writing to it; or it has a record of which is not certain that it is of the same
                computation, and `in_doubt` is ``refuse``.
        """
        ...

    def create_session(
        self, parameters: SimulationParameters, *, url: str, api_key: str | None
    ) -> dict[str, Any]:
        """Create a session over HTTP; see `SweepResult.session`."""
        ...


def surroundings() -> Surroundings:
    """Those of the service where it is installed, else the domain's own."""
    try:
        import_module(SERVICE)  # which puts the packages of the service in reach
    except ModuleNotFoundError as error:
        if error.name != SERVICE:
            raise
        return Alone()
    return cast("Surroundings", import_module(RICHER).INSTALLED)


class Alone:
    """The domain on its own."""

    def engine(self) -> Engine:
        """This process."""
        return InProcess()

    def observer(self) -> ProgressObserver:
        """Nobody."""
        return Silent()

    def journal(self, sweep: SweepDefinition, output: str, in_doubt: InDoubt) -> Journal:
        """There is none.

        Raises:
            InvalidInput: Always.
        """
        raise InvalidInput("output", f"is written by the service, {_HOW_TO_INSTALL}")

    def create_session(
        self, parameters: SimulationParameters, *, url: str, api_key: str | None
    ) -> dict[str, Any]:
        """There is none.

        Raises:
            InvalidInput: Always.
        """
        raise InvalidInput("url", f"is asked by the service, {_HOW_TO_INSTALL}")
