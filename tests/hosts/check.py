#!/usr/bin/env python3
"""Runs the notebooks in a real .NET Interactive host and compares what each cell shows with what our own host showed.

    check.py HOST EXPECTED [NUMBER ...]

HOST is one of
    stdio    dotnet-interactive over standard input and output, as the extension of VS Code drives it: it parses the .dib
             file with the tool, starts the kernel in the folder of the notebook and submits cell by cell
    jupyter  dotnet-interactive as a Jupyter kernel, through nbclient: it installs the kernel with `clipood jupyter install`
             and runs what `clipood export --for jupyter` writes
    repl     dotnet-repl --run, with its outputs as ipynb; it writes results as displays, so the two count as one kind there
EXPECTED is the folder of the notebooks that `clipood run --ipynb EXPECTED` wrote; NUMBERs choose among them (all without).

Of every code cell number, order and kind of the outputs (display, result, stream), their MIME types, the visible text of
the HTML (without scripts and styles) and the plain text are compared. Two kinds of numbers may differ from run to run and are
masked on both sides: spans of time ("0.53 s", "12 ms") and the count of threads. What our host alone says of a declared
result, that it is compared with a recorded one ("(checked to ±0.01)"), is left out, and so is an output that only brings a
script (plotly.js, the tool's own in a Jupyter page). Exit code 0: all equal; 1: a difference or a failure; 2: bad input.
"""

import base64
import concurrent.futures
import difflib
import html.parser
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ["dotnet", "tool", "run", "dotnet-interactive", "--"]
VARYING = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?=\s?(?:ms|s|seconds|minutes)\b)|\b\d+ threads?\b")
CHECKED = re.compile(r" \(checked to ±[^)]*\)")  # Expectation.ToString: other hosts check nothing, and do not say so
OWN_SCRIPT = "this is an easy method to get it"  # the tool connects the page to the kernel, in the first cell under Jupyter
TIMEOUT = 600  # of one notebook, in seconds


class HostError(Exception):
    pass


# --- outputs, in nbformat's words, made comparable ---------------------------------------------------------------------


class VisibleText(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts, self.hidden = [], 0

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in ("script", "style")
        self.parts.append(" ")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")
        self.parts.append(" ")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)


def visible(text):
    parser = VisibleText()
    parser.feed(text)
    parser.close()
    return words("".join(parser.parts))


def words(text):
    return VARYING.sub("#", CHECKED.sub("", " ".join(text.split())))


def joined(value):
    return "".join(value) if isinstance(value, list) else value


KINDS = {"display_data": "display", "execute_result": "result"}


def comparable(outputs, kinds):
    """One line of text for each fact about the outputs of a cell."""
    lines = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            lines.append(f"stream {output['name']}: {words(joined(output['text']))}")
        elif kind == "error":
            lines.append(f"error: {output['ename']}: {output['evalue']}")
        else:
            data = {mime: joined(value) for mime, value in output["data"].items()}
            markup = data.get("text/html", "")
            if "<script" in markup and (not visible(markup) or OWN_SCRIPT in markup):
                continue
            lines.append(f"{kinds[kind]} {', '.join(sorted(data))}")
            lines += [f"  {mime}: {visible(data[mime]) if mime == 'text/html' else words(data[mime])}" for mime in sorted(data)]
    return lines


def read_ipynb(path):
    """The code cells of a notebook in nbformat 4."""
    try:
        with open(path, encoding="utf-8") as file:
            notebook = json.load(file)
        return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"{path} is no notebook in nbformat 4 ({type(error).__name__}: {error}). Write it anew with clipood.") from error


# --- the hosts: each takes a .dib file and gives the outputs of its code cells -------------------------------------------


def parallel(host):
    # Kernels that Jupyter starts at the same time take the same port for HTTP, and all but one of them die of it.
    return 1 if host == "jupyter" else os.cpu_count() or 1


def environment(host):
    # As in our own host: notebooks that run at the same time share the processors.
    return {**os.environ, "DOTNET_PROCESSOR_COUNT": str(max(1, (os.cpu_count() or 1) // parallel(host)))}


def start(arguments):
    return subprocess.Popen(arguments, cwd=ROOT, env=environment("stdio"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True)


def end(process):
    """Ends the tool too, not only the `dotnet tool run` that started it: left alone, it spins on its closed input for ever."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended by itself


def parse_dib(path):
    """The cells as the tool reads them, which is how VS Code opens a .dib."""
    request = {"type": "parse", "id": "1", "serializationType": "dib", "defaultLanguage": "csharp",
               "rawData": base64.b64encode(path.read_bytes()).decode()}
    with start([*TOOL, "notebook-parser"]) as parser:
        try:
            parser.stdin.write(json.dumps(request) + "\n")
            parser.stdin.flush()
            answer = json.loads(parser.stdout.readline())
        finally:
            end(parser)
    if "document" not in answer:
        raise HostError(f"notebook-parser did not parse {path.name}: {answer}")
    return answer["document"]["elements"]


def run_stdio(path):
    cells = [element for element in parse_dib(path) if element["kernelName"] != "markdown"]
    results = []
    with start([*TOOL, "[vscode]", "stdio", "--working-dir", str(path.parent)]) as kernel:
        limit = threading.Timer(TIMEOUT, end, [kernel])
        limit.start()
        try:
            # A command that is sent earlier may be lost, and with it the answer. VS Code's extension waits too.
            if not any('"eventType":"KernelReady"' in line for line in kernel.stdout):
                raise HostError(f"the kernel ended, or was ended after {TIMEOUT} s, before it was ready")
            for number, cell in enumerate(cells):
                token = str(number + 1)
                command = {"token": token, "commandType": "SubmitCode", "command": {"code": cell["contents"], "targetKernelName": cell["kernelName"]}}
                kernel.stdin.write(json.dumps(command) + "\n")
                kernel.stdin.flush()
                results.append(read_events(kernel, token))
                if results[-1] and results[-1][-1]["output_type"] == "error":
                    break
        finally:
            limit.cancel()
            end(kernel)
    return results


def read_events(kernel, token):
    outputs, ids = [], []
    for line in kernel.stdout:
        if not line.startswith("{"):
            continue  # what native code prints is no message
        message = json.loads(line)
        kind, event, command = message.get("eventType"), message.get("event", {}), message.get("command") or {}
        if command.get("token", "").split(".")[0].split("/")[0] != token:
            continue
        if kind in ("CommandSucceeded", "CommandFailed") and command["token"] == token:
            if kind == "CommandFailed":
                outputs.append({"output_type": "error", "ename": "CommandFailed", "evalue": event.get("message", "")})
            return outputs
        if kind in ("StandardOutputValueProduced", "StandardErrorValueProduced"):
            text = event["formattedValues"][0]["value"]
            name = "stdout" if kind.startswith("StandardOutput") else "stderr"
            outputs.append({"output_type": "stream", "name": name, "text": text})
            ids.append(None)
        elif kind in ("DisplayedValueProduced", "ReturnValueProduced", "DisplayedValueUpdated"):
            data = {value["mimeType"]: value["value"] for value in event["formattedValues"]}
            output = {"output_type": "execute_result" if kind == "ReturnValueProduced" else "display_data", "data": data}
            if kind == "DisplayedValueUpdated" and event["valueId"] in ids:
                outputs[ids.index(event["valueId"])] = output
            else:
                outputs.append(output)
                ids.append(event.get("valueId"))
    raise HostError(f"the kernel ended, or was ended after {TIMEOUT} s, in code cell {token}")


def run_jupyter(path):
    import nbclient
    import nbformat
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder:
        ipynb = pathlib.Path(folder) / (path.stem + ".ipynb")
        clipood("export", path.stem, "--for", "jupyter", "--output", str(ipynb))
        notebook = nbformat.read(ipynb, as_version=4)
        nbformat.validate(notebook)
        os.environ.update(environment("jupyter"))
        nbclient.NotebookClient(notebook, timeout=TIMEOUT, kernel_name=notebook.metadata.kernelspec.name, allow_errors=True,
                                resources={"metadata": {"path": folder}}).execute(stdout=subprocess.DEVNULL)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def run_repl(path):
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder:
        ipynb = pathlib.Path(folder) / (path.stem + ".ipynb")
        run = subprocess.run(
            ["dotnet", "tool", "run", "dotnet-repl", "--", "--run", path.name, "--exit-after-run", "--output-format", "ipynb", "--output-path", str(ipynb)],
            cwd=path.parent, env=environment("repl"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT)
        if not ipynb.exists():
            raise HostError(f"dotnet-repl wrote no notebook (exit code {run.returncode}): {run.stdout[-2000:]}")
        return [cell["outputs"] for cell in read_ipynb(ipynb)]


def clipood(*arguments):
    command = [str(ROOT / "clipood"), *arguments]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        raise HostError(f"{' '.join(command)} gave exit code {run.returncode}: {run.stdout}")


# --- the comparison ------------------------------------------------------------------------------------------------------


def check(host, expected):
    """The differences of one notebook, as lines to print, its number of outputs, and the seconds it took."""
    begin = time.monotonic()
    try:
        problems, count = compare(host, expected)
    except (HostError, OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
        problems, count = [f"{type(error).__name__}: {error}"], 0
    return problems, count, time.monotonic() - begin


def compare(host, expected):
    ours = [cell["outputs"] for cell in read_ipynb(expected)]
    theirs = HOSTS[host](ROOT / "notebooks" / (expected.stem + ".dib"))
    problems = []
    if len(ours) != len(theirs):
        problems.append(f"{len(theirs)} code cells ran, expected {len(ours)}")
    kinds = dict.fromkeys(KINDS, "display") if host == "repl" else KINDS
    for number, (our, their) in enumerate(zip(ours, theirs), 1):
        our, their = comparable(our, kinds), comparable(their, kinds)
        if our != their:
            problems.append(f"code cell {number}:")
            problems += differences(our, their)
    return problems, sum(map(len, theirs))


def differences(ours, theirs):
    """The lines that differ; of two that begin alike, the place where they part."""
    lines = [line for line in difflib.unified_diff(ours, theirs, n=0, lineterm="") if not line.startswith(("---", "+++", "@@"))]
    removed, added = ([line for line in lines if line[0] == sign] for sign in "-+")
    if len(removed) == len(added):
        lines = []
        for our, their in zip(removed, added):
            start = max(0, len(os.path.commonprefix([our[1:], their[1:]])) - 60)
            lines += ["- …" + our[1 + start :], "+ …" + their[1 + start :]]
    return [line[:300] for line in lines[:12]]


HOSTS = {"stdio": run_stdio, "jupyter": run_jupyter, "repl": run_repl}


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in HOSTS:
        print(__doc__)
        return 2
    host, folder, *numbers = arguments
    notebooks = [path for path in sorted(pathlib.Path(folder).glob("*.ipynb")) if not numbers or path.stem.split("-")[0] in numbers]
    if not notebooks or len(notebooks) < len(numbers):
        print(f"{folder} holds {len(notebooks)} of the notebooks asked for. Write them with: clipood run --ipynb {folder}")
        return 2
    failed = 0
    with tempfile.TemporaryDirectory(prefix="jupyter-") as jupyter, concurrent.futures.ProcessPoolExecutor(parallel(host)) as pool:
        if host == "jupyter":
            os.environ["JUPYTER_DATA_DIR"] = jupyter
            clipood("jupyter", "install")
        for path, (problems, count, seconds) in zip(notebooks, pool.map(check, [host] * len(notebooks), notebooks)):
            failed += bool(problems)
            print(f"{'FAILED' if problems else 'equal '} {host} {path.stem}: {count} outputs, {seconds:.0f} s", *problems, sep="\n    ", flush=True)
    print(f"{host}: {len(notebooks) - failed} of {len(notebooks)} notebooks equal to our host")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
