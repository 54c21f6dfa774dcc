"""Rules of the house by which a live call asks for a human. See docs/sentiment.md."""
