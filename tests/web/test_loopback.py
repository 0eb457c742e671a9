"""Which requests come from a page of this server, opened on this machine."""

import pytest

from graphql_api.web.loopback import is_own_page

LOCAL = "127.0.0.1"
HOST = "127.0.0.1:8000"
OWN = "same-origin"


def asked(peer: str | None, host: str, site: str | None, **forwarded: str) -> bool:
    headers = {"host": host, **({} if site is None else {"sec-fetch-site": site}), **forwarded}
    scope = {"client": None if peer is None else (peer, 40_000)}
    return is_own_page(
        scope, {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    )


@pytest.mark.parametrize("peer", [LOCAL, "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", [HOST, "localhost:8000", "[::1]:8000", "localhost"])
def test_a_page_of_this_server_on_this_machine(peer: str, host: str) -> None:
    assert asked(peer, host, OWN)


@pytest.mark.parametrize("site", [None, "none", "same-site", "cross-site", "same-origin, none"])
def test_no_page_of_another_site_or_port_and_no_program(site: str | None) -> None:
    assert not asked(LOCAL, HOST, site)


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:8000",
        "127.0.0.1.example",
        "localhost.example",
        "192.168.1.10:8000",
        "0.0.0.0",
        "",
        "[",
        "::1",
    ],
)
def test_no_page_that_was_opened_by_another_name(host: str) -> None:
    assert not asked(LOCAL, host, OWN)


@pytest.mark.parametrize("peer", [None, "192.168.1.20", "172.17.0.1", "::ffff:10.0.0.1", "unix"])
def test_no_other_machine(peer: str | None) -> None:
    assert not asked(peer, HOST, OWN)


@pytest.mark.parametrize("header", ["x_forwarded_for", "x_forwarded_host", "x_real_ip", "forwarded", "via"])
def test_nobody_behind_a_proxy(header: str) -> None:
    assert not asked(LOCAL, HOST, OWN, **{header: LOCAL})
