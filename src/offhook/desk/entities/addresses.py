"""Recognizes e-mail addresses and web addresses, written or said ("dot", "at", "slash"). Visits none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from offhook.desk.entities.base import Found, Kind
from offhook.desk.entities.digits import group_at
from offhook.desk.entities.tokens import Token, fold_word

_GENERIC = (
    "com net org info biz edu gov mil int io co me ai app dev xyz top shop site online store club live "
    "click link support help icu vip pro tech cloud space website email bank finance money cash loan "
    "win bid asia"
)
_LANDS = (
    "us uk ca au nz ie za ng gh ke in pk bd lk sg my ph id th vn cn hk tw jp kr ru ua by kz tr il ps ae "
    "sa qa kw bh om ye iq ir jo lb sy eg sd ly tn dz ma mr eu de at ch fr be nl lu it es pt gr cy mt pl "
    "cz sk hu ro bg rs hr si se no dk fi is ee lv lt br ar mx cl pe ve tv cc to ws tk ml ga cf gq"
)
TOP_LEVEL = frozenset(f"{_GENERIC} {_LANDS}".split())

_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,6}[A-Za-z]{2,24}(?![\w-])"
)
_URL = re.compile(r"(?:https?://|(?<![\w@.])www\.)[^\s<>\"'،؟]{3,500}", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?<![\w@.-])(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,5}([A-Za-z]{2,24})(/[^\s<>\"'،؟]{0,300})?(?![\w@-])"
)
_TRAILING = ".,;:!?)]}'\""

_DOTS = {"dot", "دوت", "نقطه"}
_ATS = {"at", "ات", "@"}
_DASHES = {"dash", "hyphen", "minus", "داش", "شرطه"}
_UNDERSCORES = {"underscore", "اندرسكور"}
_SLASHES = {"slash", "سلاش"}
_JOINS = (
    dict.fromkeys(_DOTS, ".") | dict.fromkeys(_DASHES, "-") | dict.fromkeys(_UNDERSCORES, "_") | {"plus": "+"}
)
_LATIN = {
    fold_word(word): plain
    for word, plain in {
        "كوم": "com", "نت": "net", "اورغ": "org", "جيميل": "gmail", "هوتميل": "hotmail", "ياهو": "yahoo",
        "اوتلوك": "outlook",
    }.items()
}  # fmt: skip
_PROSE_WORDS = (
    "is its it s email mail e address me us them him her you your my our their his the an and or to by "
    "from with on for of as that this so there ok okay yes yeah sure please just use using contact reach "
    "write send sent sending can could will would it's that's um uh er well all lower case spelled "
    "user username account at was be go visit click open log into website site page link domain type enter"
)
_PROSE = frozenset(_PROSE_WORDS.split())
_MAIL_HOST = re.compile(
    r"(?:g|hot|y|e?-?|proton)mail\.|(?:yahoo|outlook|icloud|live|aol|msn|gmx|me|proton|zoho)\."
)
_MAIL_WORD = re.compile(r"e-?mail|\bmail\b|\bwrite\b|address|[اإ]يميل|بريد", re.IGNORECASE)
_MOST_WORDS = 3
"""Words of a local part that were said without anything between them: "john smith at gmail dot com"."""


def find_emails(text: str) -> Iterator[Found]:
    """E-mail addresses as they are written."""
    for match in _EMAIL.finditer(text):
        yield Found(Kind.EMAIL, match.group().lower(), match.group(), *match.span(), 0.99)


def find_links(text: str) -> Iterator[Found]:
    """Web addresses as they are written; without "www" only with a known ending."""
    for match in _URL.finditer(text):
        yield _link(match.group().rstrip(_TRAILING), match.start())
    for match in _DOMAIN.finditer(text):
        if match[1].lower() in TOP_LEVEL and not (match[1][0].isupper() and match[1][1:].islower()):
            yield _link(match.group().rstrip(_TRAILING), match.start())


def _link(said: str, start: int) -> Found:
    scheme, sign, rest = said.rpartition("://")
    host, slash, path = rest.partition("/")
    value = f"{scheme.lower()}{sign}{host.lower()}{slash}{path}".rstrip("/")
    return Found(Kind.URL, value, said, start, start + len(said), 0.97)


def find_spoken(text: str, all_tokens: Sequence[Token]) -> Iterator[Found]:
    """Addresses as they are said. A domain needs its "dot" and a known ending."""
    past = 0
    for at, token in enumerate(all_tokens):
        if at < past or (token.word not in _DOTS and not _written_dot(all_tokens, at)):
            continue
        first = _domain_start(all_tokens, at, past)
        read = _domain(all_tokens, first)
        if read is None or (read[1] <= at + 1):
            continue
        domain, end = read
        local = _local(all_tokens, first, past)
        if local is not None and _is_mail(text, all_tokens[local[1]].start, local[0], domain):
            name, begin = local
            kind, value = Kind.EMAIL, f"{name}@{domain}"
        elif token.word in _DOTS:
            begin = first
            path, end = _path(all_tokens, end)
            kind, value = Kind.URL, domain + path
        else:
            continue
        start, stop = all_tokens[begin].start, all_tokens[end - 1].end
        yield Found(kind, value, text[start:stop], start, stop, 0.85)
        past = end


def _is_mail(text: str, start: int, local: str, domain: str) -> bool:
    """Whether "laptop at amazon dot com" is an address, and not where the laptop was bought."""
    if not local.isalpha() or _MAIL_HOST.match(domain):
        return True
    return _MAIL_WORD.search(text[max(0, start - 60) : start]) is not None


def _written_dot(all_tokens: Sequence[Token], at: int) -> bool:
    """The dot of `gmail.com`, which stands between letters."""
    if all_tokens[at].word != "." or all_tokens[at].spaced or at + 1 >= len(all_tokens):
        return False
    return not all_tokens[at + 1].spaced


def _domain_start(all_tokens: Sequence[Token], dot: int, past: int) -> int:
    """The first token of the domain whose first "dot" is token `dot`."""
    at = first = max(dot - 1, past)
    while at > past + 1 and (all_tokens[at - 1].word in _DASHES or _tight(all_tokens, at, "-")):
        at -= 2
        first = at
    for back in range(first, max(past, dot - 8) - 1, -1):
        if all_tokens[back].word in _ATS:  # "at secure refunds dot net": all of it is the domain
            return back + 1 if back + 1 < dot else first
        if not all_tokens[back].word.isalnum() and all_tokens[back].word not in "-_":
            break
    return first


def _tight(all_tokens: Sequence[Token], at: int, sign: str) -> bool:
    return all_tokens[at - 1].word == sign and not all_tokens[at - 1].spaced and not all_tokens[at].spaced


def _label(all_tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """One word, letter or number of an address."""
    token = all_tokens[at]
    if (plain := _LATIN.get(token.word)) is not None:
        return plain, at + 1
    read = group_at(all_tokens, at, True) if len(token.word) > 1 or token.is_number else None
    if read is not None:
        return read
    if token.word.isascii() and token.word.isalpha():
        return token.word, at + 1
    return None


def _domain(all_tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """A domain from token `at` on, with a known ending, and the token after it. After an "at" or "w w w" its
    words may stand apart ("g mail"), elsewhere only letters and numbers do."""
    loose = at > 0 and all_tokens[at - 1].word in _ATS
    labels = [""]
    best: tuple[str, int] | None = None
    while at < len(all_tokens) and len(labels) < 7:
        word = all_tokens[at].word
        if labels[-1] and (word in _DOTS or _written_dot(all_tokens, at)):
            labels.append("")
            at += 1
        elif labels[-1] and (word in _DASHES or (word == "-" and not all_tokens[at].spaced)):
            labels[-1] += "-"
            at += 1
        elif (
            word not in _ATS
            and (read := _label(all_tokens, at)) is not None
            and not (best and labels[-1])
            and (loose or _joins(labels[-1], read[0]))
        ):
            labels[-1] += read[0]
            at = read[1]
            loose = loose or "".join(labels) == "www"
            if len(labels) > 1 and labels[-1] in TOP_LEVEL:
                best = ".".join(labels), at
        else:
            break
    return best


def _joins(label: str, more: str) -> bool:
    """Whether two things said after each other are plainly one label: letters, numbers, after a dash."""
    return not label or label[-1] == "-" or len(more) == 1 or not more.isalpha() or label[-1].isdecimal()


def _local(all_tokens: Sequence[Token], domain: int, past: int) -> tuple[str, int] | None:
    """What is said before the "at" before token `domain`, and where it begins."""
    if domain - 2 < past or all_tokens[domain - 1].word not in _ATS:
        return None
    parts: list[str] = []
    at = begin = domain - 1
    plain = 0
    joined = True
    while at > past:
        token = all_tokens[at - 1]
        sign = _JOINS.get(token.word) or (token.word if token.word in {".", "_", "-", "+"} else "")
        if sign and not joined and (sign != "." or token.word in _DOTS or _written_dot(all_tokens, at - 1)):
            parts.append(sign)
            joined, at = True, at - 1
            continue
        read = _label_before(all_tokens, at)
        if read is None or (not joined and token.word in _PROSE):
            break
        text, start = read
        plain = plain + 1 if not joined and text.isalpha() and len(text) > 1 else 0 if joined else plain
        if plain > _MOST_WORDS - 1 or (not parts and token.word in _PROSE):
            break
        parts.append(text)
        joined, at = False, start
        begin = start
    name = "".join(reversed(parts)).lstrip("._-+")
    return (name, begin) if name and name[0].isalnum() else None


def _label_before(all_tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """The word or number that ends before token `at`, and where it begins."""
    for start in (at - 3, at - 2, at - 1):
        if start >= 0 and (read := _label(all_tokens, start)) is not None and read[1] == at:
            return read[0], start
    return None


def _path(all_tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """ "slash claim", after a domain."""
    path = ""
    while at + 1 < len(all_tokens) and (all_tokens[at].word in _SLASHES or all_tokens[at].word == "/"):
        read = _label(all_tokens, at + 1)
        if read is None:
            break
        path += "/" + read[0]
        at = read[1]
        while at + 1 < len(all_tokens) and all_tokens[at].word in _DASHES:
            more = _label(all_tokens, at + 1)
            if more is None:
                break
            path, at = f"{path}-{more[0]}", more[1]
    return path, at
