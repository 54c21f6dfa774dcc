"""Floor 2: how a leg is connected to the outside world."""
