"""Offhook: a self-hosted server for real-time voice calls with AI."""

import os

__version__ = "0.1.0"

# onnxruntime 1.31 on Linux reports its use to its maker unless this is set before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# numpy's products are many and small here: threads of its own would cost more than they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
