using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Execution;

/// <summary>What only a run of its own can show: notebooks that fail, or must be stopped, or run beside others.</summary>
public sealed class WorkbookTests : IDisposable
{
    private readonly TemporaryWorkbook _workbook = new();

    public void Dispose() => _workbook.Dispose();

    private static string Text(CellRun cell) => string.Concat(cell.Outputs.OfType<StreamOutput>().Select(output => output.Text));

    [Fact]
    public async Task FailingCell_StopsItsNotebookAndNoOther_AndTogetherTheyShareTheProcessors()
    {
        _workbook.AddCells("01-bad", "Console.Write(\"kept\");\nthrow new Exception(\"boom\");", "1");
        _workbook.AddCells("02-good", "Console.Write(Environment.ProcessorCount);");

        WorkbookRun run = await _workbook.RunAsync(new RunOptions { Processes = 2 });

        Assert.Equal([RunState.Failed, RunState.Passed], run.Runs.Select(notebook => notebook.State));
        CellRun bad = run.Runs[0].Cells[0];
        Assert.Equal(new CellError("System.Exception", "boom", 2, "   at cell 1, line 2"), bad.Error);
        Assert.Equal("kept", Text(bad));
        Assert.Equal((RunState.NotRun, 0), (run.Runs[0].Cells[1].State, run.Runs[0].Cells[1].Outputs.Count));
        Assert.Equal(Math.Max(1, Environment.ProcessorCount / 2), int.Parse(Text(run.Runs[1].Cells[0]), null));
    }

    [Fact]
    public async Task StopOnError_StartsNoFurtherNotebook_AndOthersWorldsAreNoFailure()
    {
        _workbook.Add("01-there", "#!markdown\n# There\n\n**Worlds:** `there`\n#!csharp\nthrow new Exception();");
        _workbook.Add("02-bad", "#!markdown\n# Here\n\n**Worlds:** `here`, `there`\n#!fsharp\nlet x = 1");
        _workbook.AddCells("03-good", "1");

        WorkbookRun run = await _workbook.RunAsync(new RunOptions { World = "here", StopOnError = true, Processes = 1 });

        Assert.Equal([RunState.OtherWorld, RunState.Failed, RunState.NotRun], run.Runs.Select(notebook => notebook.State));
        Assert.Equal(("fsharp", "UnsupportedKernel"), (run.Runs[1].Cells[1].Kernel, run.Runs[1].Cells[1].Error!.Type));
        Assert.Equal(RunState.NotRun, run.Runs[2].Cells.Single().State);
        Assert.False(run.Passed);
        Assert.True((run with { Runs = [run.Runs[0]] }).Passed);
    }

    // Neither ends by itself. A thread of its own keeps a process alive that is asked to end, until it is killed.
    [Theory]
    [InlineData("while (true) { System.Threading.Thread.Sleep(1); }")]
    [InlineData("new System.Threading.Thread(() => System.Threading.Thread.Sleep(-1)).Start();\nawait Task.Delay(-1);")]
    public async Task Cancellation_EndsTheProcess_KeepsWhatItGave_AndStartsNoOther(string source)
    {
        _workbook.AddCells("01-long", "Console.WriteLine(\"so far\");", source, "1");
        _workbook.AddCells("02-next", "1");
        using var cancellation = new CancellationTokenSource();

        WorkbookRun run = await Workbook.RunAsync(
            NotebookFile.Find(_workbook.Notebooks),
            new RunOptions { Processes = 1 },
            message => cancellation.CancelAfter(message is CellProgress { Cell: 2 } ? 500 : Timeout.Infinite),
            cancellation.Token);

        Assert.Equal([RunState.Cancelled, RunState.NotRun], run.Runs.Select(notebook => notebook.State));
        Assert.Equal([RunState.Passed, RunState.Cancelled, RunState.NotRun], run.Runs[0].Cells.Select(cell => cell.State));
        Assert.Equal("so far\n", Text(run.Runs[0].Cells[0]));
    }

    [Fact]
    public async Task SlowNotebook_TimesOutAsAWhole()
    {
        _workbook.AddCells("01-slow", "System.Threading.Thread.Sleep(60000);", "2");

        NotebookRun run = (await _workbook.RunAsync(new RunOptions { NotebookTimeout = TimeSpan.FromSeconds(2) })).Runs.Single();

        Assert.Equal([RunState.TimedOut, RunState.NotRun], run.Cells.Select(cell => cell.State));
    }

    [Fact]
    public async Task EndlessLoop_TimesOutAndKeepsWhatItPrinted()
    {
        _workbook.AddCells("01-loop", "1", "Console.WriteLine(\"so far\");\nwhile (true) { System.Threading.Thread.Sleep(1); }", "2");

        NotebookRun run = (await _workbook.RunAsync(new RunOptions { CellTimeout = TimeSpan.FromSeconds(20) })).Runs.Single();

        Assert.Equal(RunState.TimedOut, run.State);
        Assert.Equal([RunState.Passed, RunState.TimedOut, RunState.NotRun], run.Cells.Select(cell => cell.State));
        Assert.Equal("so far\n", Text(run.Cells[1]));
        Assert.Contains("20 s (--cell-timeout)", run.Cells[1].Error!.Message, StringComparison.Ordinal);
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
}
