"""Floor 3: what makes the agent speak."""
