"""Whose address a request came from: that of its connection, or what proxies of ours tell of it.

A proxy of ours is known by its address, which is in the settings, or, the HAProxy of this instance, by a secret: on
loopback, an address proves nothing.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from serve_app.edge.errors import Forbidden

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
PROOF = "x-proxy-proof"
# To read one takes a good part of what a request takes at the edge, and callers come again.
MOST_ADDRESSES, LONGEST_ADDRESS = 4096, 64


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
        return _is_in(address, self._networks)

    def _is_proven(self, headers: Headers) -> bool:
        told = headers.get(PROOF, "").encode("latin-1")
        return bool(self._proof) and hmac.compare_digest(told, self._proof)


class Networks:
    """From where one may call.

    Args:
        allowed: From nowhere else; empty for everywhere.
        denied: From nowhere there, though it is allowed.
    """

    def __init__(self, allowed: Sequence[Network] = (), denied: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._denied = tuple(denied)
        self._may_call = lru_cache(MOST_ADDRESSES)(self._is_allowed)
        self.are_limited = bool(allowed or denied)

    def check(self, address: Address | None) -> None:
        """Refuse an address from which one may not call; one that is not known is in no network.

        Raises:
            Forbidden: It may not.
        """
        if not self._may_call(address):
            raise Forbidden("calls from this address are not accepted")

    def _is_allowed(self, address: Address | None) -> bool:
        is_allowed = not self._allowed or _is_in(address, self._allowed)
        return is_allowed and not _is_in(address, self._denied)


def _is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


@lru_cache(MOST_ADDRESSES)
def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _address(text: str) -> Address | None:
    return _read(text) if len(text) <= LONGEST_ADDRESS else None
