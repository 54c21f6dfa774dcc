"""The agent of the first call: a receptionist for a made-up salon, so that there is something to ask."""

from __future__ import annotations

from offhook.foundation.agent import Agent, Facts, Question, Service

_WEEKDAY = "09:00-18:00"


def demo_agent() -> Agent:
    """The `default` agent where the settings name no agents."""
    return Agent(
        name="default",
        persona="You are the friendly, brief receptionist of the Harbour Street hair salon.",
        greeting="Hello, Harbour Street Salon. How can I help you?",
        facts=Facts(
            business="Harbour Street Salon",
            about="We are a small hair salon by the harbour. We cut, colour and style hair for everyone.",
            address="12 Harbour Street, next to the old lighthouse",
            phone="555 0142",
            website="harbourstreet.example",
            hours={
                "monday": "closed",
                **dict.fromkeys(("tuesday", "wednesday", "thursday", "friday"), _WEEKDAY),
                "saturday": "10:00-16:00",
                "sunday": "closed",
            },
            services=[
                Service("haircut", "35 dollars", 30),
                Service("colouring", "from 80 dollars", 90),
                Service("blow-dry", "25 dollars", 30),
                Service("children's haircut", "20 dollars", 20),
            ],
            questions=_questions(),
            booking=True,
        ),
    )


def _questions() -> list[Question]:
    return [
        Question(
            ["where can I park", "is there parking", "parking"],
            "There is free parking behind the lighthouse.",
        ),
        Question(
            ["can I cancel", "cancel my appointment", "cancellation policy"],
            "You can cancel free of charge up to one day before.",
        ),
        Question(
            ["how can I pay", "do you take credit cards", "can I pay by card"],
            "We take cash and all common cards.",
        ),
    ]
