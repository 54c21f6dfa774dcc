"""Warm transfer: a human is asked, told about the call in private, then connected. See docs/desk.md."""
