using System.Globalization;
using ClipOod.Runner.Execution;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary>Shows a run while it goes on, and what came of it.</summary>
internal sealed class RunDisplay(IAnsiConsole console, bool quiet)
{
    private static readonly Dictionary<RunState, (string Word, string Colour)> _states = new()
    {
        [RunState.Passed] = ("passed", "green"),
        [RunState.Failed] = ("failed", "red"),
        [RunState.TimedOut] = ("timed out", "red"),
        [RunState.Cancelled] = ("cancelled", "yellow"),
        [RunState.NotRun] = ("not run", "grey"),
        [RunState.OtherWorld] = ("elsewhere", "grey"),
    };

    /// <summary>A display on what a command prints to.</summary>
    /// <param name="writer">Where to print.</param>
    /// <param name="quiet">Whether to print nothing but errors.</param>
    public static RunDisplay On(TextWriter writer, bool quiet) => new(Terminal.On(writer), quiet);

    /// <summary>Runs notebooks: with a bar for each on a terminal, else with a line for each that ends.</summary>
    public async Task<WorkbookRun> RunAsync(IReadOnlyList<NotebookFile> notebooks, RunOptions options, CancellationToken cancellation)
    {
        bool terminal = console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        if (quiet || !terminal)
        {
            return await Workbook.RunAsync(notebooks, options, PrintEnd, cancellation);
        }

        return await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new SpinnerColumn())
            .StartAsync(async context =>
            {
                var bars = notebooks.ToDictionary(
                    notebook => notebook.Id,
                    notebook => context.AddTask(Markup.Escape(notebook.Id), autoStart: false, maxValue: Math.Max(1, notebook.Document.Cells.Count)));
                return await Workbook.RunAsync(notebooks, options, message => Advance(bars[message.Id], message), cancellation);
            });
    }

    /// <summary>Prints errors, results that do not match, and the sum of it.</summary>
    public void PrintOutcome(WorkbookRun run)
    {
        foreach (NotebookRun notebook in run.Runs)
        {
            foreach (CellRun cell in notebook.Cells.Where(cell => cell.Error is not null))
            {
                string line = cell.Error!.Line is int at ? $", line {at}" : "";
                Print($"[red]{Markup.Escape(notebook.Id)}, cell {cell.Number}{line}: {Markup.Escape(cell.Error.Type)}[/]");
                Print("  " + Markup.Escape(cell.Error.Message.ReplaceLineEndings("\n  ")));
                if (cell.Error.Details.Length > 0)
                {
                    Print("[grey]  " + Markup.Escape(cell.Error.Details.ReplaceLineEndings("\n  ")) + "[/]");
                }
            }
        }

        PrintDifferences(run);
        int passed = run.Runs.Count(notebook => notebook.State == RunState.Passed);
        int elsewhere = run.Runs.Count(notebook => notebook.State == RunState.OtherWorld);
        PrintLine($"{passed} of {run.Runs.Count - elsewhere} notebooks passed in {Seconds(run.Elapsed)}{(elsewhere == 0 ? "" : $"; {elsewhere} not run, as they are for another world")}.");
    }

    /// <summary>Prints a line, unless the run is quiet.</summary>
    public void PrintLine(string text)
    {
        if (!quiet)
        {
            console.WriteLine(text);
        }
    }

    private void PrintDifferences(WorkbookRun run)
    {
        var table = new Table().AddColumns("notebook", "result", "recorded", "now", "tolerance", "check");
        foreach (NotebookRun notebook in run.Runs)
        {
            foreach (ResultCheck result in notebook.Results.Where(result => result.State != CheckState.Matches))
            {
                table.AddRow(
                    Markup.Escape(notebook.Id),
                    Markup.Escape(result.Key),
                    Markup.Escape(result.Recorded?.Show("G9") ?? ""),
                    Markup.Escape(result.Declared?.Show("G9") ?? ""),
                    result.Tolerance.ToString("G9", CultureInfo.InvariantCulture),
                    result.State switch
                    {
                        CheckState.New => "not recorded",
                        CheckState.Missing => "not declared any more",
                        _ => "differs",
                    });
            }
        }

        if (table.Rows.Count > 0)
        {
            console.Write(table);
        }
    }

    private void PrintEnd(RunProgress message)
    {
        if (!quiet && message is NotebookProgress { Run: var run })
        {
            (string word, string colour) = _states[run.State];
            Print($"[{colour}]{word,-9}[/] {Markup.Escape(run.Id)}  {Seconds(run.Elapsed)}");
        }
    }

    private static void Advance(ProgressTask bar, RunProgress message)
    {
        bar.StartTask();
        if (message is CellProgress cell)
        {
            bar.Value = cell.Cell - 1;
        }
        else if (message is NotebookProgress { Run: var run })
        {
            (string word, string colour) = _states[run.State];
            bar.Description = $"{Markup.Escape(run.Id)} [{colour}]{word}[/] {Seconds(run.Elapsed)}";
            bar.Value = run.Cells.Count(cell => cell.State == RunState.Passed);
            bar.StopTask();
        }
    }

    private void Print(string markup) => console.MarkupLine(markup);

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.0} s");
}
