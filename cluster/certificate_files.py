"""The certificates of an installation that somebody must renew: where they lie, by the line that shows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from cluster.settings import Settings

# What the address of a server calls the certificate of its client.
OF_REDIS, OF_MONGODB = "ssl_certfile", "tlsCertificateKeyFile"


def certificate_files(settings: Settings) -> Mapping[str, Path]:
    """The file of each line that has one: ``http``, ``redis``, ``mongodb``, ``ray``."""
    of_ray = os.environ.get("RAY_TLS_SERVER_CERT") if os.environ.get("RAY_USE_TLS") in ("1", "true") else None
    files = {
        "http": settings.http.certificate,
        "redis": _of_address(settings.redis.url, OF_REDIS),
        "mongodb": _of_address(settings.mongo.uri, OF_MONGODB),
        "ray": of_ray,
    }
    return {line: Path(file) for line, file in files.items() if file}


def _of_address(address: SecretStr | None, name: str) -> str | None:
    if address is None:
        return None
    return parse_qs(urlsplit(address.get_secret_value()).query).get(name, [None])[0]
