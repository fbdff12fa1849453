"""One of the timed steps in PyTorch: a line after the first, then the peak of resident memory in KiB after some more."""
import resource
import sys

from steps import make

step = make[sys.argv[1]]()
step()
print("stepped", flush=True)
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
