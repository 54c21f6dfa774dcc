"""How callers feel, by their words and their voice, turn by turn. See docs/sentiment.md."""
