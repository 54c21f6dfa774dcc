"""Floor 2: what is kept: rows and recordings."""
