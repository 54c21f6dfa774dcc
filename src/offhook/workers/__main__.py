"""A worker's entry point; only the supervisor starts it."""

from offhook.workers.worker import main

raise SystemExit(main())
