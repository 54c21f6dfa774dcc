"""When a caller who paused has finished: pure rules over words, sound and silence. No clock, no models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from offhook.foundation.agent import Patience

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_BACKCHANNEL_WORDS = """
mm mmm mhm mmhm hmm hm uh huh um ah oh yeah yes yep yup ok okay right sure aha wow great cool nice good
alright uhhuh gotcha exactly true really so well hello hi hey نعم أيوه اه طيب تمام
"""
_DANGLING_WORDS = """
and or but because so if when while the a an my your our their his her its to of for with from in on at about
into than that which who i'm i'd i'll we're it's um uh uhm er erm like
"""
_BACKCHANNELS = frozenset(_BACKCHANNEL_WORDS.split())
_DANGLING = frozenset(_DANGLING_WORDS.split())
_FILLERS = frozenset(("um", "uh", "uhm", "er", "erm", "hmm", "hm", "mm", "ah", "oh"))
_MAX_BACKCHANNEL_WORDS = 3
_ECHO = 0.75
ATTENDED_MAX_MS = 500
"""The longest wait for the rest of a turn while a human answers the caller: nobody is talked over if it goes
on, and the human's coach waits for the words."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a paused turn: its words and the probability that it is complete."""

    text: str
    complete: float
    language: str = ""
    failed: bool = False
    """The words could not be found."""


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return _WORD.findall(text.lower())


def is_backchannel(text: str) -> bool:
    """Whether the words only say "I am listening": they do not take the floor from a speaking agent."""
    spoken = words(text)
    return len(spoken) <= _MAX_BACKCHANNEL_WORDS and all(w in _BACKCHANNELS for w in spoken)


def is_filler(text: str) -> bool:
    """Whether there is nothing to answer: no words, or only hesitation."""
    return all(w in _FILLERS for w in words(text))


def is_echo(text: str, agent_text: str) -> bool:
    """Whether the words are the agent's own, come back through the caller's line."""
    heard, said = words(text), words(agent_text)
    if len(heard) < 3 or len(said) < len(heard):
        return False
    matcher = SequenceMatcher(None, said, heard, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks() if block.size >= 2)
    return matched / len(heard) >= _ECHO


def is_aside(text: str, agent_text: str) -> bool:
    """Whether words over a speaking agent, of somebody it does not talk with just now, leave it the floor."""
    return is_filler(text) or is_backchannel(text) or is_echo(text, agent_text)


def sounds_unfinished(text: str) -> bool:
    """Whether the words end where no sentence ends."""
    spoken = words(text)
    return bool(spoken) and (spoken[-1] in _DANGLING or text.rstrip().endswith((",", "-", "…", "...")))


def needed_silence_ms(judgement: Judgement, patience: Patience, attended: bool = False) -> int:
    """Silence that ends this turn: the short one when words and sound are complete, else the long one.
    `attended`: a human answers the caller."""
    longest = min(patience.endpoint_max_ms, ATTENDED_MAX_MS) if attended else patience.endpoint_max_ms
    if judgement.complete < 0.5 or sounds_unfinished(judgement.text):
        return longest
    return min(patience.endpoint_ms, longest)
