"""Arabic nouns that callers and agents count, with their forms and gender, and money. Tables only."""

from __future__ import annotations

from dataclasses import dataclass

from offhook.speech.spoken.arabic_numbers import Noun, noun

MINUTE = noun("دقيقة", "دقائق")
_COUNTED = (
    noun("يوم", "أيام"),
    noun("ساعة", "ساعات"),
    MINUTE,
    noun("ثانية", "ثوان"),
    noun("أسبوع", "أسابيع"),
    noun("شهر", "أشهر"),
    noun("سنة", "سنوات"),
    noun("عام", "أعوام"),
    noun("ليلة", "ليال"),
    noun("مرة", "مرات"),
    noun("شخص", "أشخاص"),
    noun("فرد", "أفراد"),
    noun("طفل", "أطفال"),
    noun("ضيف", "ضيوف"),
    noun("عميل", "عملاء"),
    noun("موظف", "موظفين"),
    noun("غرفة", "غرف"),
    noun("سرير", "أسرة"),
    noun("طاولة", "طاولات"),
    noun("مقعد", "مقاعد"),
    noun("تذكرة", "تذاكر"),
    noun("رحلة", "رحلات"),
    noun("طلب", "طلبات"),
    noun("رسالة", "رسائل"),
    noun("مكالمة", "مكالمات"),
    noun("موعد", "مواعيد"),
    noun("جلسة", "جلسات"),
    noun("خدمة", "خدمات"),
    noun("فاتورة", "فواتير"),
    noun("دفعة", "دفعات"),
    noun("قسط", "أقساط"),
    noun("عملية", "عمليات"),
    noun("نقطة", "نقاط"),
    noun("درجة", "درجات"),
    noun("قطعة", "قطع"),
    noun("صندوق", "صناديق"),
    noun("منتج", "منتجات"),
    noun("جهاز", "أجهزة"),
    noun("حساب", "حسابات"),
    noun("بطاقة", "بطاقات"),
    noun("خط", "خطوط"),
    noun("فرع", "فروع"),
    noun("طابق", "طوابق"),
    noun("باب", "أبواب"),
    noun("شقة", "شقق"),
    noun("خيار", "خيارات"),
    noun("سؤال", "أسئلة"),
    noun("رقم", "أرقام"),
    noun("خانة", "خانات"),
    noun("متر", "أمتار"),
    noun("كيلومتر", "كيلومترات"),
    noun("كيلوغرام", "كيلوغرامات"),
    noun("غرام", "غرامات"),
    noun("لتر", "لترات"),
    noun("جيجابايت", "جيجابايت", two="جيجابايت اثنان", many="جيجابايت"),
    noun("ميجابايت", "ميجابايت", two="ميجابايت اثنان", many="ميجابايت"),
    noun("وحدة", "وحدات"),
    noun("حبة", "حبات"),
    noun("جرعة", "جرعات"),
    noun("كتاب", "كتب"),
    noun("ملف", "ملفات"),
    noun("مستند", "مستندات"),
    noun("سيارة", "سيارات"),
    noun("كلمة", "كلمات"),
    noun("محاولة", "محاولات"),
    noun("زيارة", "زيارات"),
)
_MORE_FORMS = {
    "شهور": "شهر",
    "سنين": "سنة",
    "ليالي": "ليلة",
    "ليالٍ": "ليلة",
    "ثواني": "ثانية",
    "ثوانٍ": "ثانية",
    "موظفون": "موظف",
    "كيلو": "كيلوغرام",
    "كجم": "كيلوغرام",
    "كم": "كيلومتر",
    "عملاءنا": "عميل",
    "دقايق": "دقيقة",
    "رسايل": "رسالة",
    "دور": "طابق",
    "أدوار": "طابق",
}


def _forms(nouns: tuple[Noun, ...]) -> dict[str, Noun]:
    """Every written form of the nouns; the accusative also with its tanween."""
    found: dict[str, Noun] = {}
    for each in nouns:
        forms = {each.one, each.two, each.few, each.many, each.two[:-2] + "ين"}
        forms |= {f"{each.many}ً", f"{each.many[:-1]}ًا"} if each.many.endswith("ا") else {f"{each.one}ً"}
        found.update(dict.fromkeys(forms, each))
    return found


COUNTED = _forms(_COUNTED)
COUNTED.update({form: COUNTED[one] for form, one in _MORE_FORMS.items()})


@dataclass(frozen=True, slots=True)
class Coin:
    """A currency: its unit, what that is divided into, how many of them, and what follows ("كويتي")."""

    unit: Noun
    part: Noun
    parts: int = 100


_FILS = noun("فلس", "فلوس")
_CENT = noun("سنت", "سنتات")
_RIYAL = noun("ريال", "ريالات")
_DINAR = noun("دينار", "دنانير")
_DIRHAM = noun("درهم", "دراهم")
_POUND = noun("جنيه", "جنيهات")
_HALALA = noun("هللة", "هللات")
_PIASTRE = noun("قرش", "قروش")
DOLLAR = Coin(noun("دولار", "دولارات"), _CENT)
EURO = Coin(noun("يورو", "يورو"), _CENT)
STERLING = Coin(
    Noun("جنيه إسترليني", "جنيهان إسترلينيان", "جنيهات إسترلينية", "جنيها إسترلينيا"), noun("بنس", "بنسات")
)
_SAUDI, _QATARI = Coin(_RIYAL, _HALALA), Coin(_RIYAL, _DIRHAM)
_OMANI = Coin(_RIYAL, noun("بيسة", "بيسات"), 1000)
_EMIRATI, _EGYPTIAN = Coin(_DIRHAM, _FILS), Coin(_POUND, _PIASTRE)
_KUWAITI = Coin(_DINAR, _FILS, 1000)
_LIRA = Coin(noun("ليرة", "ليرات"), _PIASTRE)
COINS = {
    "$": DOLLAR,
    "USD": DOLLAR,
    "€": EURO,
    "EUR": EURO,
    "£": STERLING,
    "GBP": STERLING,
    "SAR": _SAUDI,
    "ر.س": _SAUDI,
    "ر.س.": _SAUDI,
    "﷼": _SAUDI,
    "QAR": _QATARI,
    "ر.ق": _QATARI,
    "OMR": _OMANI,
    "ر.ع": _OMANI,
    "AED": _EMIRATI,
    "د.إ": _EMIRATI,
    "KWD": _KUWAITI,
    "د.ك": _KUWAITI,
    "BHD": _KUWAITI,
    "د.ب": _KUWAITI,
    "JOD": _KUWAITI,
    "EGP": _EGYPTIAN,
    "ج.م": _EGYPTIAN,
    "LBP": _LIRA,
    "ل.ل": _LIRA,
    "SYP": _LIRA,
    "ل.س": _LIRA,
}
"""Currencies by sign or code."""
_NAMED = (
    DOLLAR,
    EURO,
    _SAUDI,
    _EMIRATI,
    _KUWAITI,
    _EGYPTIAN,
    _LIRA,
    Coin(_FILS, _FILS),
    Coin(_HALALA, _HALALA),
)
NAMED_COINS = {form: coin for coin in _NAMED for form in _forms((coin.unit,))}
"""Currencies by any form of their names."""
