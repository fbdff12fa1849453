"""Exact search of all against all with faiss's flat index: a line on standard input is one run, its milliseconds the answer."""
import sys
import time

import faiss
import numpy as np

ROWS, DIMENSION, PER_CLASS = 60_000, 128, 10
faiss.omp_set_num_threads(2)
random = np.random.default_rng(0)
centres = random.uniform(-1, 1, (ROWS // PER_CLASS, DIMENSION))
vectors = np.repeat(centres, PER_CLASS, axis=0) + random.uniform(-1, 1, (ROWS, DIMENSION))
vectors = np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

for line in sys.stdin:
    start = time.perf_counter()
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(vectors)
    index.search(vectors, PER_CLASS + 1)
    print((time.perf_counter() - start) * 1000, flush=True)
