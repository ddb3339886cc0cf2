"""Three distributions of one repository: they agree, and the domain names extras that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = ("optionchain", "optionchain_client")


def project(folder: str) -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))
    return described["project"]


@pytest.mark.parametrize("folder", LIBRARIES)
def test_a_clone_has_all_that_the_library_and_the_client_need(folder: str) -> None:
    clone, library = project("."), project(folder)
    extras = library["optional-dependencies"]
    needed = {*library["dependencies"], *(each for extra in extras.values() for each in extra)}
    had = {
        *clone["dependencies"],
        *(each for extra in clone["optional-dependencies"].values() for each in extra),
    }

    assert {each for each in needed if not each.startswith("optionchain[")} <= had


@pytest.mark.parametrize("folder", LIBRARIES)
def test_all_support_the_same_pythons(folder: str) -> None:
    assert project(folder)["requires-python"] == project(".")["requires-python"]
    assert set(project(folder)["classifiers"]) <= set(project(".")["classifiers"])


def test_an_extra_that_the_library_advises_exists() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "optionchain").rglob("*.py"))
    extras = project("optionchain")["optional-dependencies"]

    assert set(re.findall(r"brought_by\(\s*\"(\w+)\"", sources)) == set(extras) - {"all", "fast"}
    assert extras["all"] == [f"optionchain[{','.join(name for name in extras if name != 'all')}]"]
