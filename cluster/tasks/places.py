"""Where tasks may read and write files: below what the operator has named, and nowhere else."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cluster.settings import Settings
from optionchain.errors import InvalidInput
from optionchain.tasks import Run

LOCAL = ("", "file")


def allowed_url(field: str, url: str, settings: Settings) -> str:
    """A folder or file that a task may use, as it is opened: a path of this machine, or a URL.

    Links of the file system are followed, so that none leads elsewhere.

    Raises:
        InvalidInput: It is not below an allowed place.
    """
    wanted = _plain(url)
    places = [place.strip() for place in settings.task.places.split(",") if place.strip()]
    if wanted is not None and any(_is_below(wanted, _plain(place)) for place in places):
        return wanted
    allowed = f"must be below one of {', '.join(places)}" if places else "no place is allowed"
    raise InvalidInput(field, f"{allowed}: OCS_TASK_PLACES names the places that tasks may use")


def filled_in(text: str, run: Run) -> str:
    """A text with what it says of the run: ``{date}``, ``{time}`` (UTC) and ``{run}``."""
    moment = run.scheduled_for
    return (
        text.replace("{date}", f"{moment:%Y-%m-%d}")
        .replace("{time}", f"{moment:%H%M%S}")
        .replace("{run}", run.id)
    )


def _plain(url: str) -> str | None:
    """A URL without steps back, without a user, without what follows a `?`; None where it is none of ours."""
    parts = urlsplit(url)
    if parts.scheme in LOCAL:
        path = unquote(parts.path) if parts.scheme else url
        return str(Path(path).resolve()) if path.startswith("/") and not parts.netloc else None
    if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment or "%" in url:
        return None
    path = posixpath.normpath(parts.path or "/")
    return f"{parts.scheme}://{parts.netloc}{path}" if not path.startswith("/..") else None


def _is_below(wanted: str, place: str | None) -> bool:
    return place is not None and wanted.startswith(place.rstrip("/") + "/")
