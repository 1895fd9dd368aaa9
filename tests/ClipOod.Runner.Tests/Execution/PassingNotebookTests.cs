using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Execution;

/// <summary>One run for all tests of cells that pass: a process takes longer to start than all these cells to run.</summary>
public sealed class PassingNotebook : IAsyncLifetime
{
    private static readonly string _library = Path.Combine(Repository.Root, "artifacts", "notebook", "ClipOod.Notebook.dll");

    private static readonly string[] _cells =
    [
        "var x = 20;",
        "// value\nx + 1",
        """
        // streams
        Console.Write("a"); Console.WriteLine('b'); Console.Write(3.5);
        Console.Error.WriteLine("error");
        display("shown");
        Console.WriteLine("after");
        """,
        """
        // native
        using System.Runtime.InteropServices;
        [DllImport("libc")] static extern int puts(string text);
        puts("native");
        """,
        """
        // raw
        var bytes = Encoding.UTF8.GetBytes("raw"); using (var raw = Console.OpenStandardError()) raw.Write(bytes);
        """,
        "// last\n\"last\"",
        "// old\nvar shown = display(\"old\");\nConsole.WriteLine(1);",
        "// update\nshown.Update(\"new\");",
        """
        // starts late text
        var gate = new System.Threading.ManualResetEventSlim();
        var thread = new System.Threading.Thread(() => { gate.Wait(); Console.WriteLine("late"); });
        thread.Start();
        """,
        "// late text\ngate.Set();\nthread.Join();",
        "// many displays\nfor (int i = 0; i < 10_100; i++) { display(HTML(\"x\"), \"text/plain\"); }",
        "// after many displays\n2",
        "// much text\nvar line = new string('x', 1 << 20);\nfor (int i = 0; i < 6; i++) Console.WriteLine(line);",
        "// after much text\nConsole.Write(\"next\");",
        HostCalls.Ask,
        "// parameters\ndisplay(Ask(\"seed\"));\nAsk(\"other\")",
        "// folder\nEnvironment.CurrentDirectory",
        "// plotly\nAppDomain.CurrentDomain.GetData(\"workbook.plotly\")",
        "// input\nConsole.ReadLine()",
        "// processors\nEnvironment.ProcessorCount",
        $"#r \"{typeof(Displayable).Assembly.Location}\"",
        $"// formatter\nnew {typeof(Displayable).FullName}()",
        $"#r \"{_library}\"",
        "// natives of the library\nMicrosoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString()",
        $"// build of the library\ntypeof(ClipOod.Notebook.IdScores).Assembly.ManifestModule.ModuleVersionId == System.Reflection.Assembly.LoadFile(\"{_library}\").ManifestModule.ModuleVersionId",
        "// checked\n1",
    ];

    internal TemporaryWorkbook Workbook { get; } = new();

    internal WorkbookRun Whole { get; private set; } = null!;

    internal NotebookRun Run => Whole.Runs.Single();

    public async ValueTask InitializeAsync()
    {
        Workbook.Add("01-a", "#!markdown\n# 01 · A title\n> Is it\n> true?\n\nText\n\n" + string.Concat(_cells.Select(cell => $"#!csharp\n\n{cell}\n\n")));
        Whole = await Workbook.RunAsync(new RunOptions
        {
            Parameters = new Dictionary<string, string> { ["seed"] = "7=8" },
            CheckCell = cell => cell.Source.StartsWith("// checked", StringComparison.Ordinal) ? new CellError("TexError", "no such command", 1, "") : null,
        });
    }

    public ValueTask DisposeAsync()
    {
        Workbook.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The cell whose first line is this comment.</summary>
    internal CellRun Cell(string comment) => Run.Cells.Single(cell => cell.Source.Split('\n')[0] == $"// {comment}");

    internal string TextOf(string comment) => string.Concat(Cell(comment).Outputs.OfType<StreamOutput>().Select(output => output.Text));

    internal string ValueOf(string comment) => Assert.IsType<DisplayOutput>(Assert.Single(Cell(comment).Outputs)).Mime["text/plain"];
}

public sealed class PassingNotebookTests(PassingNotebook notebook) : IClassFixture<PassingNotebook>
{
    [Fact]
    public void Run_GivesCellsOutputsTitleAndQuestion()
    {
        NotebookRun run = notebook.Run;

        Assert.Equal(("01-a", "01 · A title", "Is it true?"), (run.Id, run.Title, run.Question));
        Assert.Equal(["markdown", .. Enumerable.Repeat("csharp", run.Cells.Count - 1)], run.Cells.Select(cell => cell.Kernel));
        Assert.Equal(Enumerable.Range(1, run.Cells.Count), run.Cells.Select(cell => cell.Number));
        Assert.True(Assert.IsType<DisplayOutput>(Assert.Single(notebook.Cell("value").Outputs)).IsResult);
        Assert.Equal("21", notebook.ValueOf("value"));
        Assert.Equal("// value\nx + 1", run.Cells[2].Source);
    }

    [Fact]
    public void Outputs_OfAllStreamsAndDisplays_KeepTheirOrderAndCell()
    {
        CellOutput[] first = [.. notebook.Cell("streams").Outputs];
        Assert.Equal(new StreamOutput(false, "ab\n3.5"), first[0]);
        Assert.Equal(new StreamOutput(true, "error\n"), first[1]);
        Assert.Equal("shown", Assert.IsType<DisplayOutput>(first[2]).Mime["text/plain"]);
        Assert.Equal(new StreamOutput(false, "after\n"), first[3]);
        Assert.Equal([new StreamOutput(false, "native\n")], notebook.Cell("native").Outputs);
        Assert.Equal([new StreamOutput(true, "raw")], notebook.Cell("raw").Outputs);
        Assert.Equal("last", notebook.ValueOf("last"));
    }

    [Fact]
    public void Update_FromALaterCell_ReplacesTheOutputWhereItStands()
    {
        Assert.Equal("new", Assert.IsType<DisplayOutput>(notebook.Cell("old").Outputs[0]).Mime["text/plain"]);
        Assert.Empty(notebook.Cell("update").Outputs);
    }

    [Fact]
    public void TextOfAThread_AfterItsCell_IsShownInTheOneThatRuns()
    {
        Assert.Empty(notebook.Cell("starts late text").Outputs);
        Assert.Equal("late\n", notebook.TextOf("late text"));
    }

    [Fact]
    public void EndlessDisplays_AreCutAndSaySo()
    {
        IReadOnlyList<CellOutput> outputs = notebook.Cell("many displays").Outputs;
        Assert.Equal(10_001, outputs.Count);
        Assert.Equal("[The rest is not shown: the cell has displayed more than 10,000 values.]\n", Assert.IsType<StreamOutput>(outputs[^1]).Text);
        Assert.Equal("2", notebook.ValueOf("after many displays"));
    }

    [Fact]
    public void EndlessText_IsCutAndSaysSo()
    {
        string text = notebook.TextOf("much text");
        Assert.InRange(text.Length, 4 << 20, 6 << 20);
        Assert.EndsWith("has written more than 4 Mi characters.]\n", text, StringComparison.Ordinal);
        Assert.Equal("next", notebook.TextOf("after much text"));
    }

    [Fact]
    public void Parameters_ReachTheNotebook_AndItsQuestionsAreNoted()
    {
        Assert.Equal(["7=8", "<null>"], notebook.Cell("parameters").Outputs.Cast<DisplayOutput>().Select(output => output.Mime["text/plain"]));
        Assert.Equal(["other", "seed"], notebook.Whole.ParametersAsked);
    }

    [Fact]
    public void Notebook_RunsInItsFolder_AloneOnAllProcessors_AndIsToldWhoHoldsPlotly()
    {
        Assert.Equal(Path.GetFileName(notebook.Workbook.Notebooks), Path.GetFileName(notebook.ValueOf("folder")));
        Assert.Equal("page", notebook.ValueOf("plotly"));
        Assert.Equal("<null>", notebook.ValueOf("input"));
        Assert.Equal(Environment.ProcessorCount, int.Parse(notebook.ValueOf("processors"), null));
    }

    [Fact]
    public void TypeOfALibrary_IsShownByItsNameMatchedFormatter()
    {
        Assert.Equal("<p>shown by its own formatter</p>", ((DisplayOutput)notebook.Cell("formatter").Outputs.Single()).Mime["text/html"]);
        Assert.Equal("plain", notebook.ValueOf("formatter"));
    }

    // The program has a copy of the library beside itself, natives included.
    [Fact]
    public void Library_IsTheBuildThatTheNotebookNames_AndItsNativesLoad()
    {
        Assert.Matches(@"^1\.\d+\.\d+$", notebook.ValueOf("natives of the library"));
        Assert.Equal("True", notebook.ValueOf("build of the library"));
    }

    [Fact]
    public void CheckOfACell_FailsItAndItsNotebook()
    {
        Assert.Equal(RunState.Failed, notebook.Run.State);
        Assert.Equal((RunState.Failed, "TexError"), (notebook.Cell("checked").State, notebook.Cell("checked").Error?.Type));
        Assert.All(notebook.Run.Cells.SkipLast(1), cell => Assert.Equal((RunState.Passed, null), (cell.State, cell.Error)));
    }
}
