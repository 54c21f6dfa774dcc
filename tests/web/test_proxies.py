"""Who is asking behind proxies: the settings' proxies are believed, nobody else is."""

import pytest

from offhook.web.proxies import Proxies


def forwarded(*values):
    return [(b"host", b"x"), *((b"x-forwarded-for", value.encode()) for value in values)]


@pytest.mark.parametrize(
    ("peer", "values", "client"),
    [
        ("127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # what the client claims is not believed
        ("127.0.0.1", ["203.0.113.7, 10.1.2.3"], "203.0.113.7"),  # two trusted proxies in a row
        ("127.0.0.1", ["203.0.113.7", "10.1.2.3"], "203.0.113.7"),  # as two header lines
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7, rubbish, 10.1.2.3"], "10.1.2.3"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # not one of our proxies
        ("::ffff:127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("", ["203.0.113.7"], ""),
    ],
)
def test_client(peer, values, client):
    assert Proxies(["127.0.0.1", "10.0.0.0/8"]).client(peer, forwarded(*values)) == client


def test_without_proxies_nothing_is_believed():
    assert not Proxies()
    assert Proxies().client("127.0.0.1", forwarded("203.0.113.7")) == "127.0.0.1"


def test_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="rubbish"):
        Proxies(["rubbish"])
