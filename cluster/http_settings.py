"""How the HTTP service listens, and what it accepts."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from cluster.scale import Scale, parse_scale


def networks_of(text: str) -> list[IPv4Network | IPv6Network]:
    """The networks that a setting lists; an address is a network of one.

    Raises:
        ValueError: One is none.
    """
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def links_of(text: str) -> dict[str, str]:
    """The addresses that a setting lists, by their names.

    Raises:
        ValueError: One has no name, or is none of the web's.
    """
    links = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, address = entry.partition("=")
        if not name or not address.startswith(("https://", "http://")):
            raise ValueError("each entry must be name=https://...")
        links[name] = address
    return links


class HttpSettings(BaseModel):
    """How the HTTP service listens, and what it accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on; `0.0.0.0` for every interface, `::` for those of IPv6 too",
    )
    port: int = Field(7070, ge=1, le=65_535, description="Port to listen on")
    replicas: str = Field(
        "1",
        description="Serve replicas; `2:8` has from 2 to 8 of them, as the load asks for; `up` starts one for each two "
        "cores where this is not set",
    )
    target_requests: float = Field(
        20.0,
        gt=0,
        description="Requests, and open streams, that one of `2:8` is to have under way, on average",
    )
    scale_out_seconds: float = Field(
        10.0, gt=0, description="How long there were more before another replica is started"
    )
    scale_in_seconds: float = Field(
        300.0, gt=0, description="How long there were fewer before one is taken away"
    )
    max_ongoing_requests: int = Field(500, ge=1, description="Requests that one replica serves at a time")
    max_queued_requests: int = Field(
        1000, ge=1, description="Requests that may wait at one replica; then 503"
    )
    max_body_bytes: int = Field(4 << 20, ge=1024, description="Bound of a request body; then 413")
    max_file_bytes: int = Field(256 << 20, ge=1024, description="Bound of a file that is imported; then 413")
    file_seconds: float = Field(600.0, gt=0, description="Patience with the whole of it; then 408")
    links: str = Field(
        "",
        description="What the page links to beside itself, as `Grafana=https://...,Jaeger=https://...`",
    )
    idempotency_seconds: float = Field(
        86_400.0, ge=1, description="How long the first answer to an Idempotency-Key is kept"
    )
    idempotency_max_bytes: int = Field(
        65_536,
        ge=1024,
        description="Bound of a kept answer, compressed; a longer one is made again from the session",
    )
    idempotency_megabytes: int = Field(
        512,
        ge=1,
        description="Bound of all that one replica keeps in Redis; what comes then is made again too",
    )
    export_threads: int = Field(
        2, ge=1, le=64, description="Threads of one replica that compute exports and streams"
    )
    max_streams: int = Field(
        32,
        ge=1,
        description="Exports and streams that one replica sends at a time; an owner gets one more only while more "
        "are free than it has, else 503",
    )
    stall_seconds: float = Field(
        30.0, gt=0, description="A reader who takes no more of an export or stream for so long loses it"
    )
    max_export_rows: int = Field(50_000_000, ge=1, description="Bound of the rows of one export; then 400")
    heartbeat_seconds: float = Field(15.0, gt=0, description="Rhythm of comments on a stream that waits")
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks (`10.0.0.0/8`) of the proxies in front, separated by commas, whose "
        "`X-Forwarded-For` counts",
    )
    allowed_networks: str = Field(
        "", description="Addresses or networks from which alone one may call, separated by commas; empty: any"
    )
    denied_networks: str = Field("", description="Those from which one may not, though they are allowed")
    proxy_proof: SecretStr = Field(
        SecretStr(""),
        description="What the HAProxy in front says in `X-Proxy-Proof`, so that it is believed; a local instance makes "
        "one",
    )
    certificate: Path | None = Field(
        None,
        description="PEM file of a certificate chain: HTTPS is served at OCS_HTTP_TLS_PORT then, and OCS_HTTP_PORT is "
        "for this machine alone; what is renewed is shown within ten seconds",
    )
    certificate_key: Path | None = Field(
        None, description="PEM file of its private key, where the other has none"
    )
    tls_port: int = Field(7443, ge=1, le=65_535, description="Port of HTTPS")
    hsts_seconds: int = Field(
        31_536_000, ge=0, description="How long browsers are to ask for HTTPS alone; 0: do not tell them"
    )
    max_connections: int = Field(4096, ge=16, description="Connections that HAProxy has at a time")
    max_address_connections: int = Field(
        512,
        ge=1,
        description="Of these, of one address (of IPv6, of one /64), or, behind proxies in front, requests at a time",
    )
    head_seconds: float = Field(
        10.0, ge=1, description="HAProxy's patience with the head of a request, and its first 16 kB; then 408"
    )
    body_seconds: float = Field(60.0, gt=0, description="Patience with the body of a request; then 408")
    strict: bool = Field(False, description="Refuse unknown fields of v1 with 400 instead of a warning")
    haproxy: bool = Field(True, description="Serve through HAProxy where its wheel exists (Linux)")

    @property
    def plain_host(self) -> str:
        """Where the service is reached from this machine without TLS."""
        return "127.0.0.1" if self.certificate or self.ipv4_host == "0.0.0.0" else self.ipv4_host  # noqa: S104

    @property
    def https_url(self) -> str:
        """Where it serves HTTPS; empty where there is no certificate."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.tls_port}" if self.certificate else ""

    @property
    def ipv4_host(self) -> str:
        """Where Ray listens, which knows IPv4 alone; HAProxy listens at an address of IPv6 as well."""
        if ":" not in self.host:
            return self.host
        return "0.0.0.0" if self.host == "::" else "127.0.0.1"  # noqa: S104

    @property
    def scale(self) -> Scale:
        """How many replicas there are."""
        return parse_scale(self.replicas)

    @property
    def named_links(self) -> dict[str, str]:
        """The addresses by their names."""
        return links_of(self.links)

    @field_validator("replicas", mode="before")
    @classmethod
    def _replicas_are_a_scale(cls, replicas: object) -> str:
        parse_scale(str(replicas))
        return str(replicas)

    @field_validator("links")
    @classmethod
    def _they_are_links(cls, text: str) -> str:
        links_of(text)
        return text

    @field_validator("trusted_proxies", "allowed_networks", "denied_networks")
    @classmethod
    def _they_are_networks(cls, text: str) -> str:
        networks_of(text)
        return text
