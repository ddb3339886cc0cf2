"""What is released works where nothing of the repository is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from optionchain import __version__

ROOT = Path(__file__).resolve().parents[3]
# Imports all that HTTP, actors and sweeps consist of, from where the wheel was installed.
PROGRAM = """
import sys
import actors.sessions, cluster.bootstrap, cluster.sweeps, optionchain, optionchain_client, proving, serve_app.app
for module in (actors, cluster, optionchain, optionchain_client, proving, serve_app):
    assert module.__path__[0].startswith(sys.prefix), module.__path__
"""


def run(*command: object, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, built from the source distribution, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("release")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", ROOT, folder=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    assert wheel.name == f"optionchain_simulator-{__version__}-py3-none-any.whl"
    run(sys.executable, "-m", "venv", "--without-pip", folder / "fresh", folder=folder)
    python = folder / "fresh" / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, folder=folder)
    # Ours were installed; the dependencies, half a gigabyte, are those that the tests run on.
    ours = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    theirs = [path for path in sys.path if path.endswith("site-packages")] or [sysconfig.get_path("purelib")]
    (Path(ours) / "dependencies.pth").write_text("\n".join(theirs), encoding="utf-8")
    return folder / "fresh"


def test_a_wheel_installs_into_an_empty_environment_and_says_its_version(environment: Path) -> None:
    assert (
        run(environment / "bin" / "optionchain", "--version", folder=environment)
        == f"optionchain {__version__}\n"
    )


def test_everything_is_in_the_wheel(environment: Path) -> None:
    run(environment / "bin" / "python", "-c", PROGRAM, folder=environment)


def test_the_script_that_starts_haproxy_can_be_run(environment: Path) -> None:
    (script,) = environment.rglob("cluster/instance/haproxy.sh")

    assert os.access(script, os.X_OK)
