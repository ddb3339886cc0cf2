"""Compiles the kernels ahead of time, for an installation or an image: ``python -m optionchain.numerics``."""

from __future__ import annotations

import time

from optionchain.numerics import IDENTITY, compile_kernels


def main() -> None:
    """Compile, and say what was done."""
    start = time.perf_counter()
    done = compile_kernels()
    seconds = time.perf_counter() - start
    print(
        f"{IDENTITY}: compiled in {seconds:.1f} s"
        if done
        else f"{IDENTITY}: plain NumPy, for numba is not there"
    )


if __name__ == "__main__":
    main()
