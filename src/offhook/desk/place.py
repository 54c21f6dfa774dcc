"""One person on one live call: what they wish is judged, done and noted. Routes no sound."""

from __future__ import annotations

from collections.abc import Callable

from offhook.call.directory import LiveCall
from offhook.call.seat import Seat
from offhook.channels.live_channel import LiveChannel
from offhook.channels.live_guest import Welcome
from offhook.desk.deeds import Deeds
from offhook.desk.ports import Aid
from offhook.desk.roles import may_command, may_stand
from offhook.desk.warm.warm_desk import WarmDesk
from offhook.foundation.desk_events import CardChanged, CardFeedback, CardStatus, EntityPinned
from offhook.foundation.errors import NotFoundError, RefusedError
from offhook.foundation.events import EndReason
from offhook.foundation.people import Person, Stance
from offhook.protocols.live import (
    AiSpeaks,
    CardAct,
    CardAction,
    CoachNow,
    CoachWish,
    End,
    HandBack,
    Hold,
    Inject,
    Instruct,
    Leave,
    Mute,
    Pin,
    Say,
    SetStance,
    Transfer,
    Warm,
    WarmAct,
    WarmStep,
    Wish,
)
from offhook.protocols.live_words import Seating, SeatView


def seating_of(call: LiveCall) -> Seating:
    """How a call is conducted now."""
    bridge = call.session.bridge
    holder = bridge.holder
    seats = [SeatView(s.id, s.leg, s.person.name, s.stance, s.muted) for s in bridge.seats]
    return Seating(bridge.mode, holder.id if holder is not None else "", bridge.hears(), seats)


class Place:
    """`deeds` does and notes what concerns the whole call; `left` is told when the person is gone, `check`
    raises RefusedError for one who is no longer logged in."""

    def __init__(
        self,
        call: LiveCall,
        seat: Seat,
        channel: LiveChannel,
        deeds: Deeds,
        left: Callable[[Place], None],
        check: Callable[[Place], None],
    ) -> None:
        self.call = call
        self.seat = seat
        self.channel = channel
        self.aid: Aid | None = None
        self.warm: WarmDesk | None = None
        self.bring_aid: Callable[[], Aid | None] = lambda: None
        self._deeds = deeds
        self._left = left
        self._check = check
        self._leaving = False
        self._unwatch = call.session.timeline.watch(channel.tell)

    @property
    def person(self) -> Person:
        return self.seat.person

    def welcome(self) -> Welcome:
        """For the channel."""
        timeline = self.call.session.timeline
        return Welcome(
            call_id=self.call.id,
            listener=self.seat,
            obey=self.obey,
            started_at=timeline.started_at,
            leg=self.seat.leg,
            seat=self.seat.id,
            stance=self.seat.stance,
            seating=lambda: seating_of(self.call),
            history=tuple(timeline.recent),
            coach=self.aid.settings() if self.aid is not None else {},
            stays=self.call.stays,
            left=self.gone,
        )

    def obey(self, wish: Wish) -> None:
        """Raises OffhookError for what is refused; then nothing is changed."""
        self._check(self)
        person, call, bridge = self.person, self.call, self.call.session.bridge
        command = name_of(wish)
        if not may_command(person, command, call.agent):
            raise RefusedError("you may not do this on this call")
        match wish:
            case SetStance(stance):
                self._stand(stance)
            case HandBack():
                if bridge.holder is not self.seat:
                    raise RefusedError("you have not taken this call over")
                self._stand(Stance.LISTEN)
            case AiSpeaks(on):
                if bridge.holder is not self.seat:
                    raise RefusedError("the agent speaks for whoever has taken the call over")
                self._deeds.speak_for(person, call, on)
            case Mute(on):
                self.seat.muted = on
                self.channel.changed()
            case Hold(on):
                self._deeds.hold(person, call, on)
            case Say(text):
                self._deeds.say(person, call, text)
            case Instruct(text):
                self._deeds.instruct(person, call, text)
            case Inject(clip):
                self._deeds.begin_inject(person, call, clip, self.channel.complain)
            case Transfer(to):
                self._deeds.transfer(person, call, to)
            case Warm(to, reason, coach, auto):
                self._warm().ask(person, call, to, reason, coach, auto)
            case WarmAct():
                self._warm_act(wish)
            case CoachNow():
                self._coach().coach_now()
            case CoachWish():
                self._coach().wish(wish)
            case CardAct():
                self._card(wish)
            case Pin(id, pinned, added):
                if added and id.startswith("entity_"):
                    raise RefusedError("ids of this form are given by the server; choose another id")
                call.session.timeline.emit(EntityPinned(id, person.id, pinned, added or {}))
                self._deeds.note(person, call, "pin", entity=id, pinned=pinned)
            case End():
                self._deeds.hang_up(person, call)
            case Leave():
                self._leaving = True
                self.channel.dismiss()

    def eject(self) -> None:
        """The person's session is over."""
        self._deeds.note(self.person, self.call, "ejected", seat=self.seat.id)
        self.channel.hang_up(EndReason.REFUSED)

    def gone(self, reason: EndReason) -> None:
        """The socket is gone, and the seat is empty."""
        self._unwatch()
        if self.aid is not None:
            self.aid.leave()
        lost = reason is EndReason.PEER_LOST and not self._leaving
        self._deeds.note(self.person, self.call, "lost" if lost else "left", seat=self.seat.id)
        self._left(self)

    def _stand(self, stance: Stance) -> None:
        if not may_stand(self.person, stance, self.call.agent):
            raise RefusedError("you may not do this on this call")
        before = self.seat.stance
        if before is Stance.CONSULT and stance is not before:
            self._decide(stance)
            return
        if stance is Stance.CONSULT and stance is not before:
            self._warm().check(self.person, self.call.id)
            self._uncoached()  # one ear, one voice: the briefing's
        self.call.session.bridge.set_stance(self.seat, stance)
        if stance is not before:
            detail = {"seat": self.seat.id, "stance": stance, "before": before}
            self._deeds.note(self.person, self.call, "stance", **detail)
        if stance is Stance.CONSULT and stance is not before:
            self._warm().sat(self, self.call.id)

    def _decide(self, stance: Stance) -> None:
        """Who is told about the call takes it over, or anything else: that answers what they were asked."""
        if stance is Stance.TAKE_OVER:
            self._warm().connect(self.person, self.call.id)
        else:
            self._warm().decline(self.person, self.call.id)

    def _uncoached(self) -> None:
        aid, self.aid = self.aid, None
        if aid is not None:
            aid.leave()

    def coached(self) -> None:
        """From now on the coach is there for this person, who took the call over."""
        if self.aid is None:
            self.aid = self.bring_aid()
            if self.aid is not None:
                self.channel.coached(dict(self.aid.settings()))

    def _warm(self) -> WarmDesk:
        if self.warm is None:
            raise RefusedError("nobody can be asked here")
        return self.warm

    def _warm_act(self, act: WarmAct) -> None:
        """Raises NotFoundError, ConflictError, RefusedError."""
        warm, person, call_id = self._warm(), self.person, self.call.id
        match act.step:
            case WarmStep.CONNECT:
                warm.connect(person, call_id, act.coach)
            case WarmStep.DECLINE:
                warm.decline(person, call_id)
            case WarmStep.AGAIN:
                warm.again(person, call_id)
            case WarmStep.CANCEL:
                warm.cancel(person, call_id)

    def _coach(self) -> Aid:
        if self.aid is None:
            raise RefusedError("there is no coach on this call")
        return self.aid

    def _card(self, act: CardAct) -> None:
        timeline, person = self.call.session.timeline, self.person
        match act.action:
            case CardAction.FEEDBACK:
                timeline.emit(CardFeedback(act.id, person.id, act.value))
            case CardAction.SAY:
                card = self.channel.card(act.id)
                text = act.value or (card.recommended_response if card is not None else "")
                if not text:
                    raise NotFoundError("there is no such card, or it has nothing to say")
                self._deeds.say(person, self.call, text, card=act.id)
                self._settle(act.id, CardStatus.USED)
            case CardAction.USED | CardAction.DISMISSED if self.aid is None:
                used = act.action is CardAction.USED
                self._settle(act.id, CardStatus.USED if used else CardStatus.DISMISSED)
            case _:
                self._coach().card(act)

    def _settle(self, card_id: str, status: CardStatus) -> None:
        if self.aid is not None:
            action = CardAction.USED if status is CardStatus.USED else CardAction.DISMISSED
            self.aid.card(CardAct(card_id, action))
        else:
            changed = CardChanged(card_id, status, self.seat.id, self.person.id)
            self.call.session.timeline.emit(changed)


_NAMES: dict[type[Wish], str] = {
    SetStance: "stance",
    HandBack: "hand_back",
    Hold: "hold",
    AiSpeaks: "ai_speaks",
    Mute: "mute",
    Say: "say",
    Instruct: "instruct",
    Inject: "inject",
    Transfer: "transfer",
    Warm: "warm",
    WarmAct: "warm_act",
    CoachNow: "coach_now",
    CoachWish: "coach",
    Pin: "pin",
    End: "end",
    Leave: "leave",
}


def name_of(wish: Wish) -> str:
    """The name of a wish in the table of roles."""
    if isinstance(wish, CardAct):
        return "card.say" if wish.action is CardAction.SAY else "card"
    return _NAMES[type(wish)]
