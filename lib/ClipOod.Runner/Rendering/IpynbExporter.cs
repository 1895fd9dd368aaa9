using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// Writes a run as a Jupyter notebook (nbformat 4.5) with its outputs, to read or to run where there is Jupyter. References to files are
/// resolved and links lead from one <c>.ipynb</c> to another, so that it works in another folder than its source.
/// </summary>
internal static class IpynbExporter
{
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        // The file is UTF-8: letters need no escapes. It is read as JSON, never as part of a page.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes the notebook. Each output that draws with plotly.js brings it, so that charts show without a network and each
    /// for itself. The file appears under its name only when it is complete.
    /// </summary>
    /// <param name="path">Path of the <c>.ipynb</c>; an existing file is replaced.</param>
    /// <param name="run">The run to write.</param>
    /// <param name="plotlyLoader">A script element that gives a page plotly.js, unless it has it.</param>
    /// <exception cref="IOException">The file cannot be written; a former one is still there, whole.</exception>
    public static void Write(string path, NotebookRun run, string plotlyLoader)
    {
        AtomicFile.Write(path, ToJson(run, plotlyLoader));
    }

    /// <summary>The notebook as JSON text.</summary>
    internal static string ToJson(NotebookRun run, string plotlyLoader)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(run.Path))!;
        var cells = new JsonArray();
        int executed = 0;
        foreach (CellRun cell in run.Cells)
        {
            cells.Add(cell.Kernel == "markdown" ? MarkdownCell(cell) : CodeCell(cell, folder, plotlyLoader, cell.State is RunState.NotRun or RunState.OtherWorld ? null : ++executed));
        }

        var notebook = new JsonObject
        {
            ["cells"] = cells,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" },
                ["language_info"] = new JsonObject { ["name"] = "C#", ["file_extension"] = ".cs", ["mimetype"] = "text/x-csharp", ["pygments_lexer"] = "csharp" },
                ["polyglot_notebook"] = new JsonObject
                {
                    ["kernelInfo"] = new JsonObject
                    {
                        ["defaultKernelName"] = "csharp",
                        ["items"] = new JsonArray(new JsonObject { ["aliases"] = new JsonArray(), ["languageName"] = "C#", ["name"] = "csharp" }),
                    },
                },
                ["title"] = run.Title,
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        return notebook.ToJsonString(_indented) + "\n";
    }

    private static string IdOf(CellRun cell) => string.Create(CultureInfo.InvariantCulture, $"cell-{cell.Number}");

    private static JsonObject MarkdownCell(CellRun cell) => new()
    {
        ["cell_type"] = "markdown",
        ["id"] = IdOf(cell),
        ["metadata"] = new JsonObject(),
        ["source"] = Lines(CellsElsewhere.LinkTo(cell.Source, "ipynb")),
    };

    private static JsonObject CodeCell(CellRun cell, string folder, string plotlyLoader, int? executionCount)
    {
        // Cells of another kernel name it in their first line, as .NET's kernels read it.
        string source = cell.Kernel == "csharp" ? CellsElsewhere.ResolveReferences(cell.Source, folder) : $"#!{cell.Kernel}\n{cell.Source}";
        IEnumerable<CellOutput> all = cell.Kernel switch
        {
            "html" => [Shown(cell.Source)],
            "javascript" => [Shown($"<script>(async () => {{\n{HtmlFragment.Script(cell.Script)}\n}})();</script>")],
            _ => cell.Outputs,
        };
        var outputs = new JsonArray([.. all.Select(output => Output(WithPlotly(output, plotlyLoader), executionCount))]);
        if (cell.Error is CellError error)
        {
            outputs.Add(new JsonObject
            {
                ["output_type"] = "error",
                ["ename"] = error.Type,
                ["evalue"] = error.Message,
                ["traceback"] = new JsonArray([.. Traceback(cell, error).Split('\n').Select(line => (JsonNode)line)]),
            });
        }

        return new JsonObject
        {
            ["cell_type"] = "code",
            ["execution_count"] = executionCount,
            ["id"] = IdOf(cell),
            ["metadata"] = new JsonObject
            {
                ["dotnet_interactive"] = new JsonObject { ["language"] = cell.Kernel },
                ["polyglot_notebook"] = new JsonObject { ["kernelName"] = cell.Kernel },
            },
            ["outputs"] = outputs,
            ["source"] = Lines(source),
        };
    }

    private static DisplayOutput Shown(string html) => new("", new Dictionary<string, string> { ["text/html"] = html }, IsResult: false);

    private static CellOutput WithPlotly(CellOutput output, string plotlyLoader) =>
        output is DisplayOutput display && display.Mime.TryGetValue("text/html", out string? html) && PlotlyScript.IsUsedBy(html)
            ? display with { Mime = new Dictionary<string, string>(display.Mime) { ["text/html"] = plotlyLoader + html } }
            : output;

    private static string Traceback(CellRun cell, CellError error)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"{error.Type} in cell {cell.Number}{(error.Line is int line ? $", line {line}" : "")}: {error.Message}");
        return error.Details.Length == 0 ? place : place + "\n" + error.Details;
    }

    private static JsonObject Output(CellOutput output, int? executionCount)
    {
        if (output is StreamOutput stream)
        {
            return new JsonObject { ["output_type"] = "stream", ["name"] = stream.IsError ? "stderr" : "stdout", ["text"] = Lines(stream.Text) };
        }

        var display = (DisplayOutput)output;
        var data = new JsonObject(display.Mime.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, Data(pair.Key, pair.Value))));
        var json = new JsonObject { ["output_type"] = display.IsResult ? "execute_result" : "display_data", ["data"] = data, ["metadata"] = new JsonObject() };
        if (display.IsResult)
        {
            json["execution_count"] = executionCount;
        }

        return json;
    }

    // nbformat keeps JSON as JSON, pictures as one string, and text as lines.
    private static JsonNode? Data(string type, string value) =>
        type == "application/json" || type.EndsWith("+json", StringComparison.Ordinal) ? JsonNode.Parse(value)
        : type.StartsWith("image/", StringComparison.Ordinal) && type != "image/svg+xml" ? value
        : Lines(value);

    /// <summary>Lines with their line breaks, the last without one, as nbformat has them.</summary>
    private static JsonArray Lines(string text)
    {
        string[] lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        IEnumerable<string> ended = lines.Select((line, i) => i + 1 < lines.Length ? line + "\n" : line).Where(line => line.Length > 0);
        return new JsonArray([.. ended.Select(line => (JsonNode)line)]);
    }
}
