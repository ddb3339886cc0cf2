"""The image of the service, built once for all tests that run it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.integration.project.containers import BASE, BUILD_SECONDS, NAME, ROOT, build, find_podman, run


@pytest.fixture(scope="session")
def podman() -> str:
    return find_podman()


@pytest.fixture(scope="session")
def base(podman: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    if given := os.environ.get("BASE"):
        return given
    if run(podman, "image", "exists", BASE, check=False).returncode == 0:
        return BASE
    debootstrap = shutil.which("debootstrap")
    if debootstrap is None or os.geteuid() != 0:
        pytest.skip("there is no base: name one in BASE, or install debootstrap and be root")
    root = tmp_path_factory.mktemp("base") / "root"
    include = "ca-certificates,python3,python3-venv"
    run(debootstrap, "--variant=minbase", f"--include={include}", "bookworm", root, seconds=BUILD_SECONDS)
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as archive:
        subprocess.run([podman, "import", "-", BASE], stdin=archive.stdout, check=True, timeout=BUILD_SECONDS)
    return BASE


@pytest.fixture(scope="session")
def image(podman: str, base: str) -> str:
    build(podman, ROOT, NAME, base)
    return NAME
