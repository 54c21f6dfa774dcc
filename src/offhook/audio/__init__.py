"""Floor 1: sound as bytes in and values out. No I/O, no clock, no event loop."""
