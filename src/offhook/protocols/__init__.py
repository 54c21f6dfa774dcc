"""Floor 1: wire formats, one vendor a file. Bytes in, values out; no sockets, no clock."""
