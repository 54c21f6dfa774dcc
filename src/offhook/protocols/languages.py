"""Language codes: what vendors call a language, as ISO 639-1. No names of languages, no detection."""

from __future__ import annotations

_THREE = """
afr:af amh:am ara:ar aze:az bel:be ben:bn bos:bs bul:bg cat:ca ces:cs cze:cs cym:cy dan:da deu:de ger:de
ell:el gre:el eng:en est:et eus:eu fas:fa per:fa fil:tl tgl:tl fin:fi fra:fr fre:fr gle:ga glg:gl guj:gu
hau:ha heb:he hin:hi hrv:hr hun:hu hye:hy ind:id isl:is ita:it jpn:ja kan:kn kat:ka kaz:kk khm:km kor:ko
lav:lv lit:lt mal:ml mar:mr mkd:mk mlt:mt mon:mn msa:ms may:ms mya:my nep:ne nld:nl dut:nl nob:no nor:no
pan:pa pol:pl por:pt pus:ps ron:ro rum:ro rus:ru sin:si slk:sk slv:sl som:so spa:es sqi:sq srp:sr swa:sw
swe:sv tam:ta tel:te tha:th tur:tr ukr:uk urd:ur uzb:uz vie:vi xho:xh yor:yo zho:zh chi:zh cmn:zh yue:zh
zul:zu
"""
_SHORT = {long: short for long, _, short in (pair.partition(":") for pair in _THREE.split())}


def iso_639_1(code: str) -> str:
    """The two letters for "en", "en-US", "EN_us", "eng"; empty for what is no language that has them."""
    primary = code.replace("_", "-").partition("-")[0].strip().lower()
    if len(primary) == 2 and primary.isascii() and primary.isalpha():
        return primary
    return _SHORT.get(primary, "")
