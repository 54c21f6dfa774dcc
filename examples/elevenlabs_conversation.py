"""An ElevenLabs conversation on a server without a sound card: the SDK's example, one argument changed.

    pip install offhook elevenlabs
    AGENT_ID=… ELEVENLABS_API_KEY=… python examples/elevenlabs_conversation.py

Then open the address that it prints. A public agent needs no key.
"""

from __future__ import annotations

import os
import signal

from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import Conversation

from offhook.integrations.elevenlabs import serve


def main() -> None:
    api_key = os.environ.get("ELEVENLABS_API_KEY")
    client = ElevenLabs(api_key=api_key, base_url=os.environ.get("ELEVENLABS_URL"))
    with serve() as door:
        print(f"call here: {door.page}", flush=True)
        audio = door.next_call()  # waits for a caller
        conversation = Conversation(
            client,
            os.environ["AGENT_ID"],
            requires_auth=bool(api_key),
            audio_interface=audio,  # was: DefaultAudioInterface()
            callback_agent_response=lambda text: print(f"agent: {text}", flush=True),
            callback_user_transcript=lambda text: print(f"caller: {text}", flush=True),
        )
        audio.when_hung_up(conversation.end_session)
        signal.signal(signal.SIGINT, lambda number, frame: conversation.end_session())
        conversation.start_session()
        print(f"conversation: {conversation.wait_for_session_end()}", flush=True)


if __name__ == "__main__":
    main()
