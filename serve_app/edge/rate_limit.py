"""Too many requests of one caller are refused; every other answer says how many more may come."""

from __future__ import annotations

import ipaddress
import math

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from cluster.api_keys import EVERYBODY
from optionchain.context import Principal
from optionchain.errors import Unavailable
from optionchain.ports import Allowance, Allowances
from serve_app.edge.client_address import Address

# What a provider gives one customer of IPv6, at least.
CUSTOMER_PREFIX = 64


async def allowance_of(
    allowances: Allowances, address: Address | None, principal: Principal | None
) -> Allowance | None:
    """What the caller of a request may do, this request having been counted.

    Args:
        allowances: Counts requests.
        address: Where it came from.
        principal: Its caller, where there is one.

    Returns:
        None where it cannot be told. Whoever needs Redis is told so inside; what needs none is served without it.
    """
    try:
        return await allowances.take(_counted(address, principal))
    except Unavailable:
        return None


def telling(allowance: Allowance, send: Send) -> Send:
    """`send`, with what remains in the headers of the answer."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-RateLimit-Limit"] = str(allowance.limit)
            headers["X-RateLimit-Remaining"] = str(allowance.remaining)
            headers["X-RateLimit-Reset"] = str(math.ceil(allowance.whole_seconds))
        await send(message)

    return tell


def _counted(address: Address | None, principal: Principal | None) -> str:
    """Who is counted: the tenant of a key, or the address of who has none."""
    if principal is None or principal is EVERYBODY:
        return f"address:{network_of(address)}"
    return f"owner:{principal.tenant}"


def network_of(address: Address | None) -> str:
    """What of an address belongs to one customer."""
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address.packed, CUSTOMER_PREFIX), strict=False))
