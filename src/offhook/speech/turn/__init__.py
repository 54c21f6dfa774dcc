"""End-of-turn detection, one provider a file."""
