"""What a replica sees of its callers that somebody should look at: failed sign-ins, bursts of 404, a key everywhere.

Each replica sees its own requests, and holds no more callers than a bound: nothing of this asks a server.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from cachetools import LRUCache, TTLCache

from cluster.api_keys import EVERYBODY
from cluster.audit.settings import AuditSettings
from cluster.identity.settings import AuthSettings
from optionchain.context import HOUSEKEEPING, Principal
from optionchain.observing import Fact, Observer
from serve_app.edge.client_address import Address

MOST_CALLERS = 10_000
# What belongs to one house or one mobile provider's corner: a key that moves within it is in one place.
PLACE_PREFIX = {4: 24, 6: 48}
# An address of a key is looked at again after so long.
SEEN_SECONDS = 60.0
MOST_DOUBLINGS = 30


class SignInPauses:
    """Pauses for addresses whose sign-ins fail: each twice as long as the one before, and forgotten after a while.

    Only who fails is paused: a key that works is served from the same address, which may be that of a whole office.

    Args:
        settings: How many failures are free, and how long a pause may be.
        observer: Told of each pause (``access.paused``).
        clock: Monotonic seconds.
    """

    def __init__(
        self, settings: AuthSettings, observer: Observer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = settings.free_failures
        self._longest = settings.longest_pause_seconds
        self._observer = observer
        self._clock = clock
        forget = settings.forget_failures_seconds
        self._known: TTLCache[str, tuple[int, float]] = TTLCache(MOST_CALLERS, forget, clock)

    def failed(self, network: str) -> float:
        """Count a failed sign-in.

        Args:
            network: Of the address.

        Returns:
            How many seconds are left of its pause; 0 while it has none.
        """
        now = self._clock()
        failures, until = self._known.get(network, (0, 0.0))
        if now < until:
            return until - now
        failures += 1
        doublings = failures - self._free - 1
        pause = 0.0 if doublings < 0 else min(2.0 ** min(doublings, MOST_DOUBLINGS), self._longest)
        self._known[network] = failures, now + pause
        if pause:
            self._observer.counted("access.paused")
            self._observer.noted(
                "access.paused", HOUSEKEEPING, address=network, failures=failures, seconds=pause
            )
        return pause


class Lookout:
    """Tells of bursts of 404 of one caller, and of a key that is used from many networks.

    Args:
        settings: From how many on.
        observer: Told (``access.unusual``, ``access.many_networks``).
        clock: Monotonic seconds.
    """

    def __init__(
        self, settings: AuditSettings, observer: Observer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._clock = clock
        self._misses: LRUCache[tuple[str, str], tuple[float, int]] = LRUCache(MOST_CALLERS)
        self._seen: TTLCache[tuple[str, Address], None] = TTLCache(MOST_CALLERS, SEEN_SECONDS, clock)
        self._places: LRUCache[str, dict[str, float]] = LRUCache(MOST_CALLERS)

    def missed(self, principal: Principal, network: str) -> None:
        """A caller asked for what there is not."""
        now, caller = self._clock(), (principal.subject, network)
        began, times = self._misses.get(caller, (now, 0))
        if now - began >= self._settings.gather_seconds:
            began, times = now, 0
        times += 1
        self._misses[caller] = began, times
        if times == self._settings.unusual_times:
            self._tell("access.unusual", principal, address=network, status=404, times=times)
            self._observer.counted("access.unusual", status="404")

    def served(self, principal: Principal, address: Address | None) -> None:
        """A key was used from an address."""
        if address is None or principal is EVERYBODY or (principal.subject, address) in self._seen:
            return
        self._seen[principal.subject, address] = None
        now, since = self._clock(), self._clock() - self._settings.networks_seconds
        places = {at: seen for at, seen in self._places.get(principal.subject, {}).items() if seen >= since}
        is_new = (place := _place(address)) not in places
        places[place] = now
        self._places[principal.subject] = places
        if is_new and len(places) == self._settings.many_networks:
            self._tell("access.many_networks", principal, networks=",".join(sorted(places)))
            self._observer.counted("access.many_networks")

    def _tell(self, event: str, principal: Principal, **facts: Fact) -> None:
        self._observer.noted(event, HOUSEKEEPING, tenant=principal.tenant, subject=principal.subject, **facts)


def _place(address: Address) -> str:
    return str(ipaddress.ip_network((address.packed, PLACE_PREFIX[address.version]), strict=False))
