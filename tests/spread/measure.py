#!/usr/bin/env python3
"""Measures how far recorded results differ over thread counts and instruction sets, and writes docs/spread.md.

    measure.py [--world NAME ...] [--keep] NUMBER ...

Every notebook NUMBER runs once under each setting, in every world named (pictograms without), in a copy of the workbook with an
empty cache, so that encoding counts too. A setting is a number of threads (DOTNET_PROCESSOR_COUNT, which is also ONNX
Runtime's intra-op number) or a switch that keeps .NET's JIT from some instructions. ONNX Runtime has no such switch: its kernels
choose by the processor, and another one is needed to measure them. The spread of a result is its largest value less its
smallest. docs/spread.md gets a row per notebook and world; --keep leaves the results of all settings in artifacts/spread.

Exit code 0: measured, and every verdict has one word under all settings and a tolerance of at least its spread; 1: not so, or a
notebook failed (what was measured is written); 2: bad input.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = ["data", "notebooks", "artifacts/notebook", "lib/ClipOod.Runner/bin/Release/net10.0"]
SETTINGS = [
    ("2 threads", {"DOTNET_PROCESSOR_COUNT": "2"}),
    ("1 thread", {"DOTNET_PROCESSOR_COUNT": "1"}),
    ("4 threads", {"DOTNET_PROCESSOR_COUNT": "4"}),
    ("2 threads, DOTNET_EnableAVX2=0", {"DOTNET_PROCESSOR_COUNT": "2", "DOTNET_EnableAVX2": "0"}),
    ("2 threads, DOTNET_EnableHWIntrinsic=0", {"DOTNET_PROCESSOR_COUNT": "2", "DOTNET_EnableHWIntrinsic": "0"}),
]


def run(workbook, results, world, numbers, environment):
    """The results that the notebooks declare under one setting, by notebook and key; a notebook that failed is left out."""
    shutil.rmtree(workbook / "artifacts" / "cache", ignore_errors=True)
    command = ["dotnet", workbook / COPIED[-1] / "clipood.dll", "run", "--world", world, "--record", "--expected", results,
               "--output", workbook / "site", "--processes", "1", "--cell-timeout", "1800", "--timeout", "7200"]
    done = subprocess.run([*command, *(word for number in numbers for word in ("--only", number))],
                          env=os.environ | environment, cwd=workbook, capture_output=True, text=True)
    if done.returncode == 2:
        sys.exit(f"{done.stdout}{done.stderr}")
    if done.returncode:
        print(f"{done.stdout}{done.stderr}", file=sys.stderr)
    return {path.stem: {key_of(result): result for result in json.loads(path.read_text())} for path in sorted(results.glob("*.json"))}


def key_of(result):
    return result.get("name") or result.get("verdict") or " · ".join(
        str(result[field]) for field in ("detector", "id", "ood", "metric", "seed"))


def value_of(result):
    return result.get("value", result.get("estimate"))


def rows_of(world, runs):
    """A row of docs/spread.md for each notebook, and what is wrong."""
    rows, wrong = [], []
    for notebook in sorted({number for results in runs.values() for number in results}):
        kinds = {"metrics": [], "numbers": [], "verdicts": []}
        words = 0
        ran = [results[notebook] for results in runs.values() if notebook in results]
        wrong += [f"{world} {notebook}: failed under '{name}'" for name, results in runs.items() if notebook not in results]
        for key, first in ran[0].items():
            same = [results[key] for results in ran if key in results]
            values = [value_of(result) for result in same if value_of(result) is not None]
            kind = "verdicts" if "verdict" in first else "metrics" if "detector" in first else "numbers"
            spread = max(values) - min(values) if values else 0
            kinds[kind].append(spread)
            if kind == "verdicts" and len({result["word"] for result in same}) > 1:
                words += 1
                wrong.append(f"{world} {notebook}: '{key}' is {', '.join(sorted({result['word'] for result in same}))}")
            if spread > first["tolerance"]:
                wrong.append(f"{world} {notebook}: '{key}' has the spread {spread:.2g}, above its tolerance {first['tolerance']:.2g}")
            if kind == "verdicts" and values:
                print(f"{world} {notebook}: '{key}' spread {spread:.2g}, tolerance {first['tolerance']:.2g}")
        cells = [f"{max(spreads, default=0):.2g} ({sum(spread > 0 for spread in spreads)} of {len(spreads)})" for spreads in kinds.values()]
        rows.append(f"| {notebook} | {world} | {' | '.join(cells)} | {words} |")
    return rows, wrong


def machine():
    """The processor, what of it matters here, and the versions that computed."""
    cpu = pathlib.Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    fields = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    flags = {key.strip(): value.split() for key, value in fields.items()}.get("flags", [])
    name = next((value.strip() for key, value in fields.items() if key.strip() == "model name"), platform.processor() or platform.machine())
    doctor = subprocess.run(["dotnet", ROOT / COPIED[-1] / "clipood.dll", "doctor"], capture_output=True, text=True, cwd=ROOT).stdout
    versions = [line.split("]", 1)[1].strip() for line in doctor.splitlines() if "SDK" in line or "ONNX Runtime" in line]
    has = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "amx_tile") if flag in flags]
    return f"{name}, {os.cpu_count()} processors, {' '.join(has) or 'no AVX2'}; {platform.system()}; {'; '.join(versions)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", action="append", metavar="NAME")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("numbers", nargs="+", metavar="NUMBER")
    options = parser.parse_args()
    missing = [folder for folder in COPIED if not (ROOT / folder).is_dir()]
    if missing:
        parser.error(f"there is no {missing[0]}. Build first: dotnet build -c Release")
    unknown = [number for number in options.numbers if not list((ROOT / "notebooks").glob(f"{number}-*.dib"))]
    if unknown:
        parser.error(f"there is no notebook {unknown[0]} in notebooks/, expected two digits such as 07")
    folder = ROOT / "artifacts" / "spread"
    shutil.rmtree(folder, ignore_errors=True)
    # The library finds its repository, and the cache in it, from where it lies.
    for copied in COPIED:
        shutil.copytree(ROOT / copied, folder / "workbook" / copied, ignore=shutil.ignore_patterns("fetched"))
    rows, wrong = [], []
    for world in options.world or ["pictograms"]:
        runs = {}
        for number, (name, environment) in enumerate(SETTINGS):
            runs[name] = run(folder / "workbook", folder / f"{world}-{number}", world, options.numbers, environment)
            print(f"{world}, {name}: {sum(map(len, runs[name].values()))} results", flush=True)
        found = rows_of(world, runs)
        rows += found[0]
        wrong += found[1]
    settings = "\n".join(f"- {name}" for name, _ in SETTINGS)
    (ROOT / "docs" / "spread.md").write_text(TEXT.format(machine=machine(), settings=settings, rows="\n".join(sorted(rows)),
        numbers=" ".join(f"--world {world}" for world in options.world or ["pictograms"]) + " " + " ".join(options.numbers)))
    shutil.rmtree(folder if not options.keep else folder / "workbook")
    print("\n".join(wrong) or "Every verdict has one word under all settings, and every spread is within its tolerance.")
    return 1 if wrong else 0


TEXT = """# Spread of recorded results over thread counts and instruction sets

Written by `tests/spread/measure.py {numbers}`; do not edit. On {machine}.

Every notebook ran once under each of these settings, from an empty cache:

{settings}

The spread of a result is its largest value less its smallest. A cell says the largest spread of a kind of results, and how many
of them had any. Thread counts reach .NET and ONNX Runtime alike; the two switches reach .NET's code only, as ONNX Runtime has none:
its kernels choose by the processor. A verdict's tolerance is at least its spread and at most a third of the distance at which its word
would change; nearer than three spreads it reads undecided (`Verdict`).

| notebook | world | metrics | numbers | estimates of verdicts | words that changed |
|---|---|---|---|---|---|
{rows}
"""

if __name__ == "__main__":
    sys.exit(main())
