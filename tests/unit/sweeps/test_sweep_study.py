"""The study of docs/sweeps.md runs, shows what theory says, and its example files are sweeps."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import yaml

from optionchain.sweeps.wire import sweep_from_wire

pytest.importorskip("matplotlib", reason="the pictures need matplotlib").use("Agg")

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("make_sweep_study", DOCS / "make_sweep_study.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module of a class
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_study_writes_the_pictures_that_the_text_shows(study, tmp_path):
    found = study.main(tmp_path, study.Size(points=5, paths=200))

    shown = set(re.findall(r"images/(sweep-\w+)\.svg", (DOCS / "sweeps.md").read_text()))
    assert shown == {file.stem for file in tmp_path.iterdir()} == {"sweep-mean", "sweep-drift"}
    assert found["hedged_std"] < 0.6 * found["bare_std"]
    assert found["bare_expected_shortfall"] > found["bare_value_at_risk"] > 0.0


def test_every_picture_is_there_and_small():
    for name in ("sweep-mean", "sweep-drift"):
        assert (DOCS / "images" / f"{name}.svg").stat().st_size < 200_000


def test_the_documents_in_the_text_are_sweeps():
    documents = re.findall(r"```yaml\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL)

    assert documents
    for document in documents:
        assert len(sweep_from_wire(yaml.safe_load(document)).plan) > 0


def test_the_first_example_runs_as_it_is_written(tmp_path, monkeypatch):
    source = re.search(r"```python\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL)[1]
    small = source.replace("paths=10_000", "paths=20").replace(".run()", ".run(engine=InProcess())")
    names = {}

    exec("from optionchain.sweeps import InProcess\n" + small, names)

    assert names["result"].to_polars().height == 100
