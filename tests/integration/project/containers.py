"""Images and containers for tests, by podman, which needs neither a daemon nor a network of its own.

Podman is in Debian (`apt-get install podman runc debootstrap`). The base of what is built is BASE of the environment,
else one that debootstrap makes.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAME = "localhost/optionchain-simulator:test"
BASE = "localhost/optionchain-base:test"
BUILD_SECONDS, KIT_SECONDS = 1_800.0, 600.0
BOUNDS = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


def _limits() -> Iterator[str]:
    """No more than this process may have itself, nor processes than there are numbers for."""
    numbers = int(Path("/proc/sys/kernel/pid_max").read_text()) if sys.platform == "linux" else None
    for name, of in BOUNDS.items():
        soft, hard = resource.getrlimit(of)
        if hard != resource.RLIM_INFINITY:
            most = numbers if name == "nproc" and numbers else hard
            yield f"{name}={min(soft, most)}:{min(hard, most)}"


ULIMITS = list(_limits())


def run(
    *command: object, seconds: float = 100.0, check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert not check or done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done


def find_podman() -> str:
    found = shutil.which("podman")
    if found is None:
        pytest.skip("there is no container engine: podman is not installed")
    return found


def engine(podman: str) -> list[str]:
    """The engine as it works without systemd too, and with control groups of either version."""
    runtime = ["--runtime=runc"] if shutil.which("runc") else []
    return [
        podman,
        *runtime,
        *([] if Path("/run/systemd/system").exists() else ["--cgroup-manager=cgroupfs"]),
    ]


def build(podman: str, folder: Path, name: str, base: str) -> None:
    """Build an image of a folder with a Dockerfile, by this machine's network and its certificates."""
    given = [f"--env={each}" for each in ("PIP_INDEX_URL", "PIP_FIND_LINKS") if each in os.environ]
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    mounts = [f"--volume={certificates}:{certificates}:ro", f"--env=PIP_CERT={certificates}"]
    # The other format has no health check.
    network = ["--format=docker", "--network=host", "--isolation=chroot"]
    arguments = [*network, *given, *(mounts if certificates.exists() else []), f"--build-arg=BASE={base}"]
    run(podman, "build", *arguments, "--tag", name, folder, seconds=BUILD_SECONDS)


def conformance(process: int, base_url: str, key: str) -> str:
    """The closing line of the kit, which runs in the network of this process, where the service is."""
    inside = ["nsenter", "--net", "--target", process]
    kit = [sys.executable, "-m", "pytest", "-q", ROOT / "tests" / "conformance", "-p", "no:cacheprovider"]
    done = run(*inside, *kit, "--base-url", base_url, "--api-key", key, seconds=KIT_SECONDS)
    return done.stdout.strip().rpartition("\n")[2]
