"""`python -m offhook` is the `offhook` command."""

from __future__ import annotations

from offhook.cli.main import main

main()
