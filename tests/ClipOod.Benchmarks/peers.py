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


def import_torch():
    """PyTorch with a thread per processor, as ours has; Debian's takes one by itself."""
    import torch

    # Debian's package takes any BLAS. With the reference one, which comes with it, it is many times slower than the
    # PyTorch that people know, and a comparison would flatter ours.
    with open("/proc/self/maps") as maps:
        if "/blas/libblas.so" in maps.read():
            sys.exit("PyTorch runs on the reference BLAS here: install OpenBLAS (libopenblas0-pthread) to compare.")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return torch


def torch_head(folder):
    torch = import_torch()
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


def safetensors(path):
    """The tensors of a safetensors file of F32, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
    header.pop("__metadata__", None)
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=start)
    return {
        name: data[slice(*entry["data_offsets"])].view("<f4").reshape(entry["shape"]) for name, entry in header.items()
    }


def clip_tower(folder, heads, text):
    """A tower of CLIP in plain PyTorch (its own attention, GELU), with the weights in model.safetensors."""
    torch = import_torch()
    nn = torch.nn
    weights = safetensors(os.path.join(folder, "model.safetensors"))
    prefix = "" if text else "visual."
    width = weights[prefix + "transformer.resblocks.0.ln_1.weight"].shape[0]
    layers = sum(name.startswith(prefix + "transformer") and name.endswith("ln_1.weight") for name in weights)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
            self.mlp = nn.Sequential()
            self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
            self.mlp.add_module("gelu", nn.GELU())
            self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

        def forward(self, x, mask=None):
            normed = self.ln_1(x)
            x = x + self.attn(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
            return x + self.mlp(self.ln_2(x))

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = nn.Module()
            self.transformer.resblocks = nn.ModuleList(Block() for _ in range(layers))

        def blocks(self, x, mask=None):
            for block in self.transformer.resblocks:
                x = block(x, mask)
            return x

    class Image(Tower):
        def __init__(self):
            super().__init__()
            patch = weights["visual.conv1.weight"].shape[-1]
            self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
            self.class_embedding = nn.Parameter(torch.zeros(width))
            self.positional_embedding = nn.Parameter(torch.zeros(weights["visual.positional_embedding"].shape))
            self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
            self.proj = nn.Parameter(torch.zeros(weights["visual.proj"].shape))

        def forward(self, pixels):
            x = self.conv1(pixels).flatten(2).transpose(1, 2)
            x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], dim=1) + self.positional_embedding
            return self.ln_post(self.blocks(self.ln_pre(x))[:, 0]) @ self.proj

    class Text(Tower):
        def __init__(self):
            super().__init__()
            self.token_embedding = nn.Embedding(*weights["token_embedding.weight"].shape)
            self.positional_embedding = nn.Parameter(torch.zeros(weights["positional_embedding"].shape))
            self.ln_final = nn.LayerNorm(width)
            self.text_projection = nn.Parameter(torch.zeros(weights["text_projection"].shape))

        def forward(self, ids):
            length = ids.shape[1]
            mask = torch.full((length, length), float("-inf")).triu(1)
            x = self.blocks(self.token_embedding(ids) + self.positional_embedding, mask)
            return self.ln_final(x[torch.arange(len(x)), ids.argmax(-1)]) @ self.text_projection

    tower = Text() if text else Image()
    tower.load_state_dict({name: torch.tensor(weights[prefix + name]) for name in tower.state_dict()})
    return torch, tower


def torch_image(folder):
    torch, tower = clip_tower(folder, heads=12, text=False)
    tower.eval()
    pixels = torch.from_numpy(np.fromfile(os.path.join(folder, "pixels.f32"), dtype="<f4").reshape(-1, 3, 224, 224))

    def work(batches):
        with torch.inference_mode():
            return np.mean([tower(batch).abs().mean().item() for batch in batches])

    batches = pixels.split(16)
    work(batches[:1])
    return timed(lambda: work(batches)) + (f"PyTorch {torch.__version__}",)


def torch_training(torch, tower, batches):
    """AdamW on the cross-entropy of the features, taken as logits; the loss of the last step."""
    optimizer = torch.optim.AdamW(tower.parameters(), lr=1e-4, weight_decay=0.1)
    loss_of = torch.nn.CrossEntropyLoss()

    def work(batches):
        for x, y in batches:
            optimizer.zero_grad()
            loss = loss_of(tower(x), y)
            loss.backward()
            optimizer.step()
            last = loss.item()
        return last

    work(batches[:1])
    return timed(lambda: work(batches[1:])) + (f"PyTorch {torch.__version__}",)


def torch_vit_step(folder):
    torch, tower = clip_tower(folder, heads=3, text=False)
    pixels = torch.from_numpy(np.fromfile(os.path.join(folder, "pixels.f32"), dtype="<f4").reshape(-1, 3, 64, 64))
    labels = torch.from_numpy(np.fromfile(os.path.join(folder, "labels.i64"), dtype="<i8"))
    return torch_training(torch, tower, list(zip(pixels.split(64), labels.split(64))))


def torch_text_step(folder):
    torch, tower = clip_tower(folder, heads=8, text=True)
    ids = torch.from_numpy(np.fromfile(os.path.join(folder, "ids.i64"), dtype="<i8").reshape(-1, 77))
    labels = torch.from_numpy(np.fromfile(os.path.join(folder, "labels.i64"), dtype="<i8"))
    return torch_training(torch, tower, list(zip(ids.split(16), labels.split(16))))


TASKS = {
    "numpy-1nn": numpy_1nn,
    "faiss-1nn": faiss_1nn,
    "sklearn-two-calls": sklearn_two_calls,
    "sklearn-one-curve": sklearn_one_curve,
    "torch-head": torch_head,
    "torch-image": torch_image,
    "torch-vit-step": torch_vit_step,
    "torch-text-step": torch_text_step,
}

if __name__ == "__main__":
    seconds, processor, value, version = TASKS[sys.argv[1]](sys.argv[2])
    print(json.dumps({"seconds": seconds, "processor": processor, "value": value, "version": version}))
