"""Floor 3: the conversation itself."""
