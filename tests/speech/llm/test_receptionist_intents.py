"""Intent accuracy on a tuned and a held-out set, with the embedding and without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.foundation.agent import Facts, Question, Service
from offhook.foundation.errors import MissingModelError
from offhook.speech.llm.receptionist.classify import Classifier, most_important
from offhook.speech.llm.receptionist.intents import Intent
from offhook.speech.llm.receptionist.patterns import PATTERNS
from offhook.speech.llm.receptionist.similarity import Embedding, Letters, Similarity, model_files

HERE = Path(__file__).parent
FACTS = Facts(
    business="Harbour Street Salon",
    services=[Service("haircut"), Service("colouring"), Service("blow-dry"), Service("children's haircut")],
    questions=[
        Question(["where can I park", "is there parking", "parking"], "Behind the lighthouse."),
        Question(["can I cancel", "cancel my appointment", "cancellation policy"], "One day before."),
        Question(["how can I pay", "do you take credit cards", "can I pay by card"], "Cash and cards."),
    ],
)


@pytest.fixture(scope="module")
def embedding() -> Similarity:
    try:
        model_files()
    except MissingModelError as error:
        pytest.skip(error.reason)
    return Embedding()


def accuracy(similarity: Similarity, name: str) -> float:
    classifier = Classifier(similarity, FACTS)
    lines = [line.split("\t") for line in (HERE / name).read_text().splitlines() if line[0] != "#"]
    assert len(lines) >= 120
    right = sum(most_important(classifier.meanings(text)).intent == want for want, text in lines)
    return right / len(lines)


def test_accuracy_with_the_embedding(embedding: Similarity) -> None:
    assert accuracy(embedding, "utterances_dev.tsv") >= 0.95
    assert accuracy(embedding, "utterances_heldout.tsv") >= 0.87


def test_accuracy_without_a_model() -> None:
    assert accuracy(Letters(), "utterances_dev.tsv") >= 0.88
    assert accuracy(Letters(), "utterances_heldout.tsv") >= 0.78


def test_a_configured_question_names_its_index() -> None:
    meaning = Classifier(Letters(), FACTS).meanings("Can I pay by card?")[0]
    assert (meaning.intent, meaning.question, meaning.sure) == (Intent.QUESTION, 2, True)


def test_several_sentences_have_several_meanings() -> None:
    meanings = Classifier(Letters(), FACTS).meanings(
        "Hello. Where are you? How much is a haircut? Thanks! Bye. No."
    )
    assert [m.intent for m in meanings] == [Intent.GREET, Intent.ADDRESS, Intent.PRICE, Intent.THANKS]
    assert most_important(meanings).intent in {Intent.ADDRESS, Intent.PRICE}
    assert most_important([]).intent is Intent.UNKNOWN


def test_every_pattern_belongs_to_an_intent_once() -> None:
    names = [intent for intent, _ in PATTERNS]
    assert len(names) == len(set(names))


def test_embedding_is_cached_and_of_unit_length(embedding: Similarity) -> None:
    first = embedding.vectors(["hello", "hello", "goodbye"])
    assert first.shape == (3, 384)
    assert abs(float(first[0] @ first[1]) - 1) < 1e-5
    assert float(first[0] @ first[2]) < 0.9
