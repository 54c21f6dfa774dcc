"""Builds a corpus of human 8 kHz utterances with reference texts from a Debian package; measures nothing.

    python bench/speech_corpus.py DIR

needs apt-get and dpkg-deb. DIR gets NAME.wav (PCM16, 8 kHz, trimmed of silence) and texts.json
({name: text}). The recordings are from `asterisk-core-sounds-en-wav` (voice: Allison Smith,
© Digium, CC-BY-SA 3.0) and are not part of Offhook: do not ship them without that attribution.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

PACKAGE = "asterisk-core-sounds-en-wav"
TEXTS = {
    "cannot-complete-as-dialed": "Your call cannot be completed as dialed.",
    "check-number-dial-again": "Please check the number and dial again.",
    "conf-onlyone": "There is currently one other participant in the conference.",
    "conf-placeintoconf": "You will now be placed into the conference.",
    "conf-waitforleader": "The conference will begin when the leader arrives.",
    "demo-nomatch": "I'm sorry, there are no matches for those keywords.",
    "enter-num-blacklist": "Please enter the number to be blacklisted.",
    "feature-not-avail-line": "That feature is not available on this line.",
    "followme/pls-hold-while-try": "Please hold while I try to locate the person you are calling.",
    "followme/sorry": "I'm sorry, but I was unable to locate the person you are calling.",
    "invalid": "I am sorry, that's not a valid extension. Please try again.",
    "privacy-prompt": "Please enter your phone number, starting with the area code.",
    "privacy-unident": "The party you are trying to reach does not accept unidentified calls.",
    "ss-noservice": "The number you have dialed is not in service. Please check the number and try again.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment.",
    "vm-msgforwarded": "Your message has been successfully forwarded.",
    "vm-mismatch": "The passwords you entered and re-entered did not match. Please try again.",
    "vm-tempgreetactive": "Your temporary greeting is currently active.",
    "vm-whichbox": "To leave a message, please enter a mailbox number.",
    "please-try-call-later": "Please try your call again later.",
}


def trimmed(samples: np.ndarray) -> np.ndarray:
    """The sound between the first and the last 20 ms louder than -45 dBFS, with 20 ms on both sides."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    loud = np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > 32768 * 10 ** (-45 / 20))
    return samples[max(0, (loud[0] - 1) * 160) : (loud[-1] + 2) * 160]


def build(target: Path) -> int:
    """Write the corpus into `target`; the number of utterances. Raises CalledProcessError."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=scratch, check=True, stdout=sys.stderr)
        package = next(Path(scratch).glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), scratch], check=True)
        sounds = next(Path(scratch).glob("usr/share/asterisk/sounds/en_US*"))
        texts = {}
        for name, text in TEXTS.items():
            with wave.open(str(sounds / f"{name}.wav")) as source:
                samples = np.frombuffer(source.readframes(source.getnframes()), "<i2")
            flat = name.replace("/", "-")
            with wave.open(str(target / f"{flat}.wav"), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(8000)
                out.writeframes(trimmed(samples).tobytes())
            texts[flat] = text
    (target / "texts.json").write_text(json.dumps(texts, indent=1) + "\n")
    return len(texts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{build(Path(sys.argv[1]))} utterances in {sys.argv[1]}")
