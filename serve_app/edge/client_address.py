"""Whose address a request came from: that of its connection, or what proxies of ours tell of it.

A proxy of ours is known by its address, which is in the settings, or, the HAProxy of this instance, by a secret: on
loopback, an address proves nothing.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
PROOF = "x-proxy-proof"


class Proxies:
    """The proxies whose `X-Forwarded-For` counts.

    Args:
        networks: Where they are.
        proof: What the one of this instance says in `X-Proxy-Proof`; empty where there is none.
    """

    def __init__(self, networks: Sequence[Network] = (), proof: str = "") -> None:
        self._networks = tuple(networks)
        self._proof = proof.encode()

    def client_of(self, scope: Scope, headers: Headers) -> Address | None:
        """The address of a client: the last one that is no proxy of ours. None where the connection has none."""
        peer = scope.get("client")
        address = _address(peer[0]) if peer else None
        if not self._is_ours(address) and not self._is_proven(headers):
            return address
        told = [part for line in headers.getlist("x-forwarded-for") for part in line.split(",")]
        for each in reversed(told):
            found = _address(each.strip())
            if found is None:
                break  # whoever wrote that is the last that is known
            address = found
            if not self._is_ours(address):
                break
        return address

    def _is_ours(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)

    def _is_proven(self, headers: Headers) -> bool:
        told = headers.get(PROOF, "").encode("latin-1")
        return bool(self._proof) and hmac.compare_digest(told, self._proof)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
