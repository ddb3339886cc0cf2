"""Settings whose values are in files, as secrets are mounted: ``OCS_REDIS_URL_FILE=/run/secrets/redis_url``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

SUFFIX = "_FILE"


class UnreadableFile(Exception):
    """A file that a variable names cannot be read; the message names the variable."""


def with_files(environment: Mapping[str, str | None], names: Collection[str]) -> dict[str, str | None]:
    """An environment with what the files say in place of the variables that name them; what is set itself wins.

    Args:
        environment: Names in any case.
        names: The variables of all settings.

    Raises:
        UnreadableFile: A file is not there, or is not text.
    """
    naming = {name: setting for name in environment if (setting := setting_of(name, names))}
    content = {
        setting.lower(): _content(name.upper(), Path(given))
        for name, setting in naming.items()
        if (given := environment[name])
    }
    return content | {name: value for name, value in environment.items() if name not in naming}


def setting_of(name: str, names: Collection[str]) -> str | None:
    """The setting whose file a variable names; None where it is no such variable."""
    name = name.upper()
    setting = name.removesuffix(SUFFIX)
    return setting if name not in names and setting != name and setting in names else None


def _content(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise UnreadableFile(f"{name}: {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{name}: {file} is not text") from error
