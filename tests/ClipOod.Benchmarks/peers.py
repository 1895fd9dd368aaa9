"""The same work as ours, on the same data, by the libraries that people use for it.

    python3 peers.py TASK FOLDER

TASK is one of those at the end; FOLDER holds the data as raw little-endian arrays. Prints one JSON object: seconds and
processor seconds of the work (data loading and one small warm-up left out), a value to compare with ours, and the
library's version. The environment's OPENBLAS_* variables are expected to be unset.
"""

import json
import os
import sys
import time

import numpy as np


def unit_rows(folder, name, width=512):
    return np.fromfile(os.path.join(folder, name), dtype="<f4").reshape(-1, width)


def timed(work):
    start, processor = time.perf_counter(), time.process_time()
    value = work()
    return time.perf_counter() - start, time.process_time() - processor, float(value)


def numpy_1nn(folder):
    train, queries = unit_rows(folder, "train.f32"), unit_rows(folder, "queries.f32")

    def work(rows):
        # Blocks of 256 queries: the whole product would take 400 MB.
        blocks = [rows[i : i + 256] @ train.T for i in range(0, len(rows), 256)]
        return np.concatenate([block.max(axis=1) for block in blocks]).mean()

    work(queries[:256])
    return timed(lambda: work(queries)) + (f"numpy {np.__version__}",)


def faiss_1nn(folder):
    import faiss

    train, queries = unit_rows(folder, "train.f32"), unit_rows(folder, "queries.f32")
    index = faiss.IndexFlatIP(train.shape[1])
    index.add(train)
    index.search(queries[:256], 1)
    return timed(lambda: index.search(queries, 1)[0].mean()) + (f"faiss {faiss.__version__}",)


def sklearn_ood(folder, work):
    import sklearn

    sides = [np.fromfile(os.path.join(folder, name), dtype="<f8") for name in ("id.f64", "ood.f64")]
    scores = np.concatenate(sides)
    truth = np.concatenate([np.ones(len(sides[0]), dtype=np.int8), np.zeros(len(sides[1]), dtype=np.int8)])
    work(truth[::1000], scores[::1000])
    return timed(lambda: work(truth, scores)) + (f"scikit-learn {sklearn.__version__}",)


def fpr95(curve):
    fpr, tpr, _ = curve
    return fpr[np.argmax(tpr >= 0.95)]


def sklearn_two_calls(folder):
    from sklearn.metrics import roc_auc_score, roc_curve

    return sklearn_ood(folder, lambda truth, scores: roc_auc_score(truth, scores) + fpr95(roc_curve(truth, scores)))


def sklearn_one_curve(folder):
    from sklearn.metrics import auc, roc_curve

    def work(truth, scores):
        curve = roc_curve(truth, scores)
        return auc(curve[0], curve[1]) + fpr95(curve)

    return sklearn_ood(folder, work)


def torch_head(folder):
    import torch

    x = torch.from_numpy(unit_rows(folder, "head.f32"))
    y = torch.from_numpy(np.fromfile(os.path.join(folder, "labels.i32"), dtype="<i4").astype(np.int64))

    def work(epochs, rows):
        torch.manual_seed(0)
        head = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
        optimizer = torch.optim.SGD(head.parameters(), lr=0.001, momentum=0.99)
        loss_of = torch.nn.CrossEntropyLoss()
        for _ in range(epochs):
            total = 0.0
            order = torch.randperm(rows)
            for batch in order.split(16):
                optimizer.zero_grad()
                loss = loss_of(head(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
        return total / rows

    work(1, 1600)
    return timed(lambda: work(10, len(x))) + (f"PyTorch {torch.__version__}",)


TASKS = {
    "numpy-1nn": numpy_1nn,
    "faiss-1nn": faiss_1nn,
    "sklearn-two-calls": sklearn_two_calls,
    "sklearn-one-curve": sklearn_one_curve,
    "torch-head": torch_head,
}

if __name__ == "__main__":
    seconds, processor, value, version = TASKS[sys.argv[1]](sys.argv[2])
    print(json.dumps({"seconds": seconds, "processor": processor, "value": value, "version": version}))
