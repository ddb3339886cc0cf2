"""Whose code computes: what is somebody's own, and of the rest, which release."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

DOMAIN = __name__.partition(".")[0]
# What every path is computed with.
_ALWAYS = ("numpy", "scipy")


def computed_with(packages: Mapping[str, str]) -> dict[str, str]:
    """The releases that decide the numbers of a sweep, by package.

    Args:
        packages: That its measures use, with their versions.
    """
    return {DOMAIN: domain_release()} | {name: package_version(name) for name in _ALWAYS} | dict(packages)


def python_release() -> str:
    """Of the Python that runs; numbers do not depend on it where the measures' sources are known."""
    return platform.python_version()


@functools.cache
def domain_release() -> str:
    """A digest of this package's source files, for a version is not raised with each change."""
    folder = Path(__file__).parents[1]
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(b"%s\0%s\0" % (path.relative_to(folder).as_posix().encode(), path.read_bytes()))
    return content.hexdigest()[:16]


@functools.cache
def package_version(package: str) -> str:
    """The version of an importable package, as its distribution says it; empty where it says none."""
    for name in (package, *_distributions().get(package, ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return str(getattr(sys.modules.get(package), "__version__", ""))


def package_of(module: str) -> str | None:
    """The installed package that a module belongs to; None of the standard library, of ours, and of somebody's own."""
    top = module.partition(".")[0]
    return None if top in ("", DOMAIN, *sys.stdlib_module_names) or is_own(module) else top


@functools.cache
def is_own(module: str) -> bool:
    """Whether a module is somebody's own, which has no version that would change with it."""
    top = module.partition(".")[0]
    if top == DOMAIN or top in sys.stdlib_module_names:
        return False
    known = sys.modules.get(top)
    place = getattr(known, "__file__", None) or next(iter(getattr(known, "__path__", ())), "")
    return not {"site-packages", "dist-packages"} & set(Path(place).parts)


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()
