"""Times the steps of bench/steps.ts in PyTorch on request, in milliseconds."""
import json
import sys
import time

from steps import make

steps = {}
# One line in, one timed step out: the caller alternates these with its own. As in training it follows another step.
for line in sys.stdin:
    name = line.strip()
    if name not in steps:
        steps[name] = make[name]()
    steps[name]()
    start = time.perf_counter()
    steps[name]()
    print(json.dumps((time.perf_counter() - start) * 1000), flush=True)
