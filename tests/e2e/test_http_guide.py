"""The examples of docs/http.md are one script that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clusters import Cluster

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "http.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_guides_examples_run_one_after_the_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIONCHAIN_URL", cluster.state.base_url)
    monkeypatch.setenv("OPTIONCHAIN_KEY", cluster.state.api_key or "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    names: dict[str, object] = {}

    for example in EXAMPLES:
        exec(compile(example, str(GUIDE), "exec"), names)

    names["api"].close()  # type: ignore[attr-defined]
    assert len(EXAMPLES) > 8
