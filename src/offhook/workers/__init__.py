"""Roof: several server processes on one port, and what they share."""
