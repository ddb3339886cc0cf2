"""What travels between an HTTP replica and the actor that holds a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from optionchain.errors import OptionChainError
from optionchain.session import Command, Surface


@dataclass(frozen=True, slots=True)
class Call:
    """One command for one session, and on whose behalf.

    A session of another owner, or of the other surface, is answered as if it did not exist.
    """

    session_id: str
    owner: str
    surface: Surface
    command: Command


Answer: TypeAlias = bytes | OptionChainError
"""Encoded JSON, ready to be sent, or an error as a value: one bad call never fails its neighbours."""
