#!/usr/bin/env python3
"""Kills clipood encode (SIGKILL) at random moments until it has been killed N times, lets it end, and compares with a run that nobody disturbed:

    python3 tests/encode/kill.py [N] [seed]

Every kill must leave only whole files under final names; the final feature set must be the same bytes. Needs nothing but a build and Python.
"""
import hashlib, json, os, pathlib, random, shutil, struct, subprocess, sys, tempfile, time, zlib

root = pathlib.Path(__file__).resolve().parents[2]
kills, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 30, int(sys.argv[2]) if len(sys.argv) > 2 else 0
program = ["dotnet", str(root / "lib/ClipOod.Runner/bin/Release/net10.0/clipood.dll")]
model = root / "data/pictograms/models/base"
rng = random.Random(seed)
folder = pathlib.Path(tempfile.mkdtemp(prefix="clipood-kill-"))


def png(side):
    rows = b"".join(b"\0" + rng.randbytes(3 * side) for _ in range(side))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def tensors(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    end = max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0)
    assert len(data) == 8 + length + end, f"{path} is torn"
    return header, data[8 + length:]


def rows(path):
    header, data = tensors(path)
    begin, end = header["rows"]["data_offsets"]
    return struct.unpack(f"<{(end - begin) // 4}i", data[begin:end])


for i in range(4000):
    path = folder / "images" / f"class{i % 4}" / f"{i:05d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"broken" if i == 1234 else png(64))

encode = lambda out: program + ["encode", "--model", str(model), "--data", str(folder / "images"), "--before-projection", "--output", str(folder / out)]
began = time.time()
subprocess.run(encode("undisturbed"), check=True, stdout=subprocess.DEVNULL)
whole = time.time() - began
done, ended = 0, 0
while done < kills:
    process = subprocess.Popen(encode("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = process.communicate(timeout=rng.uniform(0.1, whole))
        assert process.returncode == 0, errors
        ended += 1
        shutil.rmtree(folder / "killed")
        continue
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    done += 1
    seen = []
    for path in sorted((folder / "killed").rglob("*.safetensors")) if (folder / "killed").exists() else []:
        seen += [] if "text" in path.name else rows(path)
        tensors(path)
    assert len(seen) == len(set(seen)) or (folder / "killed" / "images-all.safetensors").exists(), "a row is there twice"
    print(f"kill {done}: {len(set(seen))} rows kept", flush=True)
subprocess.run(encode("killed"), check=True, stdout=subprocess.DEVNULL)
result, expected = folder / "killed" / "images-all.safetensors", folder / "undisturbed" / "images-all.safetensors"
found = rows(result)
assert len(found) == len(set(found)) == 3999, "rows are missing or there twice"
for name in ("images-all.safetensors", "images-text.safetensors", "words-text.safetensors"):
    assert (folder / "killed" / name).read_bytes() == (folder / "undisturbed" / name).read_bytes(), f"{name} differs"
left = sorted(path.name for path in (folder / "killed").iterdir())
print(f"{done} kills, {ended} runs ended before theirs; 3999 rows, none twice; the same bytes (SHA-256 {hashlib.sha256(result.read_bytes()).hexdigest()[:16]}); files: {', '.join(left)}")
shutil.rmtree(folder)
