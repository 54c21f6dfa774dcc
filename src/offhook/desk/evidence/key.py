"""The node's key: signs what leaves the house, and says which key that was. Encrypts nothing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offhook.foundation.errors import SettingsError
from offhook.foundation.ids import token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FILE = "node.key"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 key that signatures are checked with. `raw` is 32 bytes."""

    raw: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the 32 bytes, in hex: what two people compare."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def pem(self) -> bytes:
        """As OpenSSL reads it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            self._key().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _key(self) -> Ed25519PublicKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(self.raw)


def read_public(pem: bytes) -> PublicKey:
    """From PEM. Raises ValueError for what is no Ed25519 key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        found = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("no public key") from None
    if not isinstance(found, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")
    return PublicKey(found.public_bytes_raw())


class NodeKey:
    """The private key of one data directory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(data)


def node_key(data: Path) -> NodeKey:
    """The key in this data directory; made on first use, readable by the owner only, one and whole when
    several make it at once. Blocks shortly. Raises SettingsError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = data / FILE
    try:
        if not path.exists():
            _make(path)
        found = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SettingsError(f"{FILE} in the data directory cannot be used: {error.strerror}") from None
    except (ValueError, TypeError):
        raise SettingsError(f"{FILE} in the data directory is damaged: restore it from a backup") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise SettingsError(f"{FILE} in the data directory is no Ed25519 key")
    return NodeKey(found)


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{FILE}.{token()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another was first, and its key is whole
    finally:
        draft.unlink(missing_ok=True)
