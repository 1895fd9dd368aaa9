#!/usr/bin/env python3
"""Writes the torch files of this folder, which TorchFileTests and ClipTorchTests read. Made with Debian 12's python3-torch 1.13.0a0:

    python3 tests/torch/make.py

The values are formulas that the tests compute too, and that half precision holds exactly: value(t, i) = ((7 i + 13 t) % 101 - 50) / 64 for
element i of tensor t, where tensors are numbered in the order of their sorted names.
"""
import collections
import os
import pathlib

import torch

folder = pathlib.Path(__file__).resolve().parent


def value(number, shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return (((7 * torch.arange(count) + 13 * number) % 101 - 50) / 64).to(dtype).reshape(shape)


def save(name, content, **options):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    torch.save(content, path, **options)


# Every type of elements, shared and transposed storages, nesting.
base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
kinds = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
    "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8,
}
content = collections.OrderedDict((name, torch.tensor([[-3, 0, 2], [5, -7, 100]]).to(dtype)) for name, dtype in kinds.items())
content["u8"] = torch.tensor([0, 200, 255], dtype=torch.uint8)
content["bool"] = torch.tensor([True, False])
content["scalar"] = torch.tensor(0.5)
content["empty"] = torch.zeros(0, 4)
content["whole"] = base
content["row"] = base[1]
content["transposed"] = base.T
content["column"] = base[:, 2]
content["parameter"] = torch.nn.Parameter(torch.tensor([1.5]))
content["nested"] = {"list": [torch.tensor([1.0]), (torch.tensor([2.0]), None)], 7: torch.tensor([3.0]), "epoch": 3, "size": base.shape, "rate": 0.1}
save("types.pt", content)
save("types-legacy.pt", content, _use_new_zipfile_serialization=False)
save("single.pt", base.half())
save("single-legacy.pt", base.half(), _use_new_zipfile_serialization=False)
save("state.pt", torch.nn.Linear(2, 3).state_dict())


# What is refused: another protocol, a name that runs something, complex numbers, a repeated element.
class Hostile:
    def __reduce__(self):
        return os.system, ("touch hostile-code-was-run",)


save("protocol4.pt", {"a": base}, pickle_protocol=4)
save("hostile.pt", {"a": base, "b": Hostile()})
save("hostile-legacy.pt", {"a": base, "b": Hostile()}, _use_new_zipfile_serialization=False)
save("complex.pt", {"a": torch.tensor([1 + 2j])})
save("expanded.pt", {"a": torch.tensor([1.0]).expand(1000)})

# A pickle of protocol 4 that holds a tensor, as pickle.dump writes it.
import pickle  # noqa: E402

(folder / "features.pkl").write_bytes(pickle.dumps({"features": base.half(), "labels": ["cat", "dog", "cat"]}, protocol=4))

# A CLIP of the smallest sizes in OpenAI's, Hugging Face's and CLIPN's files.
width, layers, embedding, patch, size, context, vocabulary = 8, 1, 4, 4, 8, 5, 20


def block(prefix):
    return {
        f"{prefix}attn.in_proj_weight": [3 * width, width], f"{prefix}attn.in_proj_bias": [3 * width],
        f"{prefix}attn.out_proj.weight": [width, width], f"{prefix}attn.out_proj.bias": [width],
        f"{prefix}ln_1.weight": [width], f"{prefix}ln_1.bias": [width], f"{prefix}ln_2.weight": [width], f"{prefix}ln_2.bias": [width],
        f"{prefix}mlp.c_fc.weight": [4 * width, width], f"{prefix}mlp.c_fc.bias": [4 * width],
        f"{prefix}mlp.c_proj.weight": [width, 4 * width], f"{prefix}mlp.c_proj.bias": [width],
    }


shapes = {
    "visual.class_embedding": [width], "visual.positional_embedding": [(size // patch) ** 2 + 1, width], "visual.proj": [width, embedding],
    "visual.conv1.weight": [width, 3, patch, patch], "visual.ln_pre.weight": [width], "visual.ln_pre.bias": [width],
    "visual.ln_post.weight": [width], "visual.ln_post.bias": [width],
    "positional_embedding": [context, width], "text_projection": [width, embedding], "logit_scale": [],
    "token_embedding.weight": [vocabulary, width], "ln_final.weight": [width], "ln_final.bias": [width],
}
for layer in range(layers):
    shapes |= block(f"visual.transformer.resblocks.{layer}.") | block(f"transformer.resblocks.{layer}.")
clip = {name: value(number, shapes[name]) for number, name in enumerate(sorted(shapes))}


class Node(torch.nn.Module):
    """A module whose parameters have the given dotted names."""

    def __init__(self, tensors):
        super().__init__()
        children = collections.defaultdict(dict)
        for name, tensor in tensors.items():
            first, _, rest = name.partition(".")
            if rest:
                children[first][rest] = tensor
            elif tensor.is_floating_point():
                self.register_parameter(first, torch.nn.Parameter(tensor))
            else:
                self.register_buffer(first, tensor)
        for name, tensors_of_child in children.items():
            self.add_module(name, Node(tensors_of_child))

    def forward(self, x):
        return x + 1


marks = {"input_resolution": torch.tensor(size), "context_length": torch.tensor(context), "vocab_size": torch.tensor(vocabulary)}
halves = {name: tensor.half() for name, tensor in clip.items()}
torch.jit.trace(Node(halves | marks).eval(), torch.zeros(1)).save(str(folder / "openai.pt"))
save("openai-state.pth", collections.OrderedDict(clip | marks), _use_new_zipfile_serialization=False)

text = {name: tensor for name, tensor in clip.items() if not name.startswith("visual.") and name != "logit_scale"}
no = {".".join([name.split(".")[0] + "_no", *name.split(".")[1:]]): tensor + 1 for name, tensor in text.items()}
no["prompt_no"] = value(0, [2, context, width])
state = collections.OrderedDict((f"module.{name}", tensor) for name, tensor in (clip | no).items())
parameter = torch.nn.Parameter(torch.zeros(3))
optimizer = torch.optim.AdamW([parameter])
parameter.sum().backward()
optimizer.step()
save("clipn.pt", {"epoch": 10, "name": "clipn", "state_dict": state, "optimizer": optimizer.state_dict()})

names = [
    ("visual.class_embedding", "vision_model.embeddings.class_embedding"), ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
    ("visual.conv1", "vision_model.embeddings.patch_embedding"), ("visual.ln_pre", "vision_model.pre_layrnorm"), ("visual.ln_post", "vision_model.post_layernorm"),
    ("token_embedding", "text_model.embeddings.token_embedding"), ("ln_final", "text_model.final_layer_norm"),
    ("visual.transformer.resblocks", "vision_model.encoder.layers"), ("transformer.resblocks", "text_model.encoder.layers"),
    ("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
]
face = collections.OrderedDict()
for name, tensor in clip.items():
    if "in_proj" in name:
        for letter, part in zip("qkv", tensor.chunk(3)):
            renamed = name.replace("attn.in_proj_", f"self_attn.{letter}_proj.")
            for ours, theirs in names:
                renamed = renamed.replace(ours, theirs)
            face[renamed] = part.clone()
        continue
    if name in ("visual.proj", "text_projection"):
        face["visual_projection.weight" if name == "visual.proj" else "text_projection.weight"] = tensor.T.contiguous()
        continue
    renamed = "text_model.embeddings.position_embedding.weight" if name == "positional_embedding" else name
    for ours, theirs in names:
        renamed = renamed.replace(ours, theirs)
    face[renamed] = tensor
face["text_model.embeddings.position_ids"] = torch.arange(context).expand((1, -1))
save("huggingface/pytorch_model.bin", face)
