"""All settings: the groups that their owners declare, read once from the environment (prefix `OCS_`)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from actors.settings import ConfigSettings, HistorySettings, SessionSettings, TaskSettings
from adapters.settings import (
    CacheSettings,
    EncryptionSettings,
    MongoSettings,
    RateSettings,
    RedisSettings,
    TelemetrySettings,
)
from cluster.audit.settings import AuditSettings
from cluster.backup.settings import BackupSettings
from cluster.http_settings import HttpSettings
from cluster.identity.settings import AuthSettings
from cluster.quotas.settings import QuotaSettings
from cluster.ray_settings import RaySettings
from cluster.settings_aliases import ALIASES, name_in_use, of_aliases
from cluster.settings_files import UnreadableFile, setting_of, with_files
from cluster.sweeps.settings import SweepSettings
from optionchain.expirations.listed import MAX_EXPIRATIONS_PER_RULE
from optionchain.expirations.schedule import MAX_EXPIRATIONS, MAX_RULES


class LimitsSettings(BaseModel):
    """What one simulation may ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: int = Field(MAX_RULES, ge=1, le=MAX_RULES, description="Rules of a schedule")
    expirations_per_rule: int = Field(
        MAX_EXPIRATIONS_PER_RULE,
        ge=1,
        le=MAX_EXPIRATIONS_PER_RULE,
        description="Expirations that one rule keeps alive",
    )
    expirations: int = Field(
        MAX_EXPIRATIONS, ge=1, le=MAX_EXPIRATIONS, description="Expirations that all rules keep alive"
    )
    contracts: int = Field(
        200_000, ge=1, description="Strikes of one snapshot, over all expirations; then 400"
    )


class DataSettings(BaseModel):
    """Where a local instance keeps what it must not forget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(Path(".optionchain"), description="Data, key, logs and state of the local instance")
    observed: bool = Field(
        False,
        description="Start Prometheus, Alertmanager, Jaeger, Grafana... too, where they are installed: `up --observe`",
    )
    supervised: bool = Field(
        True, description="Start again what dies of the local instance: its servers, Ray, the service"
    )


class Settings(BaseSettings):
    """Everything that can be set. A group's field `x` of group `g` is the variable `OCS_G_X`."""

    model_config = SettingsConfigDict(
        env_prefix="OCS_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,  # as Compose sets what nobody has set
        frozen=True,
        extra="forbid",
    )

    http: HttpSettings = HttpSettings()
    limits: LimitsSettings = LimitsSettings()
    auth: AuthSettings = AuthSettings()
    audit: AuditSettings = AuditSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    rate: RateSettings = RateSettings()
    quota: QuotaSettings = QuotaSettings()
    session: SessionSettings = SessionSettings()
    redis: RedisSettings = RedisSettings()
    mongo: MongoSettings = MongoSettings()
    cache: CacheSettings = CacheSettings()
    history: HistorySettings = HistorySettings()
    config: ConfigSettings = ConfigSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    sweep: SweepSettings = SweepSettings()
    backup: BackupSettings = BackupSettings()
    task: TaskSettings = TaskSettings()
    ray: RaySettings = RaySettings()
    data: DataSettings = DataSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[Any, ...]:
        """What is given wins over the environment and the files that it names, and these over the aliases in it."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = with_files(env_settings.env_vars, _names())
        return init_settings, env_settings, of_aliases

    @property
    def cache_server(self) -> RedisSettings:
        """Where the cache is: in a server of its own, else where the sessions are."""
        if self.cache.redis_url is None:
            return self.redis
        return self.with_changes({"redis": {"url": self.cache.redis_url, "mode": "standalone"}}).redis

    def with_changes(self, changes: Mapping[str, Mapping[str, Any]]) -> Settings:
        """The settings with other values, which are checked as those of the environment are.

        Args:
            changes: New values by group and field: ``{"http": {"port": 7}}``.

        Raises:
            BadSettings: With one line for each value that is wrong, which names its variable.
        """
        groups: dict[str, BaseModel] = {name: getattr(self, name) for name in type(self).model_fields}
        problems = [_unknown(variable_name(name)) for name in changes if name not in groups]
        for name, change in changes.items():
            try:
                if name in groups and change:
                    groups[name] = type(groups[name]).model_validate(dict(iter(groups[name])) | dict(change))
            except ValidationError as error:
                problems += [_problem(problem, name) for problem in error.errors()]
        if problems:
            raise BadSettings("\n".join(problems))
        # Whole, and each of them checked: the environment is not read again.
        return self.model_copy(update=groups)


class BadSettings(Exception):
    """A variable of the environment is wrong; the message names it."""


def load_settings(**overrides: Any) -> Settings:
    """Read the environment.

    Args:
        overrides: Groups that win over the environment.

    Raises:
        BadSettings: With one line for each variable that is wrong.
    """
    problems = [_unknown(name) for name in _unknown_variables(os.environ)]
    try:
        settings = Settings(**overrides)
    except UnreadableFile as problem:
        raise BadSettings("\n".join([str(problem), *problems])) from problem
    except ValidationError as error:
        # A misspelt field of a known group is in `problems` already, with what was meant.
        wrong = [_problem(problem) for problem in error.errors() if problem["type"] != "extra_forbidden"]
        raise BadSettings("\n".join([*wrong, *problems])) from error
    if problems:
        raise BadSettings("\n".join(problems))
    return settings


def fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting: its environment variable and its declaration, group by group."""
    for group, declaration in Settings.model_fields.items():
        for name, field in type(declaration.default).model_fields.items():
            yield variable_name(group, name), field


def _names() -> set[str]:
    return {name for name, _ in fields()}


def variable_name(*path: str | int) -> str:
    """The environment variable of a setting: ``("http", "port")`` is ``OCS_HTTP_PORT``."""
    return "_".join(["OCS", *(str(part).upper() for part in path)])


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    names = _names()
    known = names | ALIASES.keys()
    return sorted(
        name
        for name in environment
        if name.upper().startswith("OCS_") and name.upper() not in known and not setting_of(name, names)
    )


def _unknown(name: str) -> str:
    meant = difflib.get_close_matches(name.upper(), [known for known, _ in fields()], n=1, cutoff=0.75)
    hint = f": did you mean {meant[0]}?" if meant else ": `optionchain settings` lists them"
    return f"{name}: is not a setting{hint}"


def _problem(problem: Any, *group: str) -> str:
    path = [*group, *map(str, problem["loc"])]
    name = name_in_use(path[0], path[-1], variable_name(*path))
    if problem["type"] == "extra_forbidden":
        return _unknown(name)
    message = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}"
