"""`make audit` finds what it is there for, and says what it cannot look at."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from optionchain.access.api_keys import new_secret

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / ".ci" / "audit.py"


@pytest.fixture
def audit() -> ModuleType:
    for tool in ("detect_secrets", "cyclonedx"):
        pytest.importorskip(tool, reason="the tools of `make audit` are not installed")
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_keys_of_others_and_of_ours_are_found(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.py").write_text('aws = "AKIA' + "IOSFODNN7EXAMPLF" + '"\n')
    (tmp_path / "ours.md").write_text(f"curl -H 'X-API-Key: {new_secret()}'\n")
    (tmp_path / "alike.md").write_text(f"{new_secret()[:-1]}_ is no key\n")
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, timeout=20)
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    assert sorted(audit.secrets()) == ["ours.md: an API key", "theirs.py:1: AWS Access Key"]


def test_a_licence_that_binds_is_found(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Real ones: both are in the lock, as programs.
    monkeypatch.setattr(audit, "PROGRAMS", set())

    found = "\n".join(audit.licences())

    assert "secantusdb: GPL-2.0" in found
    assert "numpy" not in found


def test_the_bill_of_materials_has_every_locked_package(audit: ModuleType) -> None:
    assert audit.bill_of_materials() == []

    listed = {each["name"] for each in json.loads(audit.SBOM.read_text())["components"]}
    assert listed == set(re.findall(r"^([\w.-]+)==", audit.LOCK.read_text(), re.MULTILINE))


def test_a_vulnerability_is_found_and_no_data_is_said(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(stdout: str) -> None:
        run = subprocess.CompletedProcess[str]([], 0, stdout, "no route to host")
        monkeypatch.setattr(audit, "_run", lambda *_: run)

    bad = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    answered(json.dumps({"dependencies": [bad, {"name": "b", "skip_reason": "not found"}]}))
    assert audit.vulnerabilities() == ["a 1: PYSEC-1, mended in 2"]

    for nothing in ("", json.dumps({"dependencies": [{"name": "b", "skip_reason": "not found"}]})):
        answered(nothing)
        with pytest.raises(audit.NotLooked, match="no data about vulnerabilities"):
            audit.vulnerabilities()


def test_a_tool_that_is_missing_is_said_and_fails_nothing(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "SCRIPTS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert audit.main(["vulnerabilities"]) == 0
    assert "not looked at: pip-audit is not installed" in capsys.readouterr().out
