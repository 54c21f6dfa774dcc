"""Numbers, dates, money and the like as they are said aloud: grammar checked by hand, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.speech.spoken import said_aloud
from offhook.speech.spoken.arabic_numbers import OBLIQUE, cardinal, counted, noun, ordinal

ENGLISH = [
    ("0 items and 1 item", "zero items and one item"),
    ("12 people", "twelve people"),
    ("21 days", "twenty-one days"),
    ("100 points", "one hundred points"),
    ("101 dalmatians", "one hundred and one dalmatians"),
    ("1,250 pieces", "one thousand two hundred and fifty pieces"),
    ("1234567", "one two three, four five six seven"),
    ("3.14", "three point one four"),
    ("-5", "minus five"),
    ("1.05", "one point zero five"),
    (
        "1234567890123456",
        "one two three, four five six, seven eight nine, oh one two, three four five six",
    ),
    ("007", "oh oh seven"),
    ("1st, 2nd and 3rd", "first, second and third"),
    ("the 21st floor", "the twenty-first floor"),
    ("the 112th caller", "the one hundred and twelfth caller"),
    ("$1", "one dollar"),
    ("$35", "thirty-five dollars"),
    ("$35.50", "thirty-five dollars fifty"),
    ("$1,200", "one thousand two hundred dollars"),
    ("$0.99", "ninety-nine cents"),
    ("-$12.00", "minus twelve dollars"),
    ("$1.5 million", "one point five million dollars"),
    ("€20", "twenty euros"),
    ("£7.05", "seven pounds and five pence"),
    ("20 USD", "twenty dollars"),
    ("AED 45", "forty-five dirhams"),
    ("SAR 1,500", "one thousand five hundred riyals"),
    ("12.250 KWD", "twelve point two five zero Kuwaiti dinars"),
    ("35 EGP", "thirty-five Egyptian pounds"),
    ("50%", "fifty percent"),
    ("7.5 %", "seven point five percent"),
    ("10-15%", "ten to fifteen percent"),
    ("1/2 cup", "one half cup"),
    ("3/4 of it", "three quarters of it"),
    ("1½ hours", "one and a half hours"),
    ("24/7", "twenty-four seven"),
    ("10:30", "ten thirty"),
    ("at 9", "at nine"),
    ("9 am", "nine a.m."),
    ("6 p.m.", "six p.m."),
    ("17:20", "five twenty p.m."),
    ("12:00", "noon"),
    ("00:10", "twelve ten a.m."),
    ("09:05", "nine oh five"),
    ("9:00-17:00", "nine o'clock to five p.m."),
    ("6:30 pm - 7:00 pm", "six thirty p.m. to seven p.m."),
    ("2026-11-21", "November twenty-first, twenty twenty-six"),
    ("13/03/2026", "March thirteenth, twenty twenty-six"),
    ("3/13/26", "March thirteenth, twenty twenty-six"),
    ("March 5", "March fifth"),
    ("March 5, 2026", "March fifth, twenty twenty-six"),
    ("the 5th of May", "the fifth of May"),
    ("20 May 2026", "the twentieth of May twenty twenty-six"),
    ("in 1995", "in nineteen ninety-five"),
    ("in 2008", "in two thousand and eight"),
    ("the 1990s", "the nineteen nineties"),
    ("2nd of 3", "second of three"),
    ("555 0142", "five five five, oh one four two"),
    ("+44 20 7946 0958", "plus four four, two oh, seven nine four six, oh nine five eight"),
    ("1-800-555-0142", "one, eight oh oh, five five five, oh one four two"),
    ("15551234567", "one, five five five, one two three, four five six seven"),
    ("order number 48213", "order number four eight two one three"),
    ("your order is 48213", "your order is four eight two one three"),
    ("ticket AB-4821", "ticket A B four eight two one"),
    ("reference: 4821-77", "reference: four eight two one seven seven"),
    ("account ending in 4242", "account ending in four two four two"),
    ("flight BA117", "flight B A one one seven"),
    ("the code is 0042", "the code is oh oh four two"),
    ("order 12 pizzas", "order twelve pizzas"),
    (
        "card number 4242 4242 4242 4242",
        "card number four two four two, four two four two, four two four two, four two four two",
    ),
    ("#7741", "number seven seven four one"),
    ("No. 5", "number five"),
    ("version 2.1.3", "version two point one point three"),
    ("5 km", "five kilometres"),
    ("20°C", "twenty degrees Celsius"),
    ("1 kg", "one kilogram"),
    ("60 mph", "sixty miles per hour"),
    ("room 204", "room two hundred and four"),
    ("pages 10-20", "pages ten to twenty"),
    ("٣ days", "three days"),
    ("info2@x.com", "info2@x.com"),
    ("#7741 and #3", "number seven seven four one and number three"),
    ("6:30 pm - 7:00 pm", "six thirty p.m. to seven p.m."),
    ("order 48213, please", "order four eight two one three, please"),
    ("order 1,200 of them", "order one thousand two hundred of them"),
    ("call 192.168.0.1", "call one nine two, one six eight, oh, one"),
    ("½ price", "half price"),
]
ARABIC = [
    ("لديك 1 رسالة", "لديك رسالة واحدة"),
    ("لديك رسالتان و2 موعد", "لديك رسالتان وموعدان"),
    ("3 أيام", "ثلاثة أيام"),
    ("8 ساعات", "ثماني ساعات"),
    ("10 دقائق", "عشر دقائق"),
    ("11 يوما", "أحد عشر يوما"),
    ("12 ساعة", "اثنتا عشرة ساعة"),
    ("13 غرفة", "ثلاث عشرة غرفة"),
    ("18 ليلة", "ثماني عشرة ليلة"),
    ("19 شخصا", "تسعة عشر شخصا"),
    ("20 دقيقة", "عشرون دقيقة"),
    ("21 يوما", "واحد وعشرون يوما"),
    ("22 ساعة", "اثنتان وعشرون ساعة"),
    ("99 طلبا", "تسعة وتسعون طلبا"),
    ("100 يوم", "مئة يوم"),
    ("103 رسائل", "مئة وثلاث رسائل"),
    ("111 سنة", "مئة وإحدى عشرة سنة"),
    ("200 شخص", "مئتا شخص"),
    ("1000 نقطة", "ألف نقطة"),
    ("2000 نقطة", "ألفا نقطة"),
    ("10000 كلمة", "عشرة آلاف كلمة"),
    ("صفر أخطاء و0 شكاوى", "صفر أخطاء وصفر شكاوى"),
    ("٣ سنوات", "ثلاث سنوات"),
    ("خلال 24 ساعة", "خلال أربع وعشرين ساعة"),
    ("بعد 2 يوم", "بعد يومين"),
    ("من 3 إلى 5 أيام", "من ثلاثة إلى خمسة أيام"),
    ("2-3 ساعات", "ساعتان إلى ثلاث ساعات"),
    ("1.5 ساعة", "ساعة ونصف"),
    ("2.5 سنة", "سنتان ونصف"),
    ("لـ3 أشخاص", "لثلاثة أشخاص"),
    ("بـ12 شهرا", "باثني عشر شهرا"),
    ("و5 خدمات", "وخمس خدمات"),
    ("7 شركات", "سبع شركات"),
    ("4 كلاب", "أربعة كلاب"),
    ("1 دولار", "دولار واحد"),
    ("2 دولار", "دولاران"),
    ("3 دولارات", "ثلاثة دولارات"),
    ("15 دولار", "خمسة عشر دولارا"),
    ("100 دولار", "مئة دولار"),
    ("105 دولارات", "مئة وخمسة دولارات"),
    ("1,250 دولار", "ألف ومئتان وخمسون دولارا"),
    ("السعر 99.99 ر.س", "السعر تسعة وتسعون ريالا وتسع وتسعون هللة"),
    ("بسعر 45 درهم", "بسعر خمسة وأربعين درهما"),
    ("مبلغ 200 ريال", "مبلغ مئتي ريال"),
    ("SAR 1,500", "ألف وخمسمئة ريال"),
    ("10 د.ك", "عشرة دنانير"),
    ("12.250 د.ك", "اثنا عشر دينارا ومئتان وخمسون فلسا"),
    ("€20", "عشرون يورو"),
    ("£7", "سبعة جنيهات إسترلينية"),
    ("35 ج.م", "خمسة وثلاثون جنيها"),
    ("5 ملايين ريال", "خمسة ملايين ريال"),
    ("3.5 مليون دولار", "ثلاثة ملايين ونصف المليون دولار"),
    ("20 ألف ريال", "عشرون ألف ريال"),
    ("خصم 15%", "خصم خمسة عشر بالمئة"),
    ("نسبة 7.5٪", "نسبة سبعة فاصلة خمسة بالمئة"),
    ("50 في المئة", "خمسون بالمئة"),
    ("2026-11-21", "الحادي والعشرون من نوفمبر عام ألفين وستة وعشرين"),
    ("1/2/2026", "الأول من فبراير عام ألفين وستة وعشرين"),
    ("يوم 20 مايو", "يوم العشرين من مايو"),
    ("5 أبريل 2027", "الخامس من أبريل عام ألفين وسبعة وعشرين"),
    ("الـ25 من ديسمبر", "الخامس والعشرون من ديسمبر"),
    ("بتاريخ 3/4", "بتاريخ الثالث من أبريل"),
    ("20 رمضان 1447 هـ", "العشرون من رمضان عام ألف وأربعمئة وسبعة وأربعين هجريا"),
    ("عام 1995", "عام ألف وتسعمئة وخمسة وتسعين"),
    ("سنة 2008", "سنة ألفين وثمان"),
    ("99/99/2026", "تسعة وتسعون/تسعة وتسعون/ألفان وستة وعشرون"),
    ("10:30", "العاشرة والنصف"),
    ("الساعة 3", "الساعة الثالثة"),
    ("الساعة 9:15 ص", "الساعة التاسعة والربع صباحا"),
    ("الساعة 5:45 م", "الساعة السادسة إلا ربعا مساء"),
    ("17:20", "الخامسة والثلث مساء"),
    ("12:00 م", "الثانية عشرة ظهرا"),
    ("00:10", "الثانية عشرة وعشر دقائق ليلا"),
    ("09:05", "التاسعة وخمس دقائق صباحا"),
    ("13:40", "الثانية إلا ثلثا ظهرا"),
    ("9:00-17:00", "التاسعة إلى الخامسة مساء"),
    ("الساعة 11:50 مساءً", "الساعة الثانية عشرة إلا عشر دقائق مساء"),
    ("0501234567", "صفر خمسة صفر، واحد اثنان ثلاثة، أربعة خمسة ستة سبعة"),
    ("+966 50 123 4567", "زائد تسعة ستة ستة، خمسة صفر، واحد اثنان ثلاثة، أربعة خمسة ستة سبعة"),
    ("اتصل على 920012345", "اتصل على تسعة اثنان، صفر صفر واحد، اثنان ثلاثة أربعة خمسة"),
    ("+1 555 0100", "زائد واحد، خمسة خمسة خمسة، صفر واحد صفر صفر"),
    ("رقم الطلب 48213", "رقم الطلب أربعة ثمانية اثنان واحد ثلاثة"),
    ("رقم المرجع AB-4821", "رقم المرجع A B أربعة ثمانية اثنان واحد"),
    ("رقم الهوية 1089345672", "رقم الهوية واحد صفر ثمانية، تسعة ثلاثة أربعة، خمسة ستة سبعة اثنان"),
    ("طلبك #7741", "طلبك سبعة سبعة أربعة واحد"),
    ("بطاقتك المنتهية بـ4242", "بطاقتك المنتهية بأربعة اثنان أربعة اثنان"),
    ("الرمز 0042", "الرمز صفر صفر أربعة اثنان"),
    ("الطابق 3", "الطابق الثالث"),
    ("الدور 12", "الدور الثاني عشر"),
    ("المرحلة 2", "المرحلة الثانية"),
    ("الصفحة 21", "الصفحة الحادية والعشرون"),
    ("للمرة الـ3", "للمرة الثالثة"),
    ("20°م", "عشرون درجة مئوية"),
    ("-5 درجات", "ناقص خمس درجات"),
    ("3.14", "ثلاثة فاصلة أربعة عشر"),
    ("1234567", "مليون ومئتان وأربعة وثلاثون ألفا وخمسمئة وسبعة وستون"),
    (
        "1234567890123456",
        "واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة صفر واحد اثنان ثلاثة أربعة خمسة ستة",
    ),
    ("info2@x.com", "info2@x.com"),
    ("2-3 ساعات", "ساعتان إلى ثلاث ساعات"),
    ("من 1 إلى 2 يوم", "من يوم إلى يومين"),
    ("0.75 دولار", "خمسة وسبعون سنتا"),
    ("آخر 4 أرقام 7788", "آخر أربعة أرقام سبعة سبعة ثمانية ثمانية"),
    ("اليوم الـ20 من رمضان", "اليوم العشرون من رمضان"),
    ("رصيدك 3000 نقطة", "رصيدك ثلاثة آلاف نقطة"),
    ("الخيار 2", "الخيار الثاني"),
    ("100000 ريال", "مئة ألف ريال"),
    ("200000 جنيه", "مئتا ألف جنيه"),
    ("1995/7/4", "الرابع من يوليو عام ألف وتسعمئة وخمسة وتسعين"),
]


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english(written: str, said: str) -> None:
    assert said_aloud(written, "en-GB") == said


@pytest.mark.parametrize(("written", "said"), ARABIC)
def test_arabic(written: str, said: str) -> None:
    assert said_aloud(written, "ar") == said


def test_enough_cases() -> None:
    assert min(len(dict(ENGLISH)), len(dict(ARABIC))) >= 60


def test_gender_is_the_opposite_from_three_to_ten_and_agrees_below() -> None:
    day, hour = noun("يوم", "أيام"), noun("ساعة", "ساعات")
    assert [counted(n, day) for n in (1, 2, 3, 10)] == ["يوم واحد", "يومان", "ثلاثة أيام", "عشرة أيام"]
    assert [counted(n, hour) for n in (1, 2, 3, 10)] == ["ساعة واحدة", "ساعتان", "ثلاث ساعات", "عشر ساعات"]
    assert counted(12, hour, OBLIQUE) == "اثنتي عشرة ساعة"
    assert counted(102, day) == "مئة يوم ويومان"
    assert counted(2002, hour, OBLIQUE) == "ألفي ساعة وساعتين"


def test_cardinals_and_ordinals() -> None:
    assert cardinal(0) == "صفر"
    assert cardinal(-3) == "ناقص ثلاثة"
    assert cardinal(1_000_001) == "مليون وواحد"
    assert cardinal(2_003_000) == "مليونان وثلاثة آلاف"
    assert cardinal(11_000_000_000) == "أحد عشر مليارا"
    assert cardinal(21, feminine=True, case=OBLIQUE) == "إحدى وعشرين"
    assert [ordinal(n) for n in (0, 1, 11, 20, 32, 100)] == [
        *("الصفر", "الأول", "الحادي عشر", "العشرون", "الثاني والثلاثون", "المئة"),
    ]
    assert [ordinal(n, True, OBLIQUE) for n in (1, 11, 21)] == ["الأولى", "الحادية عشرة", "الحادية والعشرين"]


def test_what_has_no_digits_and_other_languages_stay_as_they_are() -> None:
    for text, language in (
        ("Hello, Dr. Smith & co.", "en"),
        ("مرحبا بك", "ar"),
        ("35 Euro", "de"),
        ("", "en"),
    ):
        assert said_aloud(text, language) == text


def test_words_around_a_number_stay() -> None:
    assert said_aloud("Mr. Ali (VIP) has 3 calls!", "en") == "Mr. Ali (VIP) has three calls!"
    assert said_aloud("السيد علي (VIP) لديه 3 مكالمات!", "ar") == "السيد علي (VIP) لديه ثلاث مكالمات!"


TEXT = st.one_of(
    st.text(max_size=120),
    st.text(alphabet="0123456789٠١٢٣ .,:/-$%+()#أمصريالدولبك°AB", max_size=40),
)


@given(TEXT, st.sampled_from(["en", "ar"]))
def test_nothing_fails_and_twice_is_once(text: str, language: str) -> None:
    said = said_aloud(text, language)
    if not any(c.isdecimal() for c in said):
        assert said_aloud(said, language) == said
