"""Twilio's signatures: known vectors, the vendor's own validator, ports and slashes, and every mutation."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from offhook.protocols.signatures import Algorithm, TwilioSignatures, announced_algorithm

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("Digits", "1234"),
    ("CallSid", "CA1234567890ABCDE"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
    ("From", "+14158675309"),
]
SHA1 = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
SHA256 = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s="
WSS = "7PR3qMkpDyEJtMrVOY/LDyNq8J8="
SHA256_HEADER = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"

legacy = TwilioSignatures("12345")
modern = TwilioSignatures("12345", Algorithm.SHA256)


def test_the_known_vectors() -> None:
    assert legacy.sign(URL, FORM) == SHA1
    assert modern.sign(URL, FORM) == SHA256
    assert legacy.sign("wss://example.com/media") == WSS
    assert legacy.verify_form(URL, FORM, SHA1)
    assert modern.verify_form(URL, FORM, SHA256)
    assert modern.verify_form(URL, FORM, SHA256, SHA256_HEADER)
    assert legacy.verify_upgrade("wss://example.com/media", WSS)


@given(
    st.text("abcXYZ019-._~%", max_size=20),
    st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=5),
    st.text(min_size=1, max_size=20),
    st.sampled_from(Algorithm),
)
def test_the_vendors_own_validator_agrees(
    path: str, form: dict[str, str], secret: str, algorithm: Algorithm
) -> None:
    url = f"https://example.com/{path}"
    ours, theirs = TwilioSignatures(secret, algorithm), RequestValidator(secret)
    signature = theirs.compute_signature(url, form, algorithm)
    assert ours.sign(url, form.items()) == signature
    assert ours.verify_form(url, form.items(), signature)
    assert not ours.verify_form(url, [*form.items(), ("New", "1")], signature)


def test_a_name_that_comes_twice_counts_each_distinct_value() -> None:
    class Form(dict[str, str]):
        def getall(self, name: str) -> list[str]:
            return ["2", "1", "2"]

    signature = RequestValidator("12345").compute_signature(URL, Form(a=""))
    assert legacy.verify_form(URL, [("a", "2"), ("a", "1"), ("a", "2")], signature)


@pytest.mark.parametrize(
    ("signed", "asked", "good"),
    [
        ("https://h.example/a", "https://h.example/a", True),
        ("https://h.example:443/a", "https://h.example/a", True),
        ("https://h.example/a", "https://h.example:443/a", True),
        ("https://h.example:8443/a", "https://h.example:8443/a", True),
        ("https://h.example:8443/a", "https://h.example/a", False),
        ("http://h.example:80/a", "http://h.example/a", True),
        ("http://h.example/a", "https://h.example/a", False),
        ("https://[::1]:443/a", "https://[::1]/a", True),
        ("https://h.example/a/", "https://h.example/a", False),
        ("https://h.example/a?", "https://h.example/a?", True),
        ("other://h.example/a", "other://h.example/a", True),
    ],
)
def test_the_default_port_may_be_there_or_not(signed: str, asked: str, good: bool) -> None:
    assert legacy.verify_get(asked, legacy.sign(signed)) is good
    assert legacy.verify_form(asked, [("a", "b")], legacy.sign(signed, [("a", "b")])) is good


@pytest.mark.parametrize("configured", ["wss://h.example/m", "https://h.example/m", "wss://h.example:443/m/"])
def test_an_upgrade_is_signed_with_wss_whatever_the_framework_saw(configured: str) -> None:
    for signed in (
        "wss://h.example/m",
        "wss://h.example:443/m",
        "wss://h.example/m/",
        "wss://h.example:443/m/",
    ):
        assert legacy.verify_upgrade(configured, legacy.sign(signed))
    for signed in ("https://h.example/m", "ws://h.example/m", "wss://h.example:80/m", "wss://h.example/x"):
        assert not legacy.verify_upgrade(configured, legacy.sign(signed))


def test_a_plain_socket_is_signed_with_ws() -> None:
    assert legacy.verify_upgrade("http://h.example/m", legacy.sign("ws://h.example:80/m"))


def test_a_body_must_be_the_one_that_the_url_announces() -> None:
    body = b'{"a":1}'
    url = f"https://h.example/hook?x=1&bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = legacy.sign(url)
    assert legacy.verify_body(url, body, signature)
    assert RequestValidator("12345").validate(url, body.decode(), signature)
    assert not legacy.verify_body(url, body + b" ", signature)
    assert not legacy.verify_body(url, body, signature[::-1])
    assert not legacy.verify_body("https://h.example/hook", body, legacy.sign("https://h.example/hook"))
    odd = "https://h.example/hook?bodySHA256=%C3%A9"
    assert not legacy.verify_body(odd, body, legacy.sign(odd))


def test_a_header_never_chooses_the_algorithm() -> None:
    assert not legacy.verify_form(URL, FORM, SHA256, SHA256_HEADER)
    assert not modern.verify_form(URL, FORM, SHA1)
    assert not modern.verify_form(URL, FORM, SHA1, "key=k,algorithm=HMAC_SHA1")
    assert not modern.verify_form(URL, FORM, SHA256, "key=k,algorithm=HMAC_SHA1")
    assert not legacy.verify_form(URL, FORM, SHA1, "key=k,algorithm=none")


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        ("", "HMAC_SHA1"),
        ("key=k", "HMAC_SHA1"),
        ("key=k,algorithm=", "HMAC_SHA1"),
        ("key=k, algorithm = hmac_sha256 ", "HMAC_SHA256"),
        ("algorithm=MD5", "MD5"),
    ],
)
def test_the_announced_algorithm_is_read_as_the_vendor_does(header: str, algorithm: str) -> None:
    assert announced_algorithm(header) == algorithm


def test_every_changed_character_is_noticed() -> None:
    for place in range(len(URL)):
        changed = URL[:place] + chr(ord(URL[place]) ^ 1) + URL[place + 1 :]
        assert not legacy.verify_form(changed, FORM, SHA1)
    for place in range(len(SHA1) - 2):
        changed = SHA1[:place] + ("A" if SHA1[place] != "A" else "B") + SHA1[place + 1 :]
        assert not legacy.verify_form(URL, FORM, changed)
    for number, (name, value) in enumerate(FORM):
        assert not legacy.verify_form(URL, FORM[:number] + FORM[number + 1 :], SHA1)
        assert not legacy.verify_form(URL, [*FORM[:number], (name, value + "0"), *FORM[number + 1 :]], SHA1)
    assert not TwilioSignatures("12346").verify_form(URL, FORM, SHA1)


@given(st.text(max_size=40))
def test_any_text_in_the_header_is_just_wrong(signature: str) -> None:
    assert not legacy.verify_get(URL, signature)
