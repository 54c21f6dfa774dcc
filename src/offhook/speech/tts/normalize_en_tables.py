"""English words for units, currencies, abbreviations and acronyms as they are written. Tables only."""

from __future__ import annotations


def _table(text: str) -> dict[str, str]:
    """Lines of "written = spoken", several a line parted by semicolons."""
    pairs = (pair.split("=") for line in text.splitlines() for pair in line.split(";") if "=" in pair)
    return {written.strip(): said.strip() for written, said in pairs}


MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
TOP_LEVEL = (
    "com|org|net|edu|gov|info|biz|io|ai|app|dev|co|uk|us|ca|de|fr|es|it|nl|eu|ch|at|au|nz|ie|example|test"
    "|shop|salon"
)
CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}
CODES = {"USD": "dollar", "EUR": "euro", "GBP": "pound", "CHF": "franc", "AED": "dirham", "SAR": "riyal"}
UNITS = _table("""
km/h = kilometre per hour; mph = mile per hour; km = kilometre; cm = centimetre; mm = millimetre; m = metre
mi = mile; ft = foot; kg = kilogram; mg = milligram; g = gram; lb = pound; lbs = pound; oz = ounce; l = litre
ml = millilitre; min = minute; mins = minute; hr = hour; hrs = hour; h = hour; sec = second; secs = second
ms = millisecond; GB = gigabyte; MB = megabyte; kHz = kilohertz; Hz = hertz; kW = kilowatt; W = watt; V = volt
°C = degree Celsius; °F = degree Fahrenheit; ° = degree
""")
ABBREVIATIONS = _table("""
Dr. = Doctor; Mr. = Mister; Mrs. = Missus; Ms. = Miz; Prof. = Professor; Ave. = Avenue; Rd. = Road
Blvd. = Boulevard; Apt. = apartment; Inc. = Incorporated; Ltd. = Limited; Jr. = Junior; Sr. = Senior
e.g. = for example; i.e. = that is; etc. = and so on; vs. = versus; approx. = approximately
dept. = department; tel. = telephone; ext. = extension; incl. = including
Mon. = Monday; Tue. = Tuesday; Wed. = Wednesday; Thu. = Thursday; Fri. = Friday
""")
ACRONYMS = _table("""
OK = okay; ASAP = as soon as possible; IT = I T; US = U S; NASA = Nasa; NATO = Nato; PIN = pin; SIM = sim
COVID = Covid; RAM = ram; GIF = gif; ZIP = zip
""")
"""Acronyms that are not spelled letter by letter as they stand."""
