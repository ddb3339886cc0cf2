"""Another key for what is encrypted at rest: known everywhere first, then used, then used for what is stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from actors.configuration.secrecy import Secrecy
from adapters.encryption import Keyring, new_key
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from cluster.api_keys import kept_key
from cluster.instance.completed_settings import ENCRYPTION_KEY, with_encryption_key, with_mongo
from cluster.instance.instance import Instance, asked_for
from cluster.instance.problem import InstanceProblem
from cluster.instance.progress import Progress
from cluster.instance.state import write_private
from cluster.settings import Settings
from optionchain.errors import OptionChainError


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was done.

    Attributes:
        key_id: Of the key that encrypts now.
        versions: Secret versions of configurations that are encrypted anew.
    """

    key_id: str
    versions: int


def rotated(settings: Settings, progress: Progress) -> Rotated:
    """Encrypt what is stored by another key.

    An instance that has made its own key makes a new one, in two redeployments: whoever decrypts must know it before
    anybody encrypts by it. Where OCS_ENCRYPTION_KEY is set, its first key is the new one.

    Raises:
        InstanceProblem: There is no key, nothing runs here and no store is named, or something cannot be decrypted.
    """
    given = bool(settings.encryption.key.get_secret_value())
    if settings.mongo.uri is None or not given:
        instance = Instance(settings)
        state = instance.state()
        if state is None:
            raise InstanceProblem(
                "Nothing is running here: `optionchain up` starts it; elsewhere OCS_MONGO_URI says where secrets are, "
                "and OCS_ENCRYPTION_KEY which keys there are, the new one first."
            )
        if not given:
            _add_key(settings.data.folder, progress)
        settings = with_mongo(with_encryption_key(settings, settings.data.folder), state.mongo_uri)
    ring = Keyring(settings.encryption.key.get_secret_value())
    try:
        versions = asyncio.run(_encrypted_anew(settings, ring))
    except OptionChainError as error:
        raise InstanceProblem(str(error)) from error
    return Rotated(str(ring.sealing_id), versions)


def _add_key(folder: Path, progress: Progress) -> None:
    file = folder / ENCRYPTION_KEY
    old, new = kept_key(file, new_key), new_key()
    for keys in ((old, new), (new, old)):
        write_private(file, "\n".join(keys) + "\n")
        Instance(asked_for(folder)).redeploy(progress)


async def _encrypted_anew(settings: Settings, ring: Keyring) -> int:
    repository = MongoConfigRepository(open_mongo(settings.mongo), settings.mongo.database)
    secrecy = Secrecy(ring)
    try:
        versions = await repository.secret_versions()
        for version in versions:
            await repository.replace_values(secrecy.resealed(version))
        return len(versions)
    finally:
        await repository.close()
