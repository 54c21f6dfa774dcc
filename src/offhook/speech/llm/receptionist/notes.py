"""The message dialogue: name, number and text, read back before they are passed on. Pure."""

from __future__ import annotations

from dataclasses import replace

from offhook.speech.base import ToolCall
from offhook.speech.llm.receptionist import slots
from offhook.speech.llm.receptionist.answers import wants_message_text
from offhook.speech.llm.receptionist.booking import phone_phrase
from offhook.speech.llm.receptionist.intents import Intent
from offhook.speech.llm.receptionist.scene import Scene
from offhook.speech.llm.receptionist.state import Draft, Reply, State, Step

_MISSES = 3
_ENOUGH_DIGITS = 7


def start(scene: Scene, lead: str = "") -> Reply:
    """A caller wants to leave a message; `lead` is said before the first question."""
    known = scene.state.draft
    draft = Draft(
        name=slots.stated_name(scene.text) or known.name,
        phone=known.phone,
        text=wants_message_text(scene) if not lead else "",
    )
    return advance(scene, draft, lead)


def fill(scene: Scene) -> Reply:
    """The answer to the open question of a message."""
    draft, step = scene.state.draft, scene.state.step
    if step is Step.NOTE_NAME:
        name = slots.bare_name(scene.text)
        return advance(scene, replace(draft, name=name)) if name else missed(scene)
    if step is Step.NOTE_PHONE:
        return _number(scene)
    if text := slots.sentence(scene.text):
        return advance(scene, replace(draft, text=text))
    return missed(scene)


def _number(scene: Scene) -> Reply:
    said, so_far = slots.callback(scene.words), scene.state.digits
    draft = scene.state.draft
    if said is None and so_far and scene.meaning.intent in (Intent.YES, Intent.NO):
        return advance(scene, replace(draft, phone=so_far))
    if said is None:
        refused = scene.meaning.intent in (Intent.NO, Intent.UNSURE)
        return advance(scene, replace(draft, phone="")) if refused else missed(scene)
    if not said.isdigit():
        return advance(scene, replace(draft, phone=said))
    whole = so_far + said
    if len(whole) < _ENOUGH_DIGITS:
        state = replace(scene.state, digits=whole, misses=0)
        return scene.reply(scene.say("go_on", digits=" ".join(whole)), state=state)
    return advance(scene, replace(draft, phone=whole))


def confirm(scene: Scene) -> Reply:
    """ "Shall I pass it on?" was answered."""
    draft = scene.state.draft
    if scene.meaning.intent is Intent.YES:
        return _noted(scene, draft)
    return change(scene)


def change(scene: Scene) -> Reply:
    """ "What should I change?", or a correction at once."""
    draft, said = scene.state.draft, set(scene.words)
    if (name := slots.stated_name(scene.text)) and name != draft.name:
        return advance(scene, replace(draft, name=name))
    number = slots.callback(scene.words)
    if number and number.isdigit() and len(number) >= _ENOUGH_DIGITS:
        return advance(scene, replace(draft, phone=number))
    if "name" in said:
        return advance(scene, replace(draft, name=""))
    if said & {"number", "phone"}:
        return advance(scene, replace(draft, phone=None))
    if said & {"message", "text"}:
        return advance(scene, replace(draft, text=""))
    if scene.meaning.intent is Intent.NO and scene.state.step is Step.NOTE_CONFIRM:
        state = State(Step.NOTE_CHANGE, draft)
        return scene.reply(scene.say("ask_note_change"), state=state)
    return missed(scene)


def advance(scene: Scene, draft: Draft, lead: str = "") -> Reply:
    """Ask for the first thing that is missing, or read the message back."""
    if not draft.name:
        step = Step.NOTE_NAME
    elif draft.phone is None:
        step = Step.NOTE_PHONE
    elif not draft.text:
        step = Step.NOTE_TEXT
    else:
        step = Step.NOTE_CONFIRM
    return scene.reply(lead, _question(scene, draft, step), state=State(step, draft))


def again(scene: Scene) -> tuple[str, ...]:
    """The open question of a message in a fresh wording."""
    return (_question(scene, scene.state.draft, scene.state.step),)


def missed(scene: Scene) -> Reply:
    """The answer did not help: ask again, and after three times let it be."""
    state = scene.state
    if state.misses + 1 >= _MISSES:
        parts = (scene.say("give_up"), scene.say("anything_else"))
        return scene.reply(*parts, state=State(Step.ANYTHING_ELSE))
    return scene.reply(scene.say("not_caught"), *again(scene), state=replace(state, misses=state.misses + 1))


_KEYS = {
    Step.NOTE_NAME: "ask_note_name",
    Step.NOTE_PHONE: "ask_note_phone",
    Step.NOTE_TEXT: "ask_note_text",
    Step.NOTE_CHANGE: "ask_note_change",
}


def _question(scene: Scene, draft: Draft, step: Step) -> str:
    if step in _KEYS:
        return scene.say(_KEYS[step])
    return scene.say("confirm_note", name=draft.name, phone=phone_phrase(scene, draft.phone), text=draft.text)


def _noted(scene: Scene, draft: Draft) -> Reply:
    arguments = {"name": draft.name, "phone": draft.phone or "", "message": draft.text}
    call = ToolCall("take_message", arguments)
    said = (scene.say("noted"), scene.say("anything_else"))
    return scene.reply(*said, state=State(Step.ANYTHING_ELSE), calls=(call,))
