using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Tests.Execution;

public sealed class WorkbookTests : IDisposable
{
    private readonly TemporaryWorkbook _workbook = new();

    public void Dispose() => _workbook.Dispose();

    private static string Text(CellRun cell) => string.Concat(cell.Outputs.OfType<StreamOutput>().Select(output => output.Text));

    [Fact]
    public async Task Run_GivesCellsOutputsTitleAndQuestion()
    {
        _workbook.Add("01-a", """
            #!markdown
            # 01 · A title
            > Is it
            > true?

            Text
            #!csharp
            var x = 20;
            #!csharp
            x + 1
            """);

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(("01-a", "01 · A title", "Is it true?", RunState.Passed), (run.Id, run.Title, run.Question, run.State));
        Assert.Equal(["markdown", "csharp", "csharp"], run.Cells.Select(cell => cell.Kernel));
        Assert.Equal([1, 2, 3], run.Cells.Select(cell => cell.Number));
        Assert.True(run.Cells[2].Outputs.Single() is DisplayOutput { IsResult: true, Mime: var mime } && mime["text/plain"] == "21");
        Assert.Equal("x + 1", run.Cells[2].Source);
    }

    [Fact]
    public async Task Outputs_OfAllStreamsAndDisplays_KeepTheirOrderAndCell()
    {
        _workbook.AddCells(
            "01-a",
            """
            Console.Write("a"); Console.WriteLine('b'); Console.Write(3.5);
            Console.Error.WriteLine("error");
            display("shown");
            Console.WriteLine("after");
            """,
            """
            using System.Runtime.InteropServices;
            [DllImport("libc")] static extern int puts(string text);
            puts("native");
            """,
            """var bytes = Encoding.UTF8.GetBytes("raw"); using (var raw = Console.OpenStandardError()) raw.Write(bytes);""",
            "\"last\"");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(RunState.Passed, run.State);
        CellOutput[] first = [.. run.Cells[0].Outputs];
        Assert.Equal(new StreamOutput(false, "ab\n3.5"), first[0]);
        Assert.Equal(new StreamOutput(true, "error\n"), first[1]);
        Assert.Equal("shown", Assert.IsType<DisplayOutput>(first[2]).Mime["text/plain"]);
        Assert.Equal(new StreamOutput(false, "after\n"), first[3]);
        Assert.Equal([new StreamOutput(false, "native\n")], run.Cells[1].Outputs);
        Assert.Equal([new StreamOutput(true, "raw")], run.Cells[2].Outputs);
        Assert.IsType<DisplayOutput>(Assert.Single(run.Cells[3].Outputs));
    }

    [Fact]
    public async Task Update_FromALaterCell_ReplacesTheOutputWhereItStands()
    {
        _workbook.AddCells("01-a", "var shown = display(\"old\");\nConsole.WriteLine(1);", "shown.Update(\"new\");");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal("new", Assert.IsType<DisplayOutput>(run.Cells[0].Outputs[0]).Mime["text/plain"]);
        Assert.Empty(run.Cells[1].Outputs);
    }

    [Fact]
    public async Task FailingCell_StopsItsNotebookAndNoOther()
    {
        _workbook.AddCells("01-bad", "Console.Write(\"kept\");\nthrow new Exception(\"boom\");", "1");
        _workbook.AddCells("02-good", "1");

        WorkbookRun run = await _workbook.RunAsync();

        Assert.Equal([RunState.Failed, RunState.Passed], run.Runs.Select(notebook => notebook.State));
        CellRun bad = run.Runs[0].Cells[0];
        Assert.Equal(new CellError("System.Exception", "boom", 2, "   at cell 1, line 2"), bad.Error);
        Assert.Equal("kept", Text(bad));
        Assert.Equal((RunState.NotRun, 0), (run.Runs[0].Cells[1].State, run.Runs[0].Cells[1].Outputs.Count));
    }

    [Fact]
    public async Task Notebook_ForOtherWorlds_IsNotRun_AndIsNoFailure()
    {
        _workbook.Add("01-here", "#!markdown\n# Here\n\n**Worlds:** `here`, `there`\n#!csharp\n1");
        _workbook.Add("02-there", "#!markdown\n# There\n\n**Worlds:** `there`\n#!csharp\nthrow new Exception();");
        _workbook.AddCells("03-anywhere", "1");

        WorkbookRun run = await _workbook.RunAsync(new RunOptions { World = "here" });

        Assert.Equal([RunState.Passed, RunState.OtherWorld, RunState.Passed], run.Runs.Select(notebook => notebook.State));
        Assert.True(run.Passed);
        Assert.False((await _workbook.RunAsync(new RunOptions { World = "there" })).Passed);
    }

    [Fact]
    public async Task Notebooks_ThatRunTogether_ShareTheProcessors()
    {
        const string Count = "Console.Write(Environment.ProcessorCount);";
        _workbook.AddCells("01-one", Count);
        _workbook.AddCells("02-other", Count);

        WorkbookRun together = await _workbook.RunAsync(new RunOptions { Processes = 2 });
        WorkbookRun inTurn = await _workbook.RunAsync(new RunOptions { Processes = 1 });

        Assert.All(together.Runs, run => Assert.Equal(Math.Max(1, Environment.ProcessorCount / 2), int.Parse(Text(run.Cells[0]), null)));
        Assert.All(inTurn.Runs, run => Assert.Equal(Environment.ProcessorCount, int.Parse(Text(run.Cells[0]), null)));
    }

    [Fact]
    public async Task StopOnError_StartsNoFurtherNotebook()
    {
        _workbook.AddCells("01-bad", "nonsense");
        _workbook.AddCells("02-good", "1");

        WorkbookRun run = await _workbook.RunAsync(new RunOptions { StopOnError = true, Processes = 1 });

        Assert.Equal([RunState.Failed, RunState.NotRun], run.Runs.Select(notebook => notebook.State));
        Assert.Equal(RunState.NotRun, run.Runs[1].Cells.Single().State);
    }

    [Fact]
    public async Task EndlessLoop_TimesOutAndKeepsWhatItPrinted()
    {
        _workbook.AddCells("01-loop", "1", "Console.WriteLine(\"so far\");\nwhile (true) { }", "2");

        NotebookRun run = (await _workbook.RunAsync(new RunOptions { CellTimeout = TimeSpan.FromSeconds(6) })).Runs.Single();

        Assert.Equal(RunState.TimedOut, run.State);
        Assert.Equal([RunState.Passed, RunState.TimedOut, RunState.NotRun], run.Cells.Select(cell => cell.State));
        Assert.Equal("so far\n", Text(run.Cells[1]));
        Assert.Contains("6 s (--cell-timeout)", run.Cells[1].Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SlowNotebook_TimesOutAsAWhole()
    {
        _workbook.AddCells("01-slow", "System.Threading.Thread.Sleep(60000);", "2");

        NotebookRun run = (await _workbook.RunAsync(new RunOptions { NotebookTimeout = TimeSpan.FromSeconds(2) })).Runs.Single();

        Assert.Equal([RunState.TimedOut, RunState.NotRun], run.Cells.Select(cell => cell.State));
    }

    [Fact]
    public async Task Cancellation_KillsTheProcessesAndReturnsSoon()
    {
        _workbook.AddCells("01-loop", "while (true) { }");
        _workbook.AddCells("02-loop", "while (true) { }");
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(2));

        WorkbookRun run = await _workbook.RunUntilAsync(new RunOptions { Processes = 1 }, cancellation.Token);

        Assert.Equal([RunState.Cancelled, RunState.NotRun], run.Runs.Select(notebook => notebook.State));
        Assert.InRange(run.Elapsed.TotalSeconds, 1, 20);
    }

    [Theory]
    [InlineData("Environment.Exit(5);", "exit code 5")]
    [InlineData("int F(int x) => F(x + 1) + 1;\nF(0)", "exit code 134")]
    public async Task ProcessThatEnds_IsTheErrorOfItsCell(string source, string says)
    {
        _workbook.AddCells("01-gone", "Console.WriteLine(1);", source, "2");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal([RunState.Passed, RunState.Failed, RunState.NotRun], run.Cells.Select(cell => cell.State));
        Assert.Equal("ProcessEnded", run.Cells[1].Error!.Type);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Contains(says, run.Cells[1].Error!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task EndlessDisplays_AreCutAndSaySo()
    {
        _workbook.AddCells("01-a", "for (int i = 0; i < 10_100; i++) { display(HTML(\"x\"), \"text/plain\"); }", "2");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(10_001, run.Cells[0].Outputs.Count);
        Assert.Equal("[The rest is not shown: the cell has displayed more than 10,000 values.]\n", Assert.IsType<StreamOutput>(run.Cells[0].Outputs[^1]).Text);
        Assert.Single(run.Cells[1].Outputs);
    }

    [Fact]
    public async Task EndlessText_IsCutAndSaysSo()
    {
        _workbook.AddCells("01-a", "var line = new string('x', 1 << 20);\nfor (int i = 0; i < 6; i++) Console.WriteLine(line);", "Console.Write(\"next\");");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.InRange(Text(run.Cells[0]).Length, 4 << 20, 6 << 20);
        Assert.EndsWith("has written more than 4 Mi characters.]\n", Text(run.Cells[0]), StringComparison.Ordinal);
        Assert.Equal("next", Text(run.Cells[1]));
    }

    [Fact]
    public async Task UnsupportedKernel_IsAnErrorOfItsCell()
    {
        _workbook.Add("01-f", "#!fsharp\nlet x = 1\n#!csharp\n1");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(("fsharp", "UnsupportedKernel"), (run.Cells[0].Kernel, run.Cells[0].Error!.Type));
        Assert.Equal(RunState.Failed, run.State);
    }

    [Fact]
    public async Task Parameters_ReachTheNotebook_AndItsQuestionsAreNoted()
    {
        _workbook.AddCells("01-a", HostCalls.Ask, "display(Ask(\"seed\"));\nAsk(\"other\")");

        WorkbookRun run = await _workbook.RunAsync(new RunOptions { Parameters = new Dictionary<string, string> { ["seed"] = "7=8" } });

        Assert.Equal(["7=8", "<null>"], run.Runs[0].Cells[1].Outputs.Cast<DisplayOutput>().Select(output => output.Mime["text/plain"]));
        Assert.Equal(["other", "seed"], run.ParametersAsked);
    }

    [Fact]
    public async Task Notebook_RunsInItsFolder_AndIsToldWhoHoldsPlotly()
    {
        _workbook.AddCells("01-a", "Environment.CurrentDirectory", "AppDomain.CurrentDomain.GetData(\"workbook.plotly\")", "Console.ReadLine()");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(
            [Path.GetFileName(_workbook.Notebooks), "page", "<null>"],
            run.Cells.Select(cell => Path.GetFileName(((DisplayOutput)cell.Outputs[0]).Mime["text/plain"])));
    }

    [Fact]
    public async Task TypeOfALibrary_IsShownByItsNameMatchedFormatter()
    {
        _workbook.AddCells("01-a", $"#r \"{typeof(Displayable).Assembly.Location}\"", $"new {typeof(Displayable).FullName}()");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Null(run.Cells[1].Error);
        Assert.Equal("<p>shown by its own formatter</p>", ((DisplayOutput)run.Cells[1].Outputs.Single()).Mime["text/html"]);
        Assert.Equal("plain", ((DisplayOutput)run.Cells[1].Outputs.Single()).Mime["text/plain"]);
    }

    // The program has a copy of the library beside itself, natives included.
    [Fact]
    public async Task Library_IsTheBuildThatTheNotebookNames_AndItsNativesLoad()
    {
        string folder = Path.Combine(Repository.Root, "artifacts", "notebook");
        _workbook.AddCells(
            "01-a",
            $"#r \"{folder}/ClipOod.Notebook.dll\"",
            "Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString()",
            $"typeof(ClipOod.Notebook.IdScores).Assembly.ManifestModule.ModuleVersionId == System.Reflection.Assembly.LoadFile(\"{folder}/ClipOod.Notebook.dll\").ManifestModule.ModuleVersionId");

        NotebookRun run = (await _workbook.RunAsync()).Runs.Single();

        Assert.Equal(RunState.Passed, run.State);
        string[] values = [.. run.Cells.Skip(1).Select(cell => ((DisplayOutput)cell.Outputs.Single()).Mime["text/plain"])];
        Assert.Matches(@"^1\.\d+\.\d+$", values[0]);
        Assert.Equal("True", values[1]);
    }

    [Fact]
    public async Task CheckOfACell_FailsItAndItsNotebook()
    {
        _workbook.Add("01-a", "#!markdown\nbad\n#!csharp\n1");

        NotebookRun run = (await _workbook.RunAsync(new RunOptions
        {
            CheckCell = cell => cell.Source == "bad" ? new CellError("TexError", "no such command", 1, "") : null,
        })).Runs.Single();

        Assert.Equal(RunState.Failed, run.State);
        Assert.Equal([RunState.Failed, RunState.Passed], run.Cells.Select(cell => cell.State));
        Assert.Equal("TexError", run.Cells[0].Error!.Type);
    }
}
