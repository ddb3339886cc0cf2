"""Settings from the environment: defaults, groups, and messages that name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mongo.connection import open_mongo
from cluster.settings import BadSettings, Settings, fields, load_settings
from cluster.settings_table import settings_page

ROOT = Path(__file__).resolve().parents[2]


def problem(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refusal:
        load_settings()
    return str(refusal.value)


def test_the_public_defaults() -> None:
    settings = load_settings()

    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 7070)
    assert settings.auth.enabled
    assert settings.session.placement == "shards:1"
    assert settings.session.ttl_seconds == 86_400.0
    assert settings.redis.url is None
    assert settings.redis.fsync == "always", "nothing acknowledged is ever lost"
    assert settings.mongo.uri is None
    assert settings.data.folder == Path(".optionchain")


@pytest.mark.parametrize(
    ("host", "ipv4_host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "127.0.0.1"),
        ("::", "0.0.0.0"),
        ("2001:db8::7", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_an_address_of_ipv6_goes_with_one_of_ipv4(host: str, ipv4_host: str) -> None:
    assert Settings(http={"host": host}).http.ipv4_host == ipv4_host


@pytest.mark.parametrize("name", ["OCS_TELEMETRY_ENDPOINT", "OCS_HTTP_PORT", "OCS_REDIS_URL"])
def test_a_blank_variable_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")

    assert load_settings() == Settings()


def test_a_variable_sets_the_field_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_MAX_BODY_BYTES", "2048")
    monkeypatch.setenv("ocs_session_placement", "per-session")

    settings = load_settings()

    assert settings.http.max_body_bytes == 2048
    assert settings.session.placement == "per-session"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OCS_HTTP_PORT", "70707"),
        ("OCS_HTTP_PORT", "http"),
        ("OCS_HTTP_MAX_BODY_BYTES", "1"),
        *(
            ("OCS_HTTP_REPLICAS", value)
            for value in ("0", "1001", "two", "0:2", "8:2", "2:1001", "2:", "2-8")
        ),
        ("OCS_HTTP_TARGET_REQUESTS", "0"),
        ("OCS_AUTH_ENABLED", "perhaps"),
        ("OCS_AUTH_KEYS", "alice=short"),
        ("OCS_SESSION_PLACEMENT", "shards:none"),
        ("OCS_SESSION_PORTS", "70000"),
        ("OCS_SESSION_TTL_SECONDS", "0"),
        ("OCS_REDIS_MODE", "ring"),
        ("OCS_REDIS_PREFIX", "{x}"),
        ("OCS_MONGO_READ_PREFERENCE", "closest"),
        ("OCS_RAY_CPUS", "-1"),
        ("OCS_RAY_REDIS_URL", "redis://host:6379/3"),
        ("OCS_RAY_REDIS_URL", "http://host"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_begins_with_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = problem(monkeypatch, **{name: value})

    assert message.startswith(f"{name}: ")
    assert "\n" not in message


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = problem(monkeypatch, OCS_HTTP_PORT="0", OCS_REDIS_MODE="ring", OCS_HTPP_PORT="7071")

    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "OCS_HTTP_PORT",
        "OCS_REDIS_MODE",
        "OCS_HTPP_PORT",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OCS_HTTP_PROT", "OCS_HTTP_PORT"),
        ("OCS_REDIS_URI", "OCS_REDIS_URL"),
        ("OCS_SESSIONS_PLACEMENT", "OCS_SESSION_PLACEMENT"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problem(monkeypatch, **{name: "1"}) == f"{name}: is not a setting: did you mean {meant}?"


def test_a_variable_like_no_other_is_refused_with_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "optionchain settings" in problem(monkeypatch, OCS_QUUX="1")


def test_a_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_REDIS_URL", "redis://:hunter2@example.org:6379/0")

    assert "hunter2" not in repr(load_settings())
    assert "hunter2" not in problem(monkeypatch, OCS_AUTH_KEYS="a b=hunter2hunter2hunter2")


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_PORT", "7071")

    assert load_settings(http={"port": 7072}).http.port == 7072


def test_every_setting_has_a_default_and_a_meaning() -> None:
    assert Settings()
    for name, field in fields():
        assert not field.is_required(), name
        assert field.description, name


def test_the_table_in_the_documentation_is_the_code() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert page == settings_page(), "run `optionchain settings > docs/settings.md`"


def test_the_table_has_every_setting_once() -> None:
    page = settings_page()

    assert all(page.count(f"| `{name}` |") == 1 for name, _ in fields())


def test_changes_are_checked_and_leave_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_HTTP_HOST", "0.0.0.0")
    settings = load_settings()
    monkeypatch.setenv("OCS_HTTP_HOST", "elsewhere")

    changed = settings.with_changes({"http": {"port": 7072}, "redis": {"url": "redis://:hunter2@h/0"}})

    assert (changed.http.host, changed.http.port) == ("0.0.0.0", 7072)
    assert changed.redis.url is not None
    assert changed.redis.url.get_secret_value() == "redis://:hunter2@h/0"
    assert changed.session == settings.session
    assert settings.http.port == 7070


def test_every_wrong_change_is_named_by_its_variable() -> None:
    with pytest.raises(BadSettings) as refusal:
        load_settings().with_changes(
            {"http": {"port": 0, "prot": 1}, "session": {"placement": "shards:none"}, "htpp": {"port": 7071}}
        )

    lines = str(refusal.value).splitlines()
    assert {line.partition(":")[0] for line in lines} == {
        "OCS_HTTP_PORT",
        "OCS_HTTP_PROT",
        "OCS_SESSION_PLACEMENT",
        "OCS_HTPP",
    }
    assert "OCS_HTTP_PROT: is not a setting: did you mean OCS_HTTP_PORT?" in lines


def test_every_group_can_be_changed_also_one_with_a_field_called_keys() -> None:
    for group in Settings.model_fields:
        assert getattr(Settings().with_changes({group: {}}), group) == getattr(Settings(), group)
    keyed = Settings().with_changes({"auth": {"keys": "a=0123456789abcdef"}})
    assert (
        keyed.with_changes({"auth": {"enabled": False}}).auth.keys.get_secret_value() == "a=0123456789abcdef"
    )


def test_variables_of_the_service_that_this_one_replaces_mean_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OCS_PORT": "7272", "OCS_BIND_ADDRESS": "all", "LOGLEVEL": "WARN"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OCS_HTTP_REPLICAS", "2")

    settings = load_settings()

    assert (settings.http.host, settings.http.port, settings.http.replicas) == ("0.0.0.0", 7272, "2")
    assert settings.telemetry.log_level == "warning"


def test_our_own_variables_win_over_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_PORT", "7272")
    monkeypatch.setenv("OCS_HTTP_PORT", "7373")

    assert load_settings().http.port == 7373
    assert load_settings(http={"port": 7474}).http.port == 7474


def test_a_blank_alias_and_a_log_level_of_others_set_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OCS_PORT": " ", "OCS_BIND_ADDRESS": "", "LOGLEVEL": "chatty"}.items():
        monkeypatch.setenv(name, value)

    assert load_settings() == Settings()


def test_a_wrong_alias_is_refused_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    message = problem(monkeypatch, OCS_PORT="70707")

    assert message == "OCS_PORT: input should be less than or equal to 65535"


def test_several_hosts_of_redis_are_sentinels_or_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = "redis://:secret@one.example,two.example:6380/0"

    said = problem(monkeypatch, OCS_REDIS_URL=hosts)

    assert "OCS_REDIS_MODE=sentinel" in said
    assert "secret" not in said
    monkeypatch.setenv("OCS_REDIS_MODE", "cluster")
    assert load_settings().redis.mode == "cluster"


def test_secondaries_may_be_so_far_behind() -> None:
    with pytest.raises(BadSettings, match="OCS_MONGO_MAX_STALENESS_SECONDS: must be 0, or 90 or more"):
        Settings().with_changes({"mongo": {"max_staleness_seconds": 30}})


@pytest.mark.anyio
@pytest.mark.parametrize(("preference", "staleness"), [("secondaryPreferred", 120), ("primary", -1)])
async def test_history_is_read_from_secondaries_that_are_not_too_far_behind(
    preference: str, staleness: int
) -> None:
    mongo = {"uri": "mongodb://127.0.0.1:9", "read_preference": preference, "max_staleness_seconds": 120}
    client = open_mongo(Settings().with_changes({"mongo": mongo}).mongo)

    assert client.read_preference.max_staleness == staleness
    await client.close()


def test_the_page_links_to_what_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    said = problem(monkeypatch, OCS_HTTP_LINKS="Grafana=javascript:alert(1)")

    assert "OCS_HTTP_LINKS" in said
    monkeypatch.setenv("OCS_HTTP_LINKS", "Grafana=https://watch.test/a?b=c, Jaeger=http://127.0.0.1:16686")
    assert load_settings().http.named_links == {
        "Grafana": "https://watch.test/a?b=c",
        "Jaeger": "http://127.0.0.1:16686",
    }
