"""Exact search in faiss's flat index: a line `METRIC K` on standard input is one run, its milliseconds the answer."""
import sys
import time

import faiss
import numpy as np

queries, gallery, dimension = (int(each) for each in sys.argv[1].split(","))
faiss.omp_set_num_threads(2)
random = np.random.default_rng(0)


def unit(rows):
    vectors = random.standard_normal((rows, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


asked, searched = unit(queries), unit(gallery)
indexes = {}
for line in sys.stdin:
    metric, k = line.split()
    if metric not in indexes:
        indexes[metric] = faiss.IndexFlatL2(dimension) if metric == "l2" else faiss.IndexFlatIP(dimension)
        indexes[metric].add(searched)
    start = time.perf_counter()
    indexes[metric].search(asked, int(k))
    print((time.perf_counter() - start) * 1000, flush=True)
