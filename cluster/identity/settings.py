"""Who may call, and how that is known."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from adapters.oidc_issuer import is_trustworthy
from cluster.api_keys import parse_keys
from optionchain.access.roles import read_roles


def role_names_of(text: str) -> dict[str, str]:
    """What the values of a claim mean: ``quants=researcher,desk=trader``.

    Raises:
        ValueError: An entry is not of that form, or a role is unknown.
    """
    names = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        value, _, role = entry.rpartition("=")
        if not value:
            raise ValueError("each entry must be value=role")
        [names[value]] = read_roles([role])
    return names


class AuthSettings(BaseModel):
    """Who may call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(
        True, description="Require an API key on every route but /health, /ready and the docs"
    )
    keys: SecretStr = Field(
        SecretStr(""),
        description="`owner=key` or `owner:role+role=key`, separated by commas; empty makes a key of an "
        "administrator at first start",
    )
    max_keys: int = Field(
        10_000, ge=1, le=100_000, description="Managed keys that may work at a time; each process holds them"
    )
    poll_seconds: float = Field(
        5.0, gt=0, le=300, description="Rhythm in which they are read again, beside the notices of changes"
    )
    used_seconds: float = Field(60.0, gt=0, description="Rhythm in which their last use is written")
    unheard: Literal["serve", "refuse"] = Field(
        "serve",
        description="Managed keys while neither Redis nor MongoDB can tell of revocations: `serve` goes by what was "
        "last known, `refuse` answers 503 after a while; /ready tells either way",
    )
    unheard_seconds: float = Field(60.0, ge=1, description="Until `refuse` does so")
    code_seconds: float = Field(
        600.0, ge=1, le=86_400, description="How long a code works that signs a browser in once"
    )

    free_failures: int = Field(
        20,
        ge=0,
        description="Failed sign-ins of an address that each replica answers at once; further ones begin pauses, which "
        "double",
    )
    longest_pause_seconds: float = Field(300.0, ge=0, description="Bound of such a pause; 0: there are none")
    forget_failures_seconds: float = Field(
        900.0, gt=0, description="Without a failure for so long, an address is as it was"
    )

    oidc_issuer: str = Field(
        "", description="Accept the tokens of this issuer (OpenID Connect, JWT), as they name it; empty: none"
    )
    oidc_audience: str = Field("", description="What its tokens must name as their audience")
    oidc_client_id: str = Field(
        "",
        description="What the page in the browser is called at the issuer, a public client; empty: it takes keys only",
    )
    oidc_tenant_claim: str = Field(
        "tenant", min_length=1, description="The claim of the tenant, or the path to it: `org.name`"
    )
    oidc_roles_claim: str = Field(
        "roles", min_length=1, description="The claim of the roles, or the path to it: `realm_access.roles`"
    )
    oidc_roles: str = Field(
        "", description="What its values mean: `quants=researcher,desk=trader`; empty: they are roles"
    )
    oidc_leeway_seconds: float = Field(
        30.0, ge=0, le=300, description="How far the clocks of issuer and service may be apart"
    )
    oidc_refresh_seconds: float = Field(
        300.0, ge=1, description="Rhythm in which the issuer's keys are fetched, beside the requests"
    )
    oidc_refetch_seconds: float = Field(
        10.0, ge=0.1, description="Between two attempts to fetch them for a token whose key is not known"
    )
    oidc_max_tokens: int = Field(
        10_000, ge=1, description="Verified tokens that one replica remembers until they expire"
    )
    max_denials: int = Field(10_000, ge=1, le=100_000, description="Tokens and subjects that may be denied")

    @property
    def role_names(self) -> dict[str, str]:
        """The role of each value of the claim; empty where the values are roles."""
        return role_names_of(self.oidc_roles)

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_can_be_trusted(cls, issuer: str) -> str:
        if issuer and not is_trustworthy(issuer):
            raise ValueError("must begin with https://, or be on this machine")
        return issuer

    @field_validator("oidc_roles")
    @classmethod
    def _roles_are_known(cls, text: str) -> str:
        role_names_of(text)
        return text

    @model_validator(mode="after")
    def _tokens_are_for_us(self) -> AuthSettings:
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError(
                "OCS_AUTH_OIDC_ISSUER needs OCS_AUTH_OIDC_AUDIENCE: whom its tokens are made for"
            )
        return self

    @field_validator("keys")
    @classmethod
    def _keys_are_readable(cls, keys: SecretStr) -> SecretStr:
        parse_keys(keys.get_secret_value())
        return keys
