"""What only some callers install: data frames, calendars, pictures. Whoever lacks one is told which extra brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def brought_by(extra: str, *, purpose: str) -> Iterator[None]:
    """Import within what an extra of the distribution `optionchain` brings.

    Args:
        extra: Its name.
        purpose: What it is needed for.

    Raises:
        ImportError: It is not installed; the message says what to install.

    Example:
        >>> with brought_by("frames", purpose="to_pandas"):
        ...     import a_library_that_is_not_there
        Traceback (most recent call last):
            ...
        ImportError: to_pandas needs a_library_that_is_not_there: pip install 'optionchain[frames]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        advice = f"{purpose} needs {error.name}: pip install 'optionchain[{extra}]'"
        raise ImportError(advice, name=error.name) from error
