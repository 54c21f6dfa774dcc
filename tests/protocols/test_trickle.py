"""Candidates on their way: what a fragment says, what is refused, what a restart is answered with."""

from __future__ import annotations

import pytest

from offhook.foundation.errors import WireError
from offhook.protocols.trickle import Fragment, read_fragment, write_fragment

TEXT = """a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
m=audio 9 UDP/TLS/RTP/SAVPF 0
a=mid:0
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
a=end-of-candidates
"""


def test_a_browsers_fragment() -> None:
    found = read_fragment(TEXT.replace("\n", "\r\n"))
    assert (found.ufrag, found.password, found.ended) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", True)
    assert [each.split()[4] for each in found.candidates] == ["192.0.2.1"]


def test_the_answer_to_a_restart_reads_as_it_was_meant() -> None:
    ours = Fragment("name", "p" * 22, ("1 1 udp 1 127.0.0.1 9 typ host",), True)
    text = write_fragment(ours, ["audio", "data"])
    assert read_fragment(text) == ours
    assert "a=mid:audio\r\n" in text
    assert "a=mid:0\r\n" in write_fragment(Fragment("name", "p"), [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "a=mid:0",
        "a=mid:0\n" * 201,
        "a=candidate:1\n" * 33,
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        read_fragment(text)
