"""Arrays in, numbers out: the models, their training, and the synthetic ward."""

import os

# From 1.31 on onnxruntime for Linux reports its use to its makers, and keeps a device's id, unless
# this is set before it is imported. Nothing that stands beside a cot may do that unasked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
