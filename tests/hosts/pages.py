#!/usr/bin/env python3
"""How long the pages of a site are, for a reader: a table in markdown.

    python3 tests/hosts/pages.py artifacts/site/pictograms

Screens are measured in headless Chromium at 1280 x 800, everything folded as it opens; words and lines of code are counted in
the .dib files: code that a page opens with, without setup and cells that begin with "// Plumbing". Minutes are words at 200 a
minute and lines at 20, of the whole notebook and of its short path, the sections whose heading is marked with a ◆.
Needs Chromium (CHROMIUM names it) and nothing else; a page that cannot be measured is said and makes the exit code 1.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WIDTH, HEIGHT = 1280, 800
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 20
MEASURE = """<script>addEventListener("load", () => setTimeout(() => {
  document.documentElement.dataset.pageHeight = document.documentElement.scrollHeight; }, 1500))</script>"""


def cells(dib):
    """The cells of a notebook: kernel and text."""
    parts = re.split(r"^#!(\w+)[^\n]*\n", dib.read_text(encoding="utf-8"), flags=re.M)
    return [(kernel, text.strip("\n")) for kernel, text in zip(parts[1::2], parts[2::2]) if kernel in ("markdown", "csharp")]


def open_lines(code):
    lines = [line for line in code.split("\n") if line.strip()]
    setup = all(line.startswith(("#", "using ", "//")) for line in lines)
    return 0 if setup or code.lstrip().startswith("// Plumbing") else len(lines)


def count(some):
    """Words and open lines of code."""
    return (sum(len(text.split()) for kernel, text in some if kernel == "markdown"),
            sum(open_lines(text) for kernel, text in some if kernel == "csharp"))


def short_path(all_cells):
    """The cells of the sections that are marked."""
    marked, kept = False, []
    for kernel, text in all_cells:
        heading = re.search(r"^#{1,3} .*$", text, flags=re.M) if kernel == "markdown" else None
        marked = "◆" in heading.group() if heading else marked
        if marked:
            kept.append((kernel, text))
    return kept


def minutes(words, lines):
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE


def height(page, chromium):
    """Height of a page in pixels."""
    with tempfile.TemporaryDirectory() as folder:
        site = pathlib.Path(folder)
        (site / "world").mkdir()
        shutil.copytree(page.parent.parent / "assets", site / "assets")
        copy = site / "world" / page.name
        copy.write_text(page.read_text(encoding="utf-8").replace("</body>", MEASURE + "</body>"), encoding="utf-8")
        dom = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={site / 'profile'}",
             "--virtual-time-budget=20000", "--dump-dom", copy.as_uri()],
            capture_output=True, text=True, timeout=300, check=False).stdout
    found = re.search(r'data-page-height="(\d+)"', dom)
    return int(found.group(1)) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=pathlib.Path, help="folder of a world's pages")
    parser.add_argument("--notebooks", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "notebooks")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium is on the path. Install it, or name it: CHROMIUM=/path/to/chromium")

    failed = False
    print("| notebook | screens | words | open lines | words a line | minutes | short path, cells | its minutes |\n|---|--:|--:|--:|--:|--:|--:|--:|")
    for dib in sorted(given.notebooks.glob("*.dib")):
        all_cells = cells(dib)
        words, lines = count(all_cells)
        path = short_path(all_cells)
        page = given.site / f"{dib.stem}.html"
        pixels = height(page, chromium) if page.exists() else None
        failed |= pixels is None
        shorter = f"{sum(kernel == 'csharp' for kernel, _ in path)} | {minutes(*count(path)):.0f}" if path else "none marked | "
        print(f"| {dib.stem[:2]} | {'not measured' if pixels is None else f'{pixels / HEIGHT:.1f}'} | {words} | {lines} "
              f"| {words / max(1, lines):.1f} | {minutes(words, lines):.0f} | {shorter} |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
