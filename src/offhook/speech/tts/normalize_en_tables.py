"""English words for abbreviations and acronyms as they are written. Tables only."""

from __future__ import annotations

from offhook.speech.spoken.english_tables import table

TOP_LEVEL = (
    "com|org|net|edu|gov|info|biz|io|ai|app|dev|co|uk|us|ca|de|fr|es|it|nl|eu|ch|at|au|nz|ie|example|test"
    "|shop|salon"
)
ABBREVIATIONS = table("""
Dr. = Doctor; Mr. = Mister; Mrs. = Missus; Ms. = Miz; Prof. = Professor; Ave. = Avenue; Rd. = Road
Blvd. = Boulevard; Apt. = apartment; Inc. = Incorporated; Ltd. = Limited; Jr. = Junior; Sr. = Senior
e.g. = for example; i.e. = that is; etc. = and so on; vs. = versus; approx. = approximately
dept. = department; tel. = telephone; ext. = extension; incl. = including
Mon. = Monday; Tue. = Tuesday; Wed. = Wednesday; Thu. = Thursday; Fri. = Friday
""")
ACRONYMS = table("""
OK = okay; ASAP = as soon as possible; IT = I T; US = U S; NASA = Nasa; NATO = Nato; PIN = pin; SIM = sim
COVID = Covid; RAM = ram; GIF = gif; ZIP = zip
""")
"""Acronyms that are not spelled letter by letter as they stand."""
