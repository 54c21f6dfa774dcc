"""Floor 0: words, errors, clock, queues and tasks that every other floor may use."""
