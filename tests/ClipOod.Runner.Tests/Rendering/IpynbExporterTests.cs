using System.Text.Json;
using System.Text.RegularExpressions;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed partial class IpynbExporterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ipynb-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_OfEverySample_FollowsTheRulesOfNbformat()
    {
        foreach (NotebookRun run in SampleRuns.All)
        {
            AssertValid(Export(run));
        }
    }

    [Fact]
    public void Write_OfARun_KeepsCellsOutputsAndErrors()
    {
        JsonElement[] cells = [.. Export(SampleRuns.All[2]).GetProperty("cells").EnumerateArray()];
        Assert.Equal(["markdown", "code", "code"], cells.Select(cell => cell.GetProperty("cell_type").GetString()));
        Assert.Equal("int n = 0;\nConsole.WriteLine(\"about to divide\");\nint broken = 1 / n;\nbroken", Joined(cells[1].GetProperty("source")));
        JsonElement[] outputs = [.. cells[1].GetProperty("outputs").EnumerateArray()];
        Assert.Equal(["stream", "stream", "error"], outputs.Select(output => output.GetProperty("output_type").GetString()));
        Assert.Equal("DivideByZeroException", outputs[2].GetProperty("ename").GetString());
        Assert.Contains("cell 2, line 3", outputs[2].GetProperty("traceback")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, cells[2].GetProperty("execution_count").ValueKind);
    }

    [Fact]
    public void Write_OfARunWithCharts_BringsPlotlyWithEach()
    {
        JsonElement notebook = Export(SampleRuns.All[1]);
        string[] html = [.. notebook.GetProperty("cells").EnumerateArray().Where(cell => cell.TryGetProperty("outputs", out _))
            .SelectMany(cell => cell.GetProperty("outputs").EnumerateArray()).Where(output => output.TryGetProperty("data", out JsonElement data) && data.TryGetProperty("text/html", out _))
            .Select(output => Joined(output.GetProperty("data").GetProperty("text/html")))];
        string[] charts = [.. html.Where(text => text.Contains("Plotly.newPlot(", StringComparison.Ordinal))];
        Assert.NotEmpty(charts);
        Assert.All(charts, chart => Assert.StartsWith(ClipOod.Notebook.ChartView.PlotlyLoader, chart, StringComparison.Ordinal));
        Assert.All(html.Except(charts), other => Assert.DoesNotContain("DecompressionStream", other, StringComparison.Ordinal));
    }

    [Fact]
    public void Write_OfOtherKernels_NamesThemInTheirFirstLine()
    {
        JsonElement[] cells = [.. Export(SampleRuns.All[1]).GetProperty("cells").EnumerateArray()];
        Assert.StartsWith("#!html\n", Joined(cells[6].GetProperty("source")), StringComparison.Ordinal);
        Assert.StartsWith("#!javascript\n", Joined(cells[7].GetProperty("source")), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ThatFails_LeavesTheFormerFileAndNothingElse()
    {
        string path = Path.Combine(_folder, "a.ipynb");
        File.WriteAllText(path, "former");
        NotebookRun run = SampleRuns.Run("a", "a", "", RunState.Passed, [SampleRuns.Code(1, "1", SampleRuns.Display("application/json", "{broken"))]);
        Assert.ThrowsAny<JsonException>(() => IpynbExporter.Write(path, run, ClipOod.Notebook.ChartView.PlotlyLoader));
        Assert.Equal("former", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    private static string Joined(JsonElement lines) => string.Concat(lines.EnumerateArray().Select(line => line.GetString()));

    private static void AssertValid(JsonElement notebook)
    {
        Assert.Equal(4, notebook.GetProperty("nbformat").GetInt32());
        Assert.Equal(5, notebook.GetProperty("nbformat_minor").GetInt32());
        JsonElement kernel = notebook.GetProperty("metadata").GetProperty("kernelspec");
        Assert.Equal(".net-csharp", kernel.GetProperty("name").GetString());
        Assert.Equal("C#", kernel.GetProperty("language").GetString());
        Assert.NotEmpty(kernel.GetProperty("display_name").GetString()!);
        var ids = new HashSet<string>();
        foreach (JsonElement cell in notebook.GetProperty("cells").EnumerateArray())
        {
            string id = cell.GetProperty("id").GetString()!;
            Assert.Matches(IdRule(), id);
            Assert.True(ids.Add(id), $"{id} is used twice");
            Assert.Equal(JsonValueKind.Object, cell.GetProperty("metadata").ValueKind);
            AssertLines(cell.GetProperty("source"));
            if (cell.GetProperty("cell_type").GetString() == "markdown")
            {
                AssertOnly(cell, "cell_type", "id", "metadata", "source");
                continue;
            }

            Assert.Equal("code", cell.GetProperty("cell_type").GetString());
            AssertOnly(cell, "cell_type", "id", "metadata", "source", "outputs", "execution_count");
            Assert.Contains(cell.GetProperty("execution_count").ValueKind, (JsonValueKind[])[JsonValueKind.Null, JsonValueKind.Number]);
            foreach (JsonElement output in cell.GetProperty("outputs").EnumerateArray())
            {
                AssertOutput(output);
            }
        }
    }

    private static void AssertOutput(JsonElement output)
    {
        switch (output.GetProperty("output_type").GetString())
        {
            case "stream":
                AssertOnly(output, "output_type", "name", "text");
                Assert.Contains(output.GetProperty("name").GetString(), (string[])["stdout", "stderr"]);
                AssertLines(output.GetProperty("text"));
                break;
            case "execute_result":
                AssertOnly(output, "output_type", "data", "metadata", "execution_count");
                break;
            case "display_data":
                AssertOnly(output, "output_type", "data", "metadata");
                break;
            case "error":
                AssertOnly(output, "output_type", "ename", "evalue", "traceback");
                Assert.All(output.GetProperty("traceback").EnumerateArray(), line => Assert.Equal(JsonValueKind.String, line.ValueKind));
                break;
            case string other:
                Assert.Fail($"unknown output {other}");
                break;
        }
    }

    // Lines end in a line break, all but the last.
    private static void AssertLines(JsonElement lines)
    {
        string[] texts = [.. lines.EnumerateArray().Select(line => line.GetString()!)];
        Assert.All(texts.SkipLast(1), line => Assert.EndsWith("\n", line, StringComparison.Ordinal));
        Assert.All(texts, line => Assert.DoesNotContain('\n', line.TrimEnd('\n')));
    }

    private static void AssertOnly(JsonElement element, params string[] names) =>
        Assert.Equal(names.Order(StringComparer.Ordinal), element.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));

    private JsonElement Export(NotebookRun run)
    {
        string path = Path.Combine(_folder, "out", run.Id + ".ipynb");
        IpynbExporter.Write(path, run, ClipOod.Notebook.ChartView.PlotlyLoader);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    [GeneratedRegex("^[a-zA-Z0-9-_]{1,64}$")]
    private static partial Regex IdRule();
}
