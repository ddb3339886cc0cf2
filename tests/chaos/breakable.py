"""A running instance of which anything may be killed."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.instance.instance import Instance
from cluster.instance.progress import Progress
from cluster.instance.state import InstanceState
from cluster.settings import Settings

# Room in each replica: enough for the clients, too little for a crowd.
CLIENTS, MAX_WAITING, CROWD = 50, 60, 300
# A busy machine must find time to start processes meanwhile.
PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class Running:
    """A running instance, and its settings."""

    instance: Instance
    settings: Settings
    state: InstanceState

    def redeployed(self, **session: object) -> None:
        """Change settings of the sessions while it serves."""
        settings = self.settings.with_changes({"session": session})
        Instance(settings).redeploy(Progress())
