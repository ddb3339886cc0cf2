"""The examples in the domain's docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import optionchain

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(optionchain.__path__, "optionchain.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["optionchain", *MODULES])
def test_the_examples_of_a_module_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), raise_on_error=False)

    assert result.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = [
        example
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    ]

    assert len(examples) > 20
