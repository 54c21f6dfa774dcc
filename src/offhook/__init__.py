"""Offhook: a self-hosted server for real-time voice calls with AI."""

__version__ = "0.1.0"
