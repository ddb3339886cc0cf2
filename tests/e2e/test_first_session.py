"""The README's first session works as it is pasted."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clusters import Cluster

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example needs curl")
def test_the_first_session_by_curl_serves_a_chain(cluster: Cluster) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "curl" in block]
    here = example.replace("http://127.0.0.1:7070", cluster.state.base_url)
    here = re.sub(r"\$\(cat [^)]*\)", cluster.state.api_key or "", here)

    answer = subprocess.run(["bash", "-ec", here], capture_output=True, text=True, timeout=60, check=True)

    chain = json.loads(answer.stdout)
    assert chain["underlying"] == "SPX"
    assert chain["session_info"]["current_step"] == 1
    assert len(chain["contracts"]) == 61


def test_the_first_session_by_the_client_prints_every_step(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "optionchain_client" in block]
    here = example.replace("http://127.0.0.1:7070", cluster.state.base_url)
    here = here.replace(".optionchain/api_key", str(tmp_path / "key"))
    (tmp_path / "key").write_text(cluster.state.api_key or "")

    exec(compile(here, str(README), "exec"), {})

    assert len(capsys.readouterr().out.splitlines()) == 30
