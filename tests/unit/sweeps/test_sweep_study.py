"""What the pages about sweeps show: the study runs and says what theory says, and the example files are sweeps."""

import re
from pathlib import Path

import make_sweep_study as study
import yaml

from optionchain.sweeps.wire import sweep_from_wire

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_study_draws_the_pictures_that_the_text_shows():
    frame = study.study(study.Size(points=5, paths=200)).to_polars()

    drawn, found = study.pictures(frame), study.figures(frame)

    shown = set(re.findall(r"images/(sweep-\w+)\.svg", (DOCS / "sweep-study.md").read_text()))
    assert shown == set(drawn) == {"sweep-mean", "sweep-drift"}
    assert [cells.z.shape for cells in drawn["sweep-mean"].data] == [(5, 5)] * 2
    assert [line.name for line in drawn["sweep-drift"].data] == ["bare", "hedged"]
    assert found["hedged_std"] < 0.6 * found["bare_std"]
    assert found["bare_expected_shortfall"] > found["bare_value_at_risk"] > 0.0


def test_every_picture_is_there_and_small():
    for name in ("sweep-mean", "sweep-drift"):
        assert (DOCS / "images" / f"{name}.svg").stat().st_size < 200_000


def test_the_documents_in_the_text_are_sweeps():
    documents = re.findall(r"```yaml\n(.*?)```", (DOCS / "sweep-runs.md").read_text(), re.DOTALL)

    assert documents
    for document in documents:
        assert len(sweep_from_wire(yaml.safe_load(document)).plan) > 0


def test_the_examples_run_as_they_are_written():
    first, *others = re.findall(r"```python\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL)
    small = first.replace("paths=10_000", "paths=20").replace(".run()", ".run(engine=InProcess())")
    names = {}

    exec("from optionchain.sweeps import InProcess\n" + small, names)
    for example in others:
        exec(example, names)

    assert names["result"].to_polars().height == 100
    measures = [names["straddle"], names["put_spread"]]
    own = names["Sweep"](base=names["base"], measures=measures, grid={"volatility": [0.2]}, paths=20)
    table = own.run(engine=names["InProcess"]()).to_polars()
    assert table["straddle_mean"].item() > 0
    assert table.columns.count("strategy_mean") == 1
