"""Wordings that show an intent for sure, as patterns on plain words. A table; the classifier reads it."""

from __future__ import annotations

import re

from offhook.speech.llm.receptionist.intents import Intent

_P = {
    Intent.UNKNOWN: r"\b(ignore|disregard)\b.*\b(instructions?|rules?|previous|prompt)\b|\bsystem prompt\b"
    r"|\bpretend (to be|you)\b",
    Intent.EMERGENCY: r"\b(ambulance|heart attack|on fire|not breathing|911|112|bleeding badly|(call|get) "
    r"the police)\b",
    Intent.ROBOT: r"\b(are|is|am) (you|this|i)\b.*\b(robot|bot|machine|computer|a ?i|chatbot|automated"
    r"|recording)\b"
    r"|\b(are you|is this) (a |an )?(real|actual|human|live)( person| human| being)?\b|^(robot|bot)$",
    Intent.HUMAN: r"\b(speak|talk|connect|through|transfer)\b.*\b(to|with|me)\b.*"
    r"\b(person|human|someone|somebody|anyone|operator|agent|manager|owner|boss|representative|colleague"
    r"|employee|staff)\b"
    r"|^(an? )?(operator|representative|agent|human|real person|person|0)( please)?$"
    r"|\b(put|patch) me (through|over)\b|\btransfer me\b|\bget me (a|an|the) (person|human|manager"
    r"|operator)\b"
    r"|\b(can|could|may) i (speak|talk) (to|with)\b",
    Intent.REPEAT: r"\b(repeat (that|it|please|again)|say (that|it) again|come again|say again|what did "
    r"you (just )?say)\b"
    r"|\b(did not|could not|can not|not) (quite )?(catch|hear|get)( that| you| it)\b"
    r"|^(sorry|pardon|what|huh|excuse me|i beg your pardon|pardon me|what was that|sorry what|repeat)( "
    r"what was that)?$",
    Intent.CHANGE_BOOKING: r"\b(re ?schedule|change|move|cancel|postpone)\b.*\b(my|an|the) (\w+ "
    r")?(appointment|booking|reservation)\b"
    r"|\b(have|got) (a|an|my) (booking|appointment)\b.*\b(change|move|cancel|reschedule)\b",
    Intent.CANCEL: r"^(never ?mind|forget (it|that|about it|about that)|stop|cancel( that| it| this)?"
    r"|leave it|scratch that"
    r"|i (have )?changed my mind|do not bother|quit|start over|let us stop)( please)?$",
    Intent.MESSAGE: r"\b(leave|take|pass( on)?) (a|my|the|this) message\b|\bcall ?back\b|\b(call|ring"
    r"|phone) me back\b"
    r"|\bplease tell \w+ (that )?|^tell \w+ (that )?(i|we)\b|\blet (them|him|her|\w+) know\b"
    r"|\b(tell|inform) (them|him|her|the owner"
    r"|the boss)\b",
    Intent.WAIT: r"^(hold on|wait|one (second|sec|moment|minute)|(just )?a (moment|second|minute)|hang on"
    r"|give me (a|one) (second|minute|moment|sec)|let me (think|see|check))\b",
    Intent.TIME_NOW: r"^(do you know )?what( is)? (the )?(time is it|day is it|time do you have|date is it)\b"
    r"|\bwhat is (the|today) (date|current time|time)\b|\bdo you have the time$",
    Intent.EMAIL: r"\bemail\b",
    Intent.WEBSITE: r"\b(web ?site|web ?page|home ?page|online|web address|internet page|on the internet)\b",
    Intent.PHONE: r"\b(your|the) ((tele)?phone |mobile )?number\b|\b(which|what) number\b.*\b(call|reach)\b",
    Intent.DURATION: r"\bhow (long|much time|many minutes|many hours)\b.*\b(take|takes|last|lasts|need"
    r"|plan|cut|appointment)\b|\btake long\b",
    Intent.PRICE: r"\bhow much (is|are|for|does|do|would|will|did)\b|\b(price|prices|cost|costs|charge"
    r"|pricing|rates|fee|fees)\b|\bexpensive\b",
    Intent.HOURS: r"\b(opening|business|office|working) (hours|times|ours)\b|\b(are|is) (you|it|the \w+"
    r"|your \w+)( \w+)? (still )?(open|closed)\b"
    r"|\b(when|what time|how late|until when|what hours|what ours|which days|what days?)\b.*\b(open|close"
    r"|closing|opening|closed|there)\b"
    r"|\byour hours\b|^(hours|opening hours)\b|\byou( \w+)? (open|closed)\b",
    Intent.ADDRESS: r"\bwhere (are|is|exactly)\b.*\b(you|it|shop|store|salon|place|office|located|located "
    r"at|clinic|practice)\b|\b(your|the) address\b"
    r"|\bdirections\b|\b(find|get to) (you|your|the) ?(place|shop|salon|store|office)?$|\blocated\b|\bwhat "
    r"street\b",
    Intent.SERVICES: r"\b(what|which|list) (\w+ )?(services|treatments)\b|\byour services\b|\bwhat (do"
    r"|can) you (offer|provide)\b|\bwhat you offer\b",
    Intent.BOOK: r"\b(book|reserve|schedule)\b|\b(make|get|need|want|like|have|set up|arrange) (an?"
    r"|another) (\w+ )?(appointment|reservation|slot|booking)\b"
    r"|\b(fit|squeeze|get) me in\b|\bput me down\b|\b(free|available|opening|availability)\b.*\b(slot|time"
    r"|tomorrow|today|morning|afternoon|week|\w+day)\b",
    Intent.HOW_ARE_YOU: r"^how (are you|is it going|are things|do you do|have you been|are we)( doing)?( "
    r"today| this morning| tonight)?$",
    Intent.HELP: r"^(what can (you|i) (do|ask)( for me| you)?|how can you help( me)?|help( me)?( please)?)$",
    Intent.ABOUT: r"^who (are you|is this|is there|am i (speaking|talking) (to|with))$|\bwhat (kind|sort) "
    r"of (place|business|shop|company)\b",
    Intent.UNSURE: r"^(i )?(do not know|am not sure|no idea|not sure|dunno|hard to say|do not mind|no "
    r"preference|anything|whatever)\b",
}

PATTERNS: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (intent, re.compile(pattern)) for intent, pattern in _P.items()
)
"""Tried in this order on the plain words of a sentence; the first that matches is sure."""

OPENERS = re.compile(
    r"^(?:(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|there|um|uh|uhm|er|erm|ah|oh|hmm|so"
    r"|well|right|now|then"
    r"|excuse me|sorry|please|and|also|but|i was wondering(?: if)?|i wonder(?: if)?|great|perfect|thanks"
    r"|thank you(?: so much)?"
    r"|listen|look|you know|actually|wait) )+"
)
"""What people say before what they want; dropped when something is left."""

GREETING = re.compile(r"^(hi|hello|hey|hiya|good (morning|afternoon|evening|day)|greetings|howdy)\b")
THANKS = re.compile(r"\b(thank you|thanks|thank|cheers|much appreciated)\b")
GOODBYE = re.compile(
    r"\b(bye|goodbye|good bye|bye bye|see you|see ya|good night|farewell|talk to you (soon|later)|hang up"
    r"|(have|got) to (go|run)|take care"
    r"|have a (nice|good|great|lovely) (day|one|evening|weekend|afternoon)|(that is|that will be|that was"
    r"|that would be) (all|it|everything)"
    r"|nothing else)\b|^(i am|all|we are) (done|good|set|finished)$"
)
YES = re.compile(
    r"^(yes|yeah|yep|yup|ya|sure|ok|okay|correct|right|exactly|absolutely|definitely|of course|please do"
    r"|go ahead|fine|sounds? (good|great|fine)"
    r"|perfect|great|certainly|indeed|that (is|would be) (right|correct|fine|good|great|it|perfect)|it is"
    r"|alright|all right|why not|yes please|please"
    r"|uh huh|mm ?hmm?|mhm|that works|works for me|you got it|true|all good|1)\b"
)
NO = re.compile(
    r"^(no|nope|nah|not really|not (right|correct|quite|now|today|exactly)|wrong|incorrect|negative|do not"
    r"|rather not|i would rather not|i would not"
    r"|that is (not|wrong|incorrect)|not that|no thanks|uh uh|2)\b|\b(that|it|this) is (not (right|correct"
    r"|true)|wrong|incorrect)\b"
)
