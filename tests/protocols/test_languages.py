import pytest

from offhook.protocols.languages import iso_639_1


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("pt_BR", "pt"),
        ("eng", "en"),
        ("ara", "ar"),
        ("ger", "de"),
        ("deu", "de"),
        ("zh-Hant", "zh"),
        ("cmn", "zh"),
        ("", ""),
        ("multi", ""),
        ("qqq", ""),
        ("١٢", ""),
        ("e1", ""),
    ],
)
def test_codes_become_two_letters(code: str, short: str) -> None:
    assert iso_639_1(code) == short
