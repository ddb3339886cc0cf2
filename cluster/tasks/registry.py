"""Every kind of task there is; nothing else lists them. A new kind is an entry here, and a module beside this one."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.tasks.backups import BACKUP, BACKUP_VERIFY
from cluster.tasks.exports import EXPORT
from cluster.tasks.housekeeping import CACHE_WARM, SESSION_CLEANUP
from cluster.tasks.imports import HISTORY_IMPORT
from cluster.tasks.kind import Kind
from cluster.tasks.sweeps import SWEEP
from optionchain.errors import InvalidInput

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (SWEEP, EXPORT, HISTORY_IMPORT, CACHE_WARM, SESSION_CLEANUP, BACKUP, BACKUP_VERIFY)
}


def known_kind(name: object) -> Kind:
    """The kind of a name.

    Raises:
        InvalidInput: ``kind``: there is none.
    """
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidInput("kind", f"must be one of {', '.join(KINDS)}")
    return kind
