"""``optionchain sweep`` on a terminal: Ctrl-C, and what a person is shown."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl

from tests.unit.sweeps.sweep_documents import DOCUMENT
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0
LONG = {
    "grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 20_000}},
    "measures": ["terminal_price"],
    "paths": 2000,
}


def process(file, *options, stdout=subprocess.PIPE):
    command = [sys.executable, "-m", "cluster.cli", "sweep", str(file), "--workers", "0", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_says_how_to_go_on(tmp_path):
    file, out = tmp_path / "sweep.yaml", tmp_path / "out"
    file.write_text(json.dumps(DOCUMENT | LONG))
    running = process(file, "--output", str(out))
    eventually(
        lambda: list(out.glob("*/parts/*.parquet")), "a part is recorded", patience_seconds=PATIENCE_SECONDS
    )

    running.send_signal(signal.SIGINT)
    table, told = running.communicate(timeout=PATIENCE_SECONDS)

    assert running.returncode == 130, told
    rows = pl.read_csv(io.StringIO(table)).height
    assert f"{rows:,} of 20,000 scenarios are done and recorded: the same command goes on from here" in told
    again = re.search(r"\((optionchain sweep .*)\)\.", told)[1]
    assert again == f"optionchain sweep {file} --workers 0 --output {out}"


def test_ctrl_c_says_what_was_missing_to_go_on(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(DOCUMENT | LONG))
    terminal, its_end = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "cluster.cli", "sweep", str(file), "--workers", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=its_end, text=True,
    )  # fmt: skip
    os.close(its_end)
    told = os.read(terminal, 1000)  # the bars: it works

    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE_SECONDS)
    while chunk := read(terminal):
        told += chunk
    os.close(terminal)

    assert running.returncode == 130, told
    assert b"with `--output FOLDER` the same command would go on from here" in told


def read(terminal):
    """What a terminal has to show; nothing when the other end is closed."""
    try:
        return os.read(terminal, 10_000)
    except OSError:
        return b""


def test_a_terminal_shows_a_table_and_a_pipe_gets_csv(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(DOCUMENT | {"paths": 20}))
    terminal, its_end = pty.openpty()
    shown = process(file, stdout=its_end)
    os.close(its_end)
    _, told = shown.communicate(timeout=PATIENCE_SECONDS)
    text = read(terminal).decode()
    os.close(terminal)

    piped, _ = process(file).communicate(timeout=PATIENCE_SECONDS)

    assert pl.read_csv(io.StringIO(piped)).height == 6
    header, first = [line.split() for line in re.sub(r"\x1b\[\d+m", "", text).splitlines() if line.strip()][
        ::2
    ][:2]
    assert header[:3] == ["volatility", "method.drift", "terminal_price_mean"]
    assert first[:2] == ["0.1", "0"]
    assert not {",", "…"} & set(text)
    assert "6 rows of 32 columns: `--results table.csv` writes all of them." in told
