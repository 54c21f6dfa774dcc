"""Recognizes addresses of crypto wallets by form and checksum: Bitcoin, Tron, Ethereum. Asks no chain."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from offhook.desk.entities.base import Found, Kind

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BITCOIN = re.compile(r"\b(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|BC1)[02-9ac-hj-np-zAC-HJ-NP-Z]{11,71})\b")
_TRON = re.compile(r"\bT[1-9A-HJ-NP-Za-km-z]{33}\b")
_ETHEREUM = re.compile(r"\b0[xX][0-9a-fA-F]{40}\b")


def find_wallets(text: str) -> Iterator[Found]:
    """All whose checksum is right; Ethereum's, which few programs check, by the form."""
    for match in _BITCOIN.finditer(text):
        if _is_bitcoin(match.group()):
            said = match.group()
            value = said.lower() if said[:3].lower() == "bc1" else said
            yield Found(Kind.WALLET, value, said, *match.span(), 0.99)
    for match in _TRON.finditer(text):
        if _is_base58(match.group(), 0x41):
            yield Found(Kind.WALLET, match.group(), match.group(), *match.span(), 0.99)
    for match in _ETHEREUM.finditer(text):
        yield Found(Kind.WALLET, match.group().lower(), match.group(), *match.span(), 0.95)


def _is_bitcoin(text: str) -> bool:
    from stdnum import bitcoin

    return bool(bitcoin.is_valid(text)) or _is_taproot(text)


def _is_taproot(text: str) -> bool:
    """Bech32m, as in BIP 350: addresses that begin with bc1p."""
    if not text.lower().startswith("bc1p") or len(text) != 62:
        return False
    values = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(letter) for letter in text.lower()[3:]]
    check = 1
    for value in [3, 3, 0, 2, 3, *values]:  # "bc", spread as in BIP 173
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    return check == 0x2BC830A3


def _is_base58(text: str, version: int) -> bool:
    """Base58 with a version byte and a checksum of twice SHA-256."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    if number.bit_length() > 200:
        return False
    data = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()
    return data[0] == version and data[21:] == digest[:4]
