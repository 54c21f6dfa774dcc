"""The TwiML that we answer with, as XML text. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring


def connect_stream(url: str, parameters: Mapping[str, str], action: str = "", status: str = "") -> str:
    """Connect the call to the media socket at `url`; `action` is asked what follows when the socket closes.

    `parameters` come back in the socket's `start` message. Nothing is spoken by the vendor.
    """
    response = Element("Response")
    connect = SubElement(response, "Connect", {"action": action, "method": "POST"} if action else {})
    attributes = {"url": url}
    if status:
        attributes |= {"statusCallback": status, "statusCallbackMethod": "POST"}
    stream = SubElement(connect, "Stream", attributes)
    for name, value in parameters.items():
        SubElement(stream, "Parameter", {"name": name, "value": value})
    return _text(response)


def reject_busy() -> str:
    """Refuse an inbound call with a busy tone; it is not charged."""
    response = Element("Response")
    SubElement(response, "Reject", {"reason": "busy"})
    return _text(response)


def hang_up() -> str:
    response = Element("Response")
    SubElement(response, "Hangup")
    return _text(response)


def dial(destination: str) -> str:
    """Connect the caller to a phone number or a `sip:` address, and hang up after that."""
    response = Element("Response")
    dialled = SubElement(response, "Dial", {"answerOnBridge": "true"})
    SubElement(dialled, "Sip" if destination.startswith("sip:") else "Number").text = destination
    SubElement(response, "Hangup")
    return _text(response)


def _text(response: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(response, encoding="unicode")
