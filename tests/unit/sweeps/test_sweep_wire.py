from typing import get_args

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from cluster.commands.sweep import sweep as sweep_command
from optionchain import InvalidInput, measures
from optionchain.measures import MEASURES_WITH_TERMS, PLAIN_MEASURES, names, short_strangle, terminal_price
from optionchain.measures.wire import measure_from_wire, terms_of
from optionchain.sweeps import Shock
from optionchain.sweeps.results import parquet_bytes
from optionchain.sweeps.tables import FORMATS, Format, rendered
from optionchain.sweeps.wire import sweep_from_wire
from tests.unit.sweeps.sweep_documents import BASE, DOCUMENT
from tests.unit.sweeps.sweep_examples import run, sweep

FILE = """
base:
  symbol: SPX
  steps: 31
  initial_price: 100
  days_to_expiration: 30
  volatility: 0.2
  method: {GeometricBrownian: {dt: 0.004, drift: 0.03, volatility: 0.2}}
  seed: 7
grid:
  volatility: [0.1, 0.3]
measures:
  - terminal_price
  - short_strangle: {delta: 0.16, days: 30}
paths: 100
"""


def test_a_document_is_the_sweep_that_it_describes():
    axis = np.linspace(0.0, 0.2, 3)
    by_hand = sweep(
        grid={"volatility": [0.1, 0.3], "method.drift": axis},
        measures=[terminal_price, short_strangle(delta=0.16, days=30)],
    )

    assert sweep_from_wire(DOCUMENT).id == by_hand.id


def test_a_document_can_have_everything():
    wire = DOCUMENT | {
        "grid": None,
        "design": {"bounds": {"volatility": [0.1, 0.4]}, "points": 4, "kind": "random", "seed": 3},
        "shocks": [{"name": "none"}, {"name": "crash", "spot": -0.2, "volatility": 0.5, "rates": 0.01}],
        "sampling": "antithetic",
        "control": "terminal_price",
        "quantiles": [0.5],
        "tail": 0.1,
        "covariances": True,
        "seed": 9,
    }

    assert len(run(sweep_from_wire(wire)).to_polars()) == 8


def test_rolling_expirations_can_be_described():
    rolling = {name: value for name, value in BASE.items() if name != "days_to_expiration"} | {
        "timezone": "America/New_York",
        "expiration_time": "16:00",
        "schedules": [{"rule_id": "weekly", "kind": "weekly", "target_count": 2, "weekdays": ["Fri"]}],
    }

    assert sweep_from_wire(DOCUMENT | {"base": rolling}).base.most_contracts == 82


def test_every_measure_of_the_library_can_be_named():
    documented = {name for name in measures.__all__ if name[0].islower()}

    assert documented - {
        "expected_terminal_price",
        "is_profit",
        "measure",
        "measure_name",
        "named",
        "named_with_terms",
        "sample_block",
        "strategy",
    } == {
        *PLAIN_MEASURES,
        *MEASURES_WITH_TERMS,
    }
    traded = ["days", "shares", "roll", "hedge", "fill", "label", "unit", "assignment"]
    assert terms_of(MEASURES_WITH_TERMS["short_put"]) == ["delta", *traded]


def test_models_can_vary():
    other = {"Brownian": {"dt": 0.004, "drift": 0.0, "volatility": 0.3}}

    one = sweep_from_wire(DOCUMENT | {"grid": {"method": [BASE["method"], other]}})

    assert type(one.plan.parameters(1).method).__name__ == "Brownian"
    assert "Brownian" in run(one).to_polars()["method"][1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pathes": 3}, "pathes"),
        ({"base": None}, "base"),
        ({"base": BASE | {"stepps": 3}}, "base.stepps"),
        ({"base": BASE | {"steps": 0}}, "base.steps"),
        ({"base": {"symbol": "SPX"}}, "base.steps"),
        ({"base": BASE | {"method": {"Brown": {}}}}, "base.method"),
        ({"base": BASE | {"start_at": "yesterday"}}, "base.start_at"),
        ({"base": {**BASE, "days_to_expiration": None}}, "base.days_to_expiration"),
        ({"grid": {"volatility": "low"}}, "grid.volatility"),
        ({"grid": {"volatility": {"from": 0.1, "to": 0.3}}}, "grid.volatility.points"),
        ({"grid": {"volatility": {"from": 0.1, "to": 0.3, "point": 2}}}, "grid.volatility.point"),
        ({"scenarios": {}}, "scenarios"),
        ({"scenarios": [3], "grid": None}, "scenarios[0]"),
        (
            {"design": {"bounds": {"volatility": [0.1]}, "points": 4}, "grid": None},
            "design.bounds.volatility",
        ),
        ({"design": {"bounds": {}, "points": 4}, "grid": None}, "design.bounds"),
        ({"shocks": [{"spot": -2.0, "name": "x"}]}, "shocks[0].spot"),
        ({"shocks": [{"spot": -0.2}]}, "shocks[0].name"),
        ({"control": "price"}, "control"),
        ({"measures": "terminal_price"}, "measures"),
        ({"measures": ["price"]}, "measures[0]"),
        ({"measures": [{"short_strangle": {"delta": 2}}]}, "measures[0].short_strangle.delta"),
        ({"measures": [{"short_strangle": {"delat": 2}}]}, "measures[0].short_strangle.delat"),
        ({"measures": [{"touch_probability": {}}]}, "measures[0].touch_probability"),
        ({"measures": [{"a": 1, "b": 2}]}, "measures[0]"),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_the_path_of_what_is(changes, field):
    with pytest.raises(InvalidInput) as caught:
        sweep_from_wire(DOCUMENT | changes)

    assert caught.value.field == field


@pytest.mark.parametrize("wire", [None, [], 3, "sweep"])
def test_what_is_no_document_is_refused(wire):
    with pytest.raises(InvalidInput):
        sweep_from_wire(wire)


def test_a_measure_without_terms_takes_none():
    with pytest.raises(InvalidInput):
        measure_from_wire({"terminal_price": {"level": 3}}, "measures[0]")


@pytest.fixture
def command():
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(sweep_command)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_writes_a_table(command, tmp_path):
    (tmp_path / "sweep.yaml").write_text(FILE)

    shown = command(tmp_path / "sweep.yaml", "--workers", 0)
    kept = command(tmp_path / "sweep.yaml", "--workers", 0, "--results", tmp_path / "table.parquet")

    assert shown.exit_code == kept.exit_code == 0
    assert pl.read_csv(shown.stdout.encode())["volatility"].to_list() == [0.1, 0.3]
    assert pl.read_parquet(tmp_path / "table.parquet").height == 2


def test_the_command_goes_on_where_it_was(command, tmp_path):
    (tmp_path / "sweep.yaml").write_text(FILE)
    once = command(tmp_path / "sweep.yaml", "--workers", 0, "--output", tmp_path / "out")

    again = command(tmp_path / "sweep.yaml", "--workers", 0, "--output", tmp_path / "out")

    assert once.exit_code == again.exit_code == 0
    assert "100% was done" in again.stderr
    assert "results.parquet" in again.stderr


def test_the_command_says_what_is_wrong_with_a_file(command, tmp_path):
    (tmp_path / "sweep.yaml").write_text(FILE.replace("volatility: [0.1, 0.3]", "volatilty: [0.1]"))
    (tmp_path / "broken.yaml").write_text("base: [")

    misspelt = command(tmp_path / "sweep.yaml", "--workers", 0)
    broken = command(tmp_path / "broken.yaml")

    assert misspelt.exit_code == broken.exit_code == 2
    assert (
        "grid.volatilty: is not a parameter of this simulation: did you mean volatility?" in misspelt.stderr
    )


def test_a_job_needs_a_place_for_its_results(command, tmp_path):
    (tmp_path / "sweep.yaml").write_text(FILE)

    assert "--submit" in command(tmp_path / "sweep.yaml", "--submit").stderr


def test_a_picture_has_a_line_for_each_value_and_a_point_for_each_other():
    figure = run(sweep()).plot("terminal_price_mean")

    assert [line.name for line in figure.data] == [
        "method.drift = 0",
        "method.drift = 0.1",
        "method.drift = 0.2",
    ]
    assert [list(line.x) for line in figure.data] == [[0.1, 0.3]] * 3
    assert figure.layout.xaxis.title.text == "volatility"
    table = run(sweep()).to_polars().filter(pl.col("method.drift") == 0.1)
    np.testing.assert_allclose(figure.data[1].y, table["terminal_price_mean"])
    np.testing.assert_allclose(figure.data[1].error_y.array, 2.0 * table["terminal_price_std_error"])
    with pytest.raises(InvalidInput, match="no column"):
        run(sweep()).plot("terminal_price_mode")


def test_a_wrong_statistic_lists_those_that_there_are():
    result = run(sweep())

    with pytest.raises(InvalidInput) as caught:
        result.plot("terminal_price_men")
    with pytest.raises(InvalidInput) as of_a_map:
        result.heatmap("volatility")

    assert caught.value.field == of_a_map.value.field == "statistic"
    assert "did you mean terminal_price_mean" in caught.value.reason
    assert caught.value.reason.endswith(", ".join(result.sweep.statistics.columns()))
    with pytest.raises(InvalidInput, match=r"what varies is volatility, method\.drift"):
        result.plot("terminal_price_mean", by="voltility")


def test_a_heat_map_has_a_cell_for_each_pair_of_values():
    result = run(sweep(shocks=[Shock(name="none"), Shock(name="crash", spot=-0.2)]))

    figure = result.heatmap("terminal_price_mean")
    turned = result.heatmap("terminal_price_mean", x="shock", y="volatility")

    means = result.to_polars()["terminal_price_mean"].to_numpy().reshape(2, 3, 2)
    np.testing.assert_allclose(figure.data[0].z, means.mean(axis=2).T)
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("volatility", "method.drift")
    assert list(figure.data[0].x) == ["0.1", "0.3"]
    np.testing.assert_allclose(turned.data[0].z, means.mean(axis=1)[:, ::-1])
    assert list(turned.data[0].x) == ["crash", "none"]
    with pytest.raises(InvalidInput, match="two parameters that vary"):
        run(sweep(grid={"volatility": [0.1, 0.2]})).heatmap("terminal_price_mean")


def test_a_measure_that_is_marked_can_be_named_in_documents(monkeypatch):
    monkeypatch.setattr("optionchain.measures.names.PLAIN_MEASURES", dict(PLAIN_MEASURES))
    monkeypatch.setattr("optionchain.measures.wire.PLAIN_MEASURES", names.PLAIN_MEASURES)

    @names.named
    def made_up(block):
        return block.prices[:, 1]

    result = run(sweep_from_wire(DOCUMENT | {"measures": ["made_up"]}))

    assert result.to_polars()["made_up_mean"].is_not_null().all()
    with pytest.raises(InvalidInput, match="realised_correlation, made_up, touch_probability"):
        measure_from_wire("made", "measures[0]")


def test_every_place_knows_the_formats_of_tables():
    from cluster.commands.sweep import FILES
    from serve_app.routes.sweeps import TABLE

    assert tuple(f".{name}" for name in FORMATS) == FILES
    assert set(TABLE[200]["content"]) == {each.media_type for each in FORMATS.values()}
    assert get_args(Format) == tuple(FORMATS)
    table = parquet_bytes(run(sweep()).to_arrow())
    assert all(len(rendered(table, name)) > 1000 for name in FORMATS)
