"""The API reference names what can be imported, each once."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import make_reference
import pytest
from reference_extension import declared

import optionchain
import optionchain_client


def described(text: str) -> list[str]:
    return re.findall(r"auto(?:class|function):: (\S+)", text)


@pytest.mark.parametrize("package", [optionchain, optionchain_client], ids=lambda package: package.__name__)
def test_what_a_package_offers_is_on_its_page(package: ModuleType) -> None:
    offered = [
        name
        for name in package.__all__
        if inspect.isroutine(getattr(package, name)) or inspect.isclass(getattr(package, name))
    ]

    found = described(make_reference.pages()[package.__name__])

    assert found == [f"{package.__name__}.{name}" for name in offered]


def test_nothing_is_described_twice() -> None:
    names = [name for text in make_reference.pages().values() for name in described(text)]
    objects = [
        getattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in names
    ]

    assert len(set(objects)) == len(objects) > 100


def test_a_page_whose_names_are_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / "optionchain.gone.md").touch()

    make_reference.write(tmp_path)

    assert {file.stem for file in tmp_path.iterdir()} == set(make_reference.pages())


def test_every_parameter_of_a_market_model_is_described() -> None:
    described_fields = [name for name, schema in declared(optionchain.Heston) if schema["description"]]

    assert described_fields == [field.name for field in fields(optionchain.Heston)]
