"""Makes the coach that the settings describe: its brain, its profiles, its thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from offhook.desk.coach.brain import Brain
from offhook.desk.coach.coach import Counsel
from offhook.desk.coach.coach_desk import CoachDesk, Rules
from offhook.desk.coach.llm_brain import LlmBrain
from offhook.desk.coach.sense import Sense
from offhook.foundation.people import Stance
from offhook.providers import vendors
from offhook.settings import Settings
from offhook.settings.keys import coach_llm
from offhook.speech.llm.anthropic import Anthropic
from offhook.speech.llm.forms import AnthropicForms, FormFiller, OpenAiForms
from offhook.speech.llm.openai import OpenAi

QUESTIONS = 8
"""Cards that the model may be asked for at a time."""


def make_coach(settings: Settings) -> CoachDesk | None:
    """The coach of the house, or None where it is off. Raises ProviderError."""
    own = settings.coach
    if not own.enabled:
        return None
    brain = _brain(settings) if own.brain == "llm" else None
    counsel = Counsel(
        brain,
        "" if own.language == "auto" else own.language,
        own.deadline_seconds,
        asyncio.Semaphore(QUESTIONS),
        Sense(),
        ThreadPoolExecutor(1, "offhook-speech-coach"),
    )
    stances = {Stance.JOIN, Stance.TAKE_OVER}
    if own.listeners:
        stances |= {Stance.LISTEN, Stance.COACH}
    profile_of = {name: agent.coach for name, agent in settings.agents.items() if agent.coach}
    return CoachDesk(Rules(own.all_profiles(), own.profile, profile_of, frozenset(stances)), counsel)


def _brain(settings: Settings) -> Brain:
    llm = vendors.llm(coach_llm(settings), settings, alone=True)
    filler: FormFiller
    if isinstance(llm, Anthropic):
        filler = AnthropicForms(llm)
    else:
        assert isinstance(llm, OpenAi)
        filler = OpenAiForms(llm)
    if settings.coach.llm_model:
        llm.model = settings.coach.llm_model
    return LlmBrain(filler, settings.coach.deadline_seconds)
