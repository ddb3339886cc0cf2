"""No secret of the settings reaches a log, whoever quotes it and however."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from pydantic import BaseModel, SecretStr

from adapters.telemetry.redaction import STARS, Redaction
from adapters.telemetry.severity import Severity
from adapters.telemetry.structured_log import StructuredLog
from cluster.secrets import secrets_of
from cluster.settings import Settings
from optionchain.access.api_keys import new_secret
from optionchain.observing import observed, tell_failure

KEYS = "anna:admin=key-of-anna-0123456789,ben=key-of-ben-0123456789"
GIVEN = {
    "auth": {"keys": KEYS},
    "audit": {"key": "sealing=wax=0123"},
    "encryption": {
        "key": "b25lLWtleS1vZi1vbmUta2V5LW9mLW9uZS1rZXktMDE=,dHdvLWtleS1vZi10d28ta2V5LW9mLXR3by1rZXktMDI="
    },
    "http": {"proxy_proof": "proof-of-the-proxy"},
    "redis": {
        "url": "rediss://user:red%21s-word@redis.example:6379/0",
        "sentinel_password": "sentinel-word",
    },
    "cache": {"redis_url": "redis://:cache-word@cache.example/0"},
    "mongo": {"uri": "mongodb://user:mongo-word@mongo.example/?authSource=admin"},
    "ray": {"token": "token-of-the-cluster", "redis_url": "redis://:head-word@ray.example:6379"},
    "telemetry": {"webhook": "https://pager.example/hook-word"},
}
# What each of them must not tell.
HIDDEN = {
    "auth.keys": [KEYS, "key-of-anna-0123456789", "key-of-ben-0123456789"],
    "audit.key": ["sealing=wax=0123"],
    "encryption.key": GIVEN["encryption"]["key"].split(","),
    "redis.url": [GIVEN["redis"]["url"], "red%21s-word", "red!s-word"],
    "cache.redis_url": ["redis://:cache-word@cache.example/0", "cache-word"],
    "http.proxy_proof": ["proof-of-the-proxy"],
    "redis.sentinel_password": ["sentinel-word"],
    "mongo.uri": [GIVEN["mongo"]["uri"], "mongo-word"],
    "ray.token": ["token-of-the-cluster"],
    "ray.redis_url": ["redis://:head-word@ray.example:6379", "head-word"],
    "telemetry.webhook": [GIVEN["telemetry"]["webhook"]],
}


def secret_fields(model: BaseModel, place: str = "") -> set[str]:
    """Where the settings have secrets: `auth.keys`."""
    found = set()
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            found |= secret_fields(value, f"{place}{name}.")
        elif SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ())):
            found.add(f"{place}{name}")
    return found


def test_every_secret_of_the_settings_is_tried_here() -> None:
    assert secret_fields(Settings()) == set(HIDDEN)


@pytest.mark.parametrize("secret", [each for hidden in HIDDEN.values() for each in hidden])
@pytest.mark.parametrize("form", ["{}", 'said "{}" to', "{}\\n", "quoted"])
def test_a_secret_that_an_error_quotes_is_not_in_its_line(secret: str, form: str) -> None:
    lines: list[str] = []
    log = StructuredLog(Severity.DEBUG, redact=Redaction(secrets_of(Settings(**GIVEN))), write=lines.append)
    said = quote(secret, safe="") if form == "quoted" else form.format(secret)

    tell_failure(log, "work", OSError(said), note=said)
    with observed(log, "work", note=said):
        pass
    log.noted("work", note=said)

    assert len(lines) == 3
    assert all(secret not in line and quote(secret, safe="") not in line for line in lines)
    assert all(STARS in line for line in lines)


def test_credentials_of_an_address_that_no_setting_has_are_taken_out() -> None:
    redacted = Redaction()('{"message":"cannot reach redis://other:pass-word@h:1/0 nor http://h/a?b=c@d"}')

    assert "pass-word" not in redacted
    assert "redis://***@h:1/0" in redacted
    assert "http://h/a?b=c@d" in redacted


def test_a_key_that_was_made_while_the_service_ran_is_taken_out() -> None:
    secret = new_secret()

    redacted = Redaction()(f'{{"message":"{secret} is not known","of":"ocs_settings"}}')

    assert redacted == '{"message":"*** is not known","of":"ocs_settings"}'


def test_settings_without_secrets_have_none() -> None:
    assert secrets_of(Settings()) == ()
    assert Redaction(())('{"a":"b"}') == '{"a":"b"}'
