"""What evaluates formulas: machine code where numba is at hand and ready, plain NumPy before that and elsewhere.

Both give the same bytes, so nobody needs to wait for the compiler: a kernel is plain until `compile_kernels` has made
machine code of it, from then on it is three to eighty times as fast. Numba and its code take a second to load and 130
MB, and compiling everything some seconds, so that only what prices for long does it: sweeps and benchmarks before they
begin, services in the background once they have priced for as long as loading takes, installations ahead of time. The
code is kept in a directory whose name has a digest of every source that it was made from: another version never finds
it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import math
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from optionchain.numerics.formula import FORMULAS

WITH_KERNELS = (
    "optionchain.chains.ladder",
    "optionchain.numerics.functions",
    "optionchain.pricing.early_exercise",
    "optionchain.pricing.exercise_boundary",
    "optionchain.pricing.exercise_steps",
    "optionchain.pricing.implied_volatility",
    "optionchain.pricing.kernel",
    "optionchain.surfaces.hyperbolas",
)
"""The modules that define kernels: imported before compiling, so that what is compiled is always the same."""

_KERNELS: list[Kernel] = []
_COMPILING = threading.Lock()
_HERE = Path(__file__).parent
_NEEDS_NO_COMPILER = "NUMBA_DISABLE_JIT"  # numba's own switch
# Of plain evaluation. Whoever pays so much before buying never pays more than twice what it need have been.
WORTH_COMPILING_SECONDS = 0.5


class Kernel:
    """A loop over arrays that writes its results into one of them.

    Args:
        signature: What numba compiles the loop for.
        plain: The same in terms of whole arrays.
        loop: The loop, one number at a time, which calls formulas.

    Attributes:
        is_compiled: Whether machine code is what runs.
    """

    def __init__(self, signature: str, plain: Callable[..., None], loop: Callable[..., None]) -> None:
        self.signature = signature
        self.plain = plain
        self.loop = loop
        self._compiled: Callable[..., None] | None = None
        _KERNELS.append(self)

    def __call__(self, *arrays: Any) -> None:
        """Run on arrays of the signature's types, contiguous in the order of C."""
        if self._compiled is not None:
            self._compiled(*arrays)
            return
        begin = time.perf_counter()
        with np.errstate(all="ignore"):
            self.plain(*arrays)
        _PLAIN_TIME.spend(time.perf_counter() - begin)

    @property
    def is_compiled(self) -> bool:
        return self._compiled is not None

    def use(self, compiled: Callable[..., None] | None) -> None:
        """Run this machine code from now on, or none."""
        self._compiled = compiled


class _PlainTime:
    """How long kernels have run plain in this process, and how long they may before they are compiled."""

    def __init__(self) -> None:
        self.left = math.inf

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        if self.left <= 0:
            self.left = math.inf
            threading.Thread(target=compile_kernels, name="compile-kernels", daemon=True).start()


_PLAIN_TIME = _PlainTime()


def compile_kernels() -> bool:
    """Make machine code of every kernel, or find it made; at once where that is done or numba is not installed.

    Returns:
        Whether the kernels are compiled now.
    """
    for module in WITH_KERNELS:
        importlib.import_module(module)
    if all(kernel.is_compiled for kernel in _KERNELS):
        return True
    if os.environ.get(_NEEDS_NO_COMPILER, "0") not in ("", "0") or not importlib.util.find_spec("numba"):
        return False
    with _COMPILING:
        waiting = [kernel for kernel in _KERNELS if not kernel.is_compiled]
        if waiting:
            from optionchain.numerics import machine_code  # noqa: PLC0415  numba is heavy

            with _code_kept_in(_directory()):
                for kernel in waiting:
                    kernel.use(machine_code.compiled(kernel.signature, kernel.loop))
    return True


def compile_when_worthwhile(seconds: float = WORTH_COMPILING_SECONDS) -> None:
    """Compile in the background once kernels have run plain for so long; a process that prices little never does.

    Args:
        seconds: Of plain evaluation from now on.
    """
    _PLAIN_TIME.left = seconds


def source_digest() -> str:
    """Changes with every source file that a kernel is made from."""
    makers = {each.__module__ for each in FORMULAS} | {kernel.loop.__module__ for kernel in _KERNELS}
    files = {Path(str(sys.modules[module].__file__)) for module in makers} | set(_HERE.glob("*.py"))
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _code_kept_in(directory: Path | None) -> Iterator[None]:
    """Have numba keep its code there; None leaves the place to numba."""
    from numba import config  # noqa: PLC0415  heavy

    before = config.CACHE_DIR
    if directory is not None:
        config.CACHE_DIR = str(directory)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _directory() -> Path | None:
    """The first place that can be written to: that of the environment, beside the sources, the user's, temporary.

    What an image was given beside its sources, where it cannot be written to later, is copied from there.
    """
    name = f"kernels-{source_digest()}"
    beside = _HERE / "__pycache__" / name
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "optionchain"
    given = os.environ.get("NUMBA_CACHE_DIR")
    temporary = Path(tempfile.gettempdir()) / f"optionchain-{os.getuid() if hasattr(os, 'getuid') else 0}"
    for directory in (Path(given) / name if given else beside, beside, user / name, temporary / name):
        with suppress(OSError):
            is_new = not directory.exists()
            directory.mkdir(parents=True, exist_ok=True)
            if os.access(directory, os.W_OK):
                if is_new and beside.is_dir():
                    shutil.copytree(beside, directory, dirs_exist_ok=True)
                return directory
    return None
