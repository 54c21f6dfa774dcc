"""Roof: HTTP and WebSocket doors."""
