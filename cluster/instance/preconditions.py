"""What must hold before an instance is started: ports that are free, and servers and certificates that can be used."""

from __future__ import annotations

from pathlib import Path

from cluster.instance.ports import obstacle
from cluster.instance.problem import InstanceProblem
from cluster.settings import Settings


def check_start(settings: Settings) -> None:
    """Refuse a start that cannot succeed, before anything runs.

    Raises:
        InstanceProblem: What is in the way, and which setting to correct.
    """
    http = settings.http
    if problem := obstacle(http.ipv4_host, http.port) or obstacle(http.host, http.port):
        raise InstanceProblem(problem)
    if http.certificate:
        _check_https(settings, http.certificate)
    _check_company(settings)
    _check_given_servers(settings)


def _check_https(settings: Settings, certificate: Path) -> None:
    http = settings.http
    if problem := obstacle(http.host, http.tls_port, "OCS_HTTP_TLS_PORT"):
        raise InstanceProblem(problem)
    from adapters.certificates import unusable_because  # noqa: PLC0415  it needs a reader of certificates

    if reason := unusable_because(certificate, http.certificate_key):
        raise InstanceProblem(f"OCS_HTTP_CERTIFICATE: {reason}")


def _check_company(settings: Settings) -> None:
    """What a head that others join must have."""
    ray = settings.ray
    if ray.listen is None:
        return
    if problem := obstacle(ray.listen, ray.port):
        raise InstanceProblem(problem)
    if settings.redis.url is None or settings.mongo.uri is None:
        raise InstanceProblem(
            "Other nodes cannot reach private servers: set OCS_REDIS_URL and OCS_MONGO_URI to some that they can."
        )


def _check_given_servers(settings: Settings) -> None:
    if settings.redis.url is None and settings.mongo.uri is None and settings.ray.redis_url is None:
        return
    from cluster.instance.given_servers import silent_servers  # noqa: PLC0415  it needs the drivers

    silent = silent_servers(settings)
    if silent:
        raise InstanceProblem("\n".join(silent))
