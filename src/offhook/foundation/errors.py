"""The one exception tree. Each error has a reason that is safe to show and says if a retry may help."""

from __future__ import annotations


class OffhookError(Exception):
    """Base of all errors that Offhook raises on purpose.

    `reason` is one sentence safe to show to anyone (no keys, no personal data);
    `retryable` says whether the same request may succeed later.
    """

    retryable: bool = False

    def __init__(self, reason: str, *, retryable: bool | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        if retryable is not None:
            self.retryable = retryable


class SettingsError(OffhookError):
    """A setting is unknown or wrong; the start is refused."""


class WireError(OffhookError):
    """A peer sent bytes that its protocol does not allow. The peer's fault, never ours."""


class RefusedError(OffhookError):
    """A peer may not do what it asked for (no token, bad signature, over a limit)."""


class LimitError(RefusedError):
    """A bound is reached (calls, messages, size); later may work."""

    retryable = True


class ConflictError(RefusedError):
    """It does not go with how things stand: somebody was first, or the last of its kind would go."""


class NotFoundError(OffhookError):
    """There is no such thing."""


class ProviderError(OffhookError):
    """A speech or language provider failed. `provider` is its settings name."""

    def __init__(self, provider: str, reason: str, *, retryable: bool = True) -> None:
        super().__init__(f"{provider}: {reason}", retryable=retryable)
        self.provider = provider


class DeniedError(ProviderError):
    """A provider refuses our key or account (401, 403): never retried, an operator has to mend it."""

    def __init__(self, provider: str, reason: str = "refused the key") -> None:
        super().__init__(provider, reason, retryable=False)


class BusyError(ProviderError):
    """A provider answers that it cannot now (429, 5xx): the same request may succeed soon.

    `after` is how many seconds it asks us to wait (Retry-After), 0.0 where it does not say.
    """

    def __init__(self, provider: str, reason: str, after: float = 0.0) -> None:
        super().__init__(provider, reason, retryable=True)
        self.after = after


class UnfitError(ProviderError):
    """A provider is well but cannot do this: a language, a voice or a format that it does not know."""

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(provider, reason, retryable=False)


class BrokenOffError(ProviderError):
    """A voice broke off in the middle of a sentence. What it gave may have been heard, and stays; where
    none of it was given on, the sentence may be asked for again."""


class MissingExtraError(ProviderError):
    """A provider needs an optional package; the reason names the extra that installs it."""

    def __init__(self, provider: str, extra: str) -> None:
        super().__init__(
            provider, f"needs an optional package: pip install 'offhook[{extra}]'", retryable=False
        )
        self.extra = extra


class MissingModelError(ProviderError):
    """A local model's weights are not on this machine; the reason says how to get them."""

    def __init__(self, provider: str, how: str) -> None:
        super().__init__(provider, f"its model is not installed: {how}", retryable=False)


class StorageError(OffhookError):
    """Rows or recordings could not be read or written."""

    retryable = True
