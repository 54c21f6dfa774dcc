"""Floor 2: live events to those who watch."""
