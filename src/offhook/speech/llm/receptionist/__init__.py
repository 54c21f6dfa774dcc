"""A receptionist that answers from an agent's facts without a language model."""

from offhook.speech.llm.receptionist.provider import Receptionist, ReceptionistChat

__all__ = ["Receptionist", "ReceptionistChat"]
