"""A setting may be in a file, as secrets are mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.settings import BadSettings, load_settings


def test_a_variable_names_the_file_of_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("redis://:a secret@redis/0\n")
    monkeypatch.setenv("OCS_REDIS_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("ocs_http_port_file", "")

    settings = load_settings()

    assert settings.redis.url is not None
    assert settings.redis.url.get_secret_value() == "redis://:a secret@redis/0"
    assert settings.http.port == 7070


def test_what_is_set_itself_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "port").write_text("7001")
    monkeypatch.setenv("OCS_HTTP_PORT_FILE", str(tmp_path / "port"))
    monkeypatch.setenv("OCS_HTTP_PORT", "7002")

    assert load_settings().http.port == 7002


def test_a_wrong_value_in_a_file_is_refused_by_the_name_of_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "port").write_text("many")
    monkeypatch.setenv("OCS_HTTP_PORT_FILE", str(tmp_path / "port"))

    with pytest.raises(BadSettings, match=r"^OCS_HTTP_PORT: "):
        load_settings()


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff\xfe", "is not text")])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("OCS_AUTH_KEYS_FILE", str(tmp_path / "key"))

    with pytest.raises(BadSettings, match=f"OCS_AUTH_KEYS_FILE: .*{reason}"):
        load_settings()


def test_the_file_of_what_is_no_setting_is_no_setting_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_PROT_FILE", "/nowhere")

    with pytest.raises(BadSettings, match="OCS_HTTP_PROT_FILE: is not a setting"):
        load_settings()
