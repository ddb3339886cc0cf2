"""The settings as one table: what `optionchain settings` shows and docs/settings.md holds."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from cluster.settings import Settings, fields, variable_name

HEADING = """# Settings

Every setting is an environment variable, read once at start-up. A wrong value, or a variable that begins with
`OCS_` and is none of these, is refused with a message that names it.

With `_FILE` behind its name it names a file that holds the value, as secrets are mounted:
`OCS_REDIS_URL_FILE=/run/secrets/redis_url`.

For deployments of the Rust service, `OCS_PORT`, `OCS_BIND_ADDRESS` and `LOGLEVEL` mean `OCS_HTTP_PORT`,
`OCS_HTTP_HOST` and `OCS_TELEMETRY_LOG_LEVEL` where those are not set.

This page is what `optionchain settings` prints: after a change, `optionchain settings > docs/settings.md`.
"""


def settings_page() -> str:
    """All settings in Markdown, one table a group."""
    return "\n".join([HEADING, *(_section(group) for group in Settings.model_fields)])


def _section(group: str) -> str:
    owner = type(Settings.model_fields[group].default)
    about = (owner.__doc__ or group).partition("\n")[0].rstrip(".")
    rows = [_row(name, field) for name, field in fields() if name.startswith(variable_name(group, ""))]
    return "\n".join([f"## {about}\n", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{name}` | {_default(field.default)} | {field.description} |"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value in (None, ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
