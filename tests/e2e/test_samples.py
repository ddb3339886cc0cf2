"""Every sample of every page runs as it is pasted, and again, by a new user, in a clone where `make run` has been.

A sample is a block of `python`, or of `sh`. All of `python` on a page go into one interpreter, which the page's
`.venv/bin/python3` starts. Blocks of other languages, and of none, show a form.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import Cluster

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("", "docs", "optionchain", "optionchain_client", "tests/golden", "tests/kuberay")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))
PYTHON = ".venv/bin/python3"
# Shell samples that are not for this machine, or not for a running instance that others use; and who tries them.
ELSEWHERE = {
    "git clone": "CI begins so",
    "make ": "CI runs them",
    ".ci/run": "is CI",
    "pip install": "an index; tests/integration/project/test_wheels.py installs the wheels",
    "python3 -m venv": "an index; tests/integration/project/test_wheels.py installs the wheels",
    "optionchain chaos": "minutes; tests/chaos",
    "optionchain bench": "minutes; tests/unit/bench",
    "OCS_REDIS_URL=": "servers of one's own, which tests start and give",
    "OCS_REDIS_MODE=": "the same",
    "OCS_RATE_PER_MINUTE=": "tests/integration/rate_limit",
    "OCS_SESSION_PLACEMENT=": "tests/e2e/test_session_placement.py",
    "OCS_AUTH_": "tests/integration/identity",
    "OCS_HTTP_REPLICAS=": "tests/e2e/test_scaling.py",
    "OCS_RAY_REDIS_URL=": "machines of one's own; tests/chaos/test_lost_head.py",
    "optionchain doctor": "a cluster of machines; tests/integration/cluster/test_doctor_command.py",
    "OCS_HTTP_HOST=": "certificates; tests/integration/cluster/test_https.py",
    "optionchain keys": "tests/e2e/test_keys.py",
    "optionchain quotas": "tests/integration/identity/test_quotas.py",
    "OCS_QUOTA_": "tests/integration/rate_limit/test_quotas_over_http.py",
    "optionchain backup": "places that other tests have not; tests/e2e/test_backups.py",
    "optionchain tasks": "tests/e2e/test_tasks_on_ray.py",
    "optionchain audit": "tests/integration/audit",
    "optionchain top": "tests/e2e/test_metrics.py",
    'curl -s "$OPTIONCHAIN_URL': "a service elsewhere; tests/integration/identity/test_tokens.py",
    'curl -s -X PUT "$OPTIONCHAIN_URL': "the same; tests/integration/history/test_secret_configurations.py",
    "serve ": "a cluster that serve reaches; tests/e2e/test_serve_config.py",
    "docker ": "an engine; tests/integration/project/test_image.py",
    "cp .env.example": "an engine; tests/integration/project/test_compose_files.py",
    "redis-cli -h ": "servers of one's own; tests/integration/redis_groups/test_sentinels.py",
    "kubectl": "a cluster of Kubernetes; tests/kuberay",
}


def place(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [text for _, text in found]


def is_tried_elsewhere(sample: str) -> bool:
    return any(line.strip().startswith(tuple(ELSEWHERE)) for line in sample.splitlines())


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]
SHELL = [(page, block) for page in PAGES for block in blocks(page, "sh") if not is_tried_elsewhere(block)]


class Clone:
    """A folder like a clone in which an instance runs, and a user who has nothing else."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self._cluster = cluster
        (folder / "home").mkdir()
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / ".optionchain").symlink_to(cluster.folder.resolve())

    def run(self, sample: str, pasted: str = "") -> subprocess.CompletedProcess[str]:
        """Run a sample of a shell, and paste into what it starts."""
        return subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", self.here(sample)],
            input=self.here(pasted),
            cwd=self.folder,
            # Nothing of ours; the interpreter shows nothing but what the sample prints.
            env={
                "HOME": str(self.folder / "home"),
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def here(self, text: str) -> str:
        """With the address of this instance in place of the usual one."""
        return text.replace("http://127.0.0.1:7070", self._cluster.state.base_url)


@pytest.fixture
def clone(cluster: Cluster, tmp_path: Path) -> Clone:
    return Clone(tmp_path, cluster)


@pytest.fixture(scope="module", autouse=True)
def _what_make_run_leaves(cluster: Cluster) -> None:
    """Sample data, and a key of one's own."""
    demo = cluster.run("demo")
    assert demo.returncode == 0, demo.stderr
    # This instance was given its keys, so it has no file of one.
    file = cluster.folder / "api_key"
    file.touch(mode=0o600)
    file.write_text(f"{cluster.state.api_key}\n")


def start_of_python(page: Path) -> str:
    """How the page says to start Python, told to show as a terminal does what goes wrong."""
    starts = [block for block in blocks(page, "sh") if block.rstrip().endswith(PYTHON)]
    start = starts[0].rstrip() if starts else PYTHON
    return start.removesuffix(PYTHON) + f"exec {PYTHON} -i -q"


def complaints(finished: subprocess.CompletedProcess[str]) -> list[str]:
    """Exceptions, of which an interpreter that reads lines tells and goes on."""
    return re.findall(
        r"^(?:>>> |\.\.\. )*(\w[\w.]*(?:Error|Exception|Warning)\b.*)$", finished.stderr, re.MULTILINE
    )


@pytest.mark.timeout(400)  # sweeps start a Ray of their own
@pytest.mark.parametrize("page", WITH_PYTHON, ids=place)
def test_the_python_of_a_page_runs_as_pasted_and_again(page: Path, clone: Clone) -> None:
    # A blank line ends the block of a `with` or `def`, as the key does that one presses after pasting.
    pasted = "\n\n".join(blocks(page, "python")) + "\n\nprint('reached', 'the end')\n"

    for _ in range(2):
        finished = clone.run(start_of_python(page), pasted)

        assert complaints(finished) == [], finished.stderr
        assert finished.stdout.endswith("reached the end\n"), finished.stderr
        assert finished.returncode == 0


@pytest.mark.parametrize(
    ("page", "sample"), SHELL, ids=[f"{place(page)}-{block.split()[0]}" for page, block in SHELL]
)
def test_a_sample_of_a_shell_runs_as_pasted_and_again(page: Path, sample: str, clone: Clone) -> None:
    for _ in range(2):
        finished = clone.run(sample)

        assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example needs curl")
def test_the_first_session_of_the_readme_serves_a_chain_and_every_step(clone: Clone) -> None:
    (by_curl,) = [block for block in blocks(ROOT / "README.md", "sh") if "curl" in block]
    by_client = blocks(ROOT / "README.md", "python")[0]

    chain = json.loads(clone.run(by_curl).stdout)
    steps = clone.run(f"exec {PYTHON} -i -q", f"{by_client}\n").stdout.splitlines()

    assert (chain["underlying"], chain["session_info"]["current_step"], len(chain["contracts"])) == (
        "SPX",
        1,
        61,
    )
    assert [line.split()[0] for line in steps] == [str(step) for step in range(30)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example needs curl")
def test_what_is_printed_when_everything_is_ready_runs_as_pasted(cluster: Cluster, clone: Clone) -> None:
    printed = cluster.run("up").stdout
    _, by_curl, by_client = re.split(
        r"^A session by curl$|^The same in Python, by .*$", printed, flags=re.MULTILINE
    )
    by_client = by_client.replace("optionchain status | logs | demo | down; in a clone: make stop", "")

    chain = json.loads(clone.run(by_curl).stdout)
    finished = clone.run(f"exec {PYTHON} -i -q", by_client)

    assert (chain["session_info"]["current_step"], len(chain["contracts"])) == (1, 61)
    assert "from optionchain_client import Client" in by_client
    assert complaints(finished) == []
    assert finished.stdout.endswith(" 5000.0 61 strikes\n")


def test_every_reason_to_try_a_sample_elsewhere_is_needed() -> None:
    lines = [line.strip() for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]

    assert [start for start in ELSEWHERE if not any(line.startswith(start) for line in lines)] == []
