"""English words for months, units and currencies as they are written. Tables only."""

from __future__ import annotations


def table(text: str) -> dict[str, str]:
    """Lines of "written = spoken", several a line parted by semicolons."""
    pairs = (pair.split("=") for line in text.splitlines() for pair in line.split(";") if "=" in pair)
    return {written.strip(): said.strip() for written, said in pairs}


MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}
CODES = table("""
USD = dollar; EUR = euro; GBP = pound; CHF = franc; AED = dirham; SAR = riyal; INR = rupee
KWD = Kuwaiti dinar; BHD = Bahraini dinar; JOD = Jordanian dinar; QAR = Qatari riyal; EGP = Egyptian pound
AUD = Australian dollar; CAD = Canadian dollar
""")
UNITS = table("""
km/h = kilometre per hour; mph = mile per hour; km = kilometre; cm = centimetre; mm = millimetre; m = metre
mi = mile; ft = foot; kg = kilogram; mg = milligram; g = gram; lb = pound; lbs = pound; oz = ounce; l = litre
ml = millilitre; min = minute; mins = minute; hr = hour; hrs = hour; h = hour; sec = second; secs = second
ms = millisecond; GB = gigabyte; MB = megabyte; kHz = kilohertz; Hz = hertz; kW = kilowatt; W = watt; V = volt
°C = degree Celsius; °F = degree Fahrenheit; ° = degree
""")
