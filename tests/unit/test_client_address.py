"""The address of a client is that of its connection, unless a proxy of ours tells of another."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from starlette.datastructures import Headers

from cluster.http_settings import networks_of
from serve_app.edge.client_address import Proxies

SECRET = "known-to-haproxy-alone"
OURS = Proxies(networks_of("10.0.0.0/8, 192.0.2.1,2001:db8:1::/48"), SECRET)


def client_of(peer: str, *headers: tuple[str, str], proxies: Proxies = OURS) -> str:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope: dict[str, Any] = {"client": (peer, 1234), "headers": raw}
    return str(proxies.client_of(scope, Headers(raw=raw)))


def forwarded(*addresses: str) -> tuple[str, str]:
    return "X-Forwarded-For", ", ".join(addresses)


def test_what_a_stranger_says_of_itself_does_not_count() -> None:
    for peer in ("203.0.113.9", "127.0.0.1", "::1"):
        assert client_of(peer, forwarded("198.51.100.1")) == peer
        assert client_of(peer, forwarded("198.51.100.1"), ("X-Proxy-Proof", "guess\xe9")) == peer


def test_a_proxy_of_ours_tells_of_its_client() -> None:
    assert client_of("10.1.2.3", forwarded("198.51.100.1")) == "198.51.100.1"
    assert client_of("2001:db8:1::7", forwarded("2001:db8:2::1")) == "2001:db8:2::1"


def test_haproxy_is_known_by_its_secret() -> None:
    assert client_of("127.0.0.1", forwarded("198.51.100.1"), ("X-Proxy-Proof", SECRET)) == "198.51.100.1"


def test_of_many_the_last_that_is_no_proxy_of_ours_counts() -> None:
    chain = forwarded("1.1.1.1", "198.51.100.1", "10.9.9.9", "192.0.2.1")

    assert client_of("10.1.2.3", chain) == "198.51.100.1"
    assert (
        client_of("10.1.2.3", forwarded("1.1.1.1"), forwarded("198.51.100.1", "10.9.9.9")) == "198.51.100.1"
    )


def test_a_proxy_that_tells_nothing_is_itself_the_client() -> None:
    assert client_of("10.1.2.3") == "10.1.2.3"
    assert client_of("10.1.2.3", forwarded("10.4.5.6")) == "10.4.5.6"


@pytest.mark.parametrize("told", ["", "unknown", "198.51.100.1:443", "\xe9", "[::1]"])
def test_what_is_no_address_ends_the_search(told: str) -> None:
    assert client_of("10.1.2.3", forwarded("198.51.100.7", told, "10.4.5.6")) == "10.4.5.6"


def test_an_address_of_ipv4_is_the_same_in_both_spellings() -> None:
    assert client_of("::ffff:10.1.2.3", forwarded("::ffff:198.51.100.1")) == "198.51.100.1"


def test_without_a_secret_none_is_believed() -> None:
    headers = forwarded("198.51.100.1"), ("X-Proxy-Proof", "")

    assert client_of("127.0.0.1", *headers, proxies=Proxies()) == "127.0.0.1"


def test_a_connection_without_an_address_has_none() -> None:
    assert OURS.client_of({"client": None, "headers": []}, Headers(raw=[])) is None


def test_a_setting_that_lists_no_networks_is_refused() -> None:
    assert networks_of("") == []
    assert networks_of("::1") == [ipaddress.ip_network("::1/128")]
    with pytest.raises(ValueError, match="not appear to be"):
        networks_of("10.0.0.0/8,proxy.example")
