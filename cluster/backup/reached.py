"""Which stores a backup is of: those that the settings name, or else those of the instance that runs here."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

from cluster.backup.contents import Stores, open_stores
from cluster.instance.instance import Instance, asked_for
from cluster.instance.problem import InstanceProblem
from cluster.settings import Settings

# What reads everything waits longer than a request may.
PATIENCE_SECONDS = 30.0
# What the name of a key, of a collection or of a folder depends on.
CALLED_BY = (
    ("redis", "prefix"),
    ("mongo", "database"),
    ("http", "idempotency_seconds"),
    ("sweep", "output"),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """Stores that can be opened.

    Attributes:
        settings: With the addresses of both servers.
        name: What to call them, the same whatever ports they have; without passwords.
    """

    settings: Settings
    name: str

    @classmethod
    def by(cls, settings: Settings) -> Reached:
        """What the settings lead to.

        Raises:
            InstanceProblem: Nothing runs here, and they do not name both servers.
        """
        redis, mongo = settings.redis.url, settings.mongo.uri
        state = None if redis and mongo else Instance(settings).state()
        if state is None and not (redis and mongo):
            raise InstanceProblem(
                "Nothing is running here: `optionchain up` starts it, or OCS_REDIS_URL and OCS_MONGO_URI say where the "
                "stores are."
            )
        folder = str(settings.data.folder.resolve())
        names = [_without_credentials(url.get_secret_value()) if url else folder for url in (redis, mongo)]
        there = {} if state is None else {"redis": state.redis_url, "mongo": state.mongo_uri}
        complete = (_as_it_runs(settings) if state else settings).with_changes(
            {
                "redis": {"url": redis or there["redis"], "timeout_seconds": PATIENCE_SECONDS},
                "mongo": {"uri": mongo or there["mongo"], "timeout_seconds": PATIENCE_SECONDS},
            }
        )
        return cls(complete, " and ".join(dict.fromkeys(names)))

    def open(self) -> AbstractAsyncContextManager[Stores]:
        """The stores."""
        output = self.settings.sweep.output or str(self.settings.data.folder.resolve() / "sweeps")
        return open_stores(self.settings, name=self.name, output=output)


def _as_it_runs(settings: Settings) -> Settings:
    """The settings with what the instance that runs here calls its keys and collections by, whatever is set now."""
    running = asked_for(settings.data.folder)
    return settings.with_changes(
        {group: {field: getattr(getattr(running, group), field)} for group, field in CALLED_BY}
    )


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
