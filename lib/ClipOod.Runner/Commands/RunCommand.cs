using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood run</c>: runs the notebooks, compares their results and writes the site.</summary>
internal sealed class RunCommand : Command
{
    private readonly RunCommandOptions _run;

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Run only this notebook, a number (03) or a name; may be repeated. Other pages of the site stay",
        HelpName = "NOTEBOOK",
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder of the site [default: artifacts/site]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _report = new("--report") { Description = "Also write a report as JSON", HelpName = "FILE" };

    private readonly Option<string> _ipynb = new("--ipynb") { Description = "Also save each notebook with its outputs as .ipynb", HelpName = "FOLDER" };

    private readonly Option<bool> _record = new("--record") { Description = "Record the results of this run as the expected ones" };

    private readonly Option<bool> _stopOnError = new("--stop-on-error") { Description = "Start no further notebook once one has failed" };

    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Print nothing but errors" };

    public RunCommand(NotebookRunner? runner)
        : base("run", "Run the notebooks, compare their results with the recorded ones, and write the site")
    {
        _run = new RunCommandOptions(runner);
        _run.AddTo(this);
        foreach (Option option in new Option[] { _only, _output, _report, _ipynb, _record, _stopOnError, _quiet })
        {
            Options.Add(option);
        }

        SetAction(RunWorldsAsync);
    }

    // Every world that is here, where nothing chooses one: each has its pages on the site. One file cannot hold the results of two.
    private async Task<int> RunWorldsAsync(ParseResult parse, CancellationToken cancellation)
    {
        IReadOnlyList<string> worlds = parse.GetValue(_report) is null && parse.GetValue(_ipynb) is null ? _run.WorldsHere(parse) : [];
        if (worlds.Count < 2)
        {
            return await RunAsync(parse, cancellation);
        }

        int code = ExitCodes.Passed;
        foreach (string world in worlds)
        {
            CurrentWorld.Choose(world);
            RunDisplay.On(parse.InvocationConfiguration.Output, parse.GetValue(_quiet)).PrintLine($"World {world}:");
            code = Math.Max(code, await RunAsync(parse, cancellation));
            if (code > ExitCodes.Failed)
            {
                break;
            }
        }

        return code;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string> parameters = _run.Parameters(parse);
        bool record = parse.GetValue(_record);
        if (record && parameters.Count > 0)
        {
            throw new CommandException("--record and --param exclude each other: the recorded results are those of a run without parameters.");
        }

        string folder = _run.NotebooksFolder(parse);
        string[] only = parse.GetValue(_only) ?? [];
        IReadOnlyList<NotebookFile> notebooks = NotebookFile.Find(folder, only);
        World? world = _run.RequireWorld(parse);
        string site = Path.GetFullPath(parse.GetValue(_output) ?? WorkbookFolders.Find("give --output FOLDER").Site);
        string? report = parse.GetValue(_report);
        RequireWritable(site, notebooks, world, report);
        string expected = _run.ExpectedFolder(parse, folder);

        // Somebody's own features or model: no results are recorded that could match.
        bool nothingRecorded = !CurrentWorld.IsShipped && !Directory.Exists(expected);
        RunOptions options = _run.Options(parse) with
        {
            ExpectedFolder = expected,
            ExpectedElsewhere = _run.ExpectedElsewhere(parse, folder),
            StopOnError = parse.GetValue(_stopOnError),
            ResultsMayDiffer = record || nothingRecorded || !CurrentWorld.IsAsRecorded,
        };

        RunDisplay display = RunDisplay.On(parse.InvocationConfiguration.Output, parse.GetValue(_quiet));
        WorkbookRun run = await display.RunAsync(notebooks, options, cancellation);
        if (cancellation.IsCancellationRequested)
        {
            await parse.InvocationConfiguration.Error.WriteLineAsync("Cancelled; the site is as it was before.");
            return ExitCodes.Cancelled;
        }

        display.PrintOutcome(run);
        if (nothingRecorded && !record)
        {
            display.PrintLine($"Nothing is recorded of the world '{CurrentWorld.Name}': its results are shown, and none was compared. To record them: clipood run --record");
        }
        else if (run.Runs.Any(notebook => notebook.Results.Any(result => result.State != CheckState.Matches)) && !record)
        {
            display.PrintLine(!CurrentWorld.IsAsRecorded
                ? "Here Caltech-256 has its training part, without which the results were recorded: they may differ, and that is no failure."
                : parameters.Count > 0
                ? "Results may differ from the recorded ones where parameters are given; that is no failure."
                : "To accept these results: clipood run --record");
        }

        if (record)
        {
            run = Record(run, notebooks, expected, display);
        }

        RunCommandOptions.RequireParametersKnown(parameters, run);
        IReadOnlyList<string> pages = SiteWriter.Write(
            site,
            [.. run.Runs, .. NotRunYet(folder, run)],
            new SiteOptions("ClipOod", "Out-of-distribution detection with CLIP", world?.Name ?? "", world is null ? "" : $"{world.Description} {world.Reach}", world?.Reach ?? ""),
            removeOthers: only.Length == 0 && parameters.Count == 0);
        if (report is not null)
        {
            RunReport.Write(report, run);
        }

        if (parse.GetValue(_ipynb) is string ipynb)
        {
            foreach (NotebookRun notebook in run.Runs)
            {
                IpynbExporter.Write(Path.Combine(ipynb, notebook.Id + ".ipynb"), notebook, ChartView.PlotlyLoader);
            }
        }

        display.PrintLine($"Open {(pages.Count == 1 ? pages[0] : Path.Combine(site, "index.html"))}");
        return run.Passed ? ExitCodes.Passed : ExitCodes.Failed;
    }

    // Told before the run and not after it, which may take minutes.
    private static void RequireWritable(string site, IEnumerable<NotebookFile> notebooks, World? world, string? report)
    {
        SiteWriter.RequireWritable(site, [.. notebooks.Select(notebook => notebook.Id)], world?.Name ?? "");
        OutputFile.Require([("--report", report)]);
    }

    // The site has a page for every notebook, so that no link between them leads nowhere.
    private static IEnumerable<NotebookRun> NotRunYet(string folder, WorkbookRun run) => NotebookFile.FindReadable(folder)
        .Where(notebook => !run.Runs.Any(other => other.Id == notebook.Id && other.Parameters.Count == 0))
        .Select(notebook => Workbook.NotStarted(notebook, RunState.NotRun));

    // Only notebooks that ran to their end: the results of half a notebook are not its results.
    private static WorkbookRun Record(WorkbookRun run, IReadOnlyList<NotebookFile> notebooks, string expected, RunDisplay display) => run with
    {
        Runs = [.. run.Runs.Zip(notebooks, (notebookRun, notebook) =>
        {
            if (notebookRun.Cells.Any(cell => cell.State != RunState.Passed))
            {
                return notebookRun;
            }

            string path = ExpectedValues.PathOf(expected, notebook);
            if (ExpectedValues.Record(notebookRun, path))
            {
                display.PrintLine($"Recorded {path}");
            }

            NotebookRun declared = notebookRun with { Results = [.. notebookRun.Results.Where(result => result.Declared is not null)] };
            return ExpectedValues.Check(declared, path);
        })],
    };
}
