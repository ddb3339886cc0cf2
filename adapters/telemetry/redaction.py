"""What must never stand in a log is taken out of it: secrets of the settings, API keys, credentials in any address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

import orjson

from optionchain.access.api_keys import PREFIX

STARS = "***"
# Of a shorter one, what is left of the log would say more than what was taken out.
SHORTEST = 4
# Beside the settings' own: `redis://user:password@host`, as drivers quote it in their errors.
_MANAGED_KEY = re.compile(r"\bocs_[0-9A-Za-z]{49}\b")
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@\"']*:[^\s/@\"']+(?=@)")


class Redaction:
    """Takes secrets out of lines of JSON.

    Args:
        secrets: What to take out, however it is quoted.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {
            orjson.dumps(form).decode()[1:-1]
            for secret in secrets
            if len(secret) >= SHORTEST
            for form in (secret, quote(secret, safe=""), quote_plus(secret))
        }
        # The longest first: one secret may be a part of another.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, line: str) -> str:
        """The line without them."""
        if self._secrets is not None:
            line = self._secrets.sub(STARS, line)
        if PREFIX in line:
            line = _MANAGED_KEY.sub(STARS, line)
        return _CREDENTIALS.sub(STARS, line) if "://" in line else line
