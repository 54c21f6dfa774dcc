"""Floor 2: recognizers, voices, language models, voice activity and end-of-turn models."""
