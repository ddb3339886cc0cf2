"""What a sweep uses unless it is told otherwise where this package is installed: Ray, a terminal, a recorded folder."""

from __future__ import annotations

from typing import Any

from optionchain.parameters import SimulationParameters
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine, InProcess
from optionchain.sweeps.progress import ProgressObserver
from optionchain.sweeps.surroundings import InDoubt, Journal


class Installed:
    """The `Surroundings` of this package; whatever is heavy is imported when it is used."""

    def engine(self) -> Engine:
        """Ray's cluster at hand, or one of our own; this process where Ray is not installed."""
        try:
            from cluster.sweeps.ray_engine import OnRay  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "ray":
                raise
            return InProcess()
        return OnRay()

    def observer(self) -> ProgressObserver:
        """Bars on a terminal, lines elsewhere."""
        from rich.console import Console  # noqa: PLC0415

        from cluster.sweeps.console import OnConsole  # noqa: PLC0415

        return OnConsole(Console(stderr=True))

    def journal(self, sweep: SweepDefinition, output: str, in_doubt: InDoubt) -> Journal:
        """A folder of this machine, or of any file system that fsspec knows."""
        from cluster.sweeps.journal import FolderJournal  # noqa: PLC0415

        return FolderJournal(sweep, output, in_doubt=in_doubt)

    def create_session(
        self, parameters: SimulationParameters, *, url: str, api_key: str | None
    ) -> dict[str, Any]:
        """A v1 session."""
        from cluster.sweeps.session import create_session  # noqa: PLC0415

        return create_session(parameters, url=url, api_key=api_key)


INSTALLED = Installed()
