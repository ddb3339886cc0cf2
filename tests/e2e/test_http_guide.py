"""The examples of a page about HTTP are one script that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clusters import Cluster

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("page", "at_least"), [("http.md", 7), ("exports.md", 4)])
def test_the_examples_of_a_page_run_one_after_the_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, page: str, at_least: int
) -> None:
    examples = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setenv("OPTIONCHAIN_URL", cluster.state.base_url)
    monkeypatch.setenv("OPTIONCHAIN_KEY", cluster.state.api_key or "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names: dict[str, object] = {}

    for example in examples:
        exec(compile(example, page, "exec"), names)

    names["api"].close()  # type: ignore[attr-defined]
    assert len(examples) >= at_least
