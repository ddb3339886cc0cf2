"""What is released works where nothing of the repository is, and brings what it promises and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from optionchain import __version__

ROOT = Path(__file__).resolve().parents[3]
SERVICE = ("actors", "adapters", "cluster", "proving", "serve_app")
LIBRARY = """
from datetime import UTC, datetime
from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, Sweep, build_chain, simulate
from optionchain.measures import short_strangle, terminal_price

base = SimulationParameters(
    symbol="SPX", steps=22, initial_price=100.0, volatility=0.2,
    method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(days=30.0), seed=7, start_at=datetime(2026, 1, 5, tzinfo=UTC),
)
"""
SWEEP = """
measures = [terminal_price, short_strangle(delta=0.16, days=20)]
result = Sweep(base=base, measures=measures, grid={"volatility": [0.1, 0.4]}, paths=100).run()
print(result.state, int(result.is_done.sum()))
"""
# Ray's workers import our packages by the names that this process knows them by.
ON_RAY = """
import ray
from cluster.sweeps.ray_engine import OnRay
from optionchain.sweeps.surroundings import surroundings
assert isinstance(surroundings().engine(), OnRay)
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
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution by its name, built from its source distribution."""
    dist = tmp_path_factory.mktemp("dist")
    for folder in ("optionchain", "optionchain_client", "."):
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, ROOT / folder, folder=dist)
    found = {wheel.name.partition("-")[0]: wheel for wheel in dist.glob("*.whl")}
    assert {wheel.name for wheel in found.values()} == {
        f"{name}-{__version__}-py3-none-any.whl"
        for name in ("optionchain", "optionchain_client", "optionchain_simulator")
    }
    return found


def installed(folder: Path, *wheels: Path) -> Path:
    """The Python of an environment where nothing is but these wheels."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
    python = folder / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, *install, *wheels, folder=folder)
    return python


def site_packages(python: Path) -> Path:
    shown = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=python.parent)
    return Path(shown.strip())


def with_its_requirements(folder: Path, wheel: Path, extra: str = "") -> Path:
    """An environment of a wheel and of what it says it needs, linked from what the tests run on."""
    python = installed(folder, wheel)
    site = site_packages(python)
    ours = next(PathDistribution(info) for info in site.glob("optionchain*.dist-info"))
    for needed in requirements(ours, extra, set()):
        for name in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(needed.locate_file(name))))
    return python


def requirements(of: Distribution, extra: str, seen: set[str]) -> Iterator[Distribution]:
    for text in of.requires or ():
        needed = Requirement(text)
        is_wanted = needed.marker is None or needed.marker.evaluate({"extra": extra})
        key = f"{needed.name}[{','.join(sorted(needed.extras))}]"
        if is_wanted and key not in seen:
            seen.add(key)
            found = of if needed.name == of.metadata["Name"] else distribution(needed.name)
            yield found
            for each in needed.extras or {""}:
                yield from requirements(found, each, seen)


@pytest.fixture(scope="module")
def service(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the three wheels, and the dependencies of this one."""
    python = installed(tmp_path_factory.mktemp("service") / "fresh", *wheels.values())
    # Ours were installed; the dependencies, half a gigabyte, are those that the tests run on.
    theirs = [path for path in sys.path if path.endswith("site-packages")] or [sysconfig.get_path("purelib")]
    (site_packages(python) / "dependencies.pth").write_text("\n".join(theirs), encoding="utf-8")
    return python


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("optionchain", "optionchain"),
        ("optionchain_client", "optionchain_client"),
        ("optionchain_simulator", "optionchain_server"),
    ],
)
def test_a_wheel_brings_one_name(wheels: dict[str, Path], name: str, promised: str) -> None:
    files = zipfile.ZipFile(wheels[name]).namelist()

    assert {file.partition("/")[0] for file in files} == {promised, f"{name}-{__version__}.dist-info"}
    assert f"{name}-{__version__}.dist-info/licenses/LICENSE" in files


def test_wheels_have_every_file_of_their_folders(wheels: dict[str, Path]) -> None:
    packed = {file for wheel in wheels.values() for file in zipfile.ZipFile(wheel).namelist()}
    folders = ("optionchain", "optionchain_client", "optionchain_server", "ray_config", *SERVICE)
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*") if file.is_file()]
    about = {"pyproject.toml", "README.md"}
    kept = {
        str(file.relative_to(ROOT))
        for file in files
        if "__pycache__" not in file.parts and file.name not in about
    }

    inside = {file if file.startswith("optionchain") else f"optionchain_server/{file}" for file in kept}

    assert inside == {file for file in packed if ".dist-info/" not in file}


def test_the_library_needs_no_more_than_it_says(wheels: dict[str, Path], tmp_path: Path) -> None:
    python = with_its_requirements(tmp_path / "fresh", wheels["optionchain"])
    program = f"""{LIBRARY}
from importlib.util import find_spec
from optionchain.pricing import black_scholes, implied_volatility
missing = "ray redis pymongo fastapi pydantic httpx polars pandas pyarrow numba optionchain_client".split()
assert not [name for name in (*missing, *{SERVICE}) if find_spec(name)]
simulation = simulate(base)
print(len(simulation.chain(3).strikes))
try:
    simulation.chain(0).to_polars()
except ImportError as error:
    print(error)
{SWEEP}"""

    assert run(python, "-c", program, folder=tmp_path).splitlines() == [
        "61",
        "a table needs pyarrow: pip install 'optionchain[frames]'",
        "completed 2",
    ]


def test_the_extras_of_the_library_bring_what_they_promise(wheels: dict[str, Path], tmp_path: Path) -> None:
    python = with_its_requirements(tmp_path / "fresh", wheels["optionchain"], "all")
    program = f"""{LIBRARY}
from optionchain.expirations.calendars import trading_calendar
import numba
print(simulate(base).chain(0).to_polars().height, type(trading_calendar("XNYS")).__name__)
{SWEEP}
figures = (simulate(base).plot(), simulate(base).chain(0).plot_smile(), result.plot("terminal_price_mean"))
print(result.to_pandas().shape[0], [len(figure.data) for figure in figures])
"""

    assert run(python, "-c", program, folder=tmp_path).splitlines() == [
        "122 ExchangeCalendar",
        "completed 2",
        "2 [2, 1, 1]",
    ]


def test_the_client_needs_no_more_than_it_says(wheels: dict[str, Path], tmp_path: Path) -> None:
    python = with_its_requirements(tmp_path / "fresh", wheels["optionchain_client"])
    program = f"""
from importlib.util import find_spec
from optionchain_client import Client, Retry, __version__, to_polars
missing = "ray redis pymongo numpy polars pandas pyarrow optionchain".split()
assert not [name for name in (*missing, *{SERVICE}) if find_spec(name)]
with Client("http://127.0.0.1:1", retry=Retry(attempts=1)) as client:
    try:
        client.ready()
    except Exception as error:
        print(type(error).__name__)
try:
    to_polars([])
except ImportError as error:
    print(error)
"""

    assert run(python, "-c", program, folder=tmp_path).splitlines() == [
        "ConnectionFailed",
        "to_polars needs polars: pip install 'optionchain-client[frames]'",
    ]


def test_the_service_is_out_of_reach_until_it_is_asked_for(service: Path, tmp_path: Path) -> None:
    program = f"""
import sys
from importlib.util import find_spec
import optionchain, optionchain_client
assert not [name for name in {SERVICE} if find_spec(name)]
import optionchain_server
import actors.sessions, cluster.bootstrap, cluster.sweeps, proving, serve_app.app
for module in (actors, cluster, optionchain, optionchain_client, proving, serve_app):
    assert module.__path__[0].startswith(sys.prefix), module.__path__
"""

    run(service, "-c", program, folder=tmp_path)


def test_the_command_says_its_version(service: Path, tmp_path: Path) -> None:
    told = f"optionchain {__version__}\n"

    assert run(service.parent / "optionchain", "--version", folder=tmp_path) == told
    assert run(service, "-m", "optionchain_server", "--version", folder=tmp_path) == told


def test_a_sweep_of_an_installed_service_runs_on_ray(service: Path, tmp_path: Path) -> None:
    program = f"{LIBRARY}{SWEEP}{ON_RAY}"

    assert run(service, "-c", program, folder=tmp_path).splitlines() == ["completed 2"]


def test_the_script_that_starts_haproxy_can_be_run(service: Path) -> None:
    (script,) = site_packages(service).rglob("cluster/haproxy/haproxy.sh")

    assert os.access(script, os.X_OK)
