using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood export</c>: saves notebooks in another format, run and with their outputs, or as another host opens and runs them.</summary>
internal sealed class ExportCommand : Command
{
    private readonly RunCommandOptions _run;

    private readonly Argument<string[]> _only = new("notebook")
    {
        Description = "Numbers (03) or names of the notebooks [default: all]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string> _to = new Option<string>("--to") { Description = "The format", HelpName = "FORMAT" }.AcceptOnlyFromAmong("ipynb");

    private readonly Option<bool> _noRun = new("--no-run") { Description = "Do not run the notebooks: save them without outputs" };

    private readonly Option<string> _for = new Option<string>("--for")
    {
        Description = "Save, without running, what a host opens and runs: for jupyter as --to ipynb --no-run, for verso a .dib with formulas as MathML",
        HelpName = "HOST",
    }.AcceptOnlyFromAmong("jupyter", "verso");

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "The file to write, of one notebook [default: in artifacts/export, named as the notebook]",
        HelpName = "FILE",
    };

    public ExportCommand(NotebookRunner? runner)
        : base("export", "Save notebooks in another format: run and with their outputs, or as another host opens and runs them")
    {
        Arguments.Add(_only);
        foreach (Option option in new Option[] { _to, _noRun, _for, _output })
        {
            Options.Add(option);
        }

        _run = new RunCommandOptions(runner);
        _run.AddTo(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string? host = parse.GetValue(_for);
        if ((parse.GetValue(_to) is null) == (host is null))
        {
            throw new CommandException("Give either --to ipynb, to run the notebooks and save them with their outputs, or --for jupyter or --for verso.");
        }

        string folder = _run.NotebooksFolder(parse);
        IReadOnlyList<NotebookFile> notebooks = NotebookFile.Find(folder, parse.GetValue(_only));
        string? file = parse.GetValue(_output);
        if (file is not null && notebooks.Count != 1)
        {
            throw new CommandException($"--output {file} is one file, but {notebooks.Count} notebooks are to be saved. Name one notebook.");
        }

        string PathOf(string id) => file ?? Path.Combine(
            WorkbookFolders.Find("give --output FILE").Export, host ?? "", id + (host == "verso" ? ".dib" : ".ipynb"));

        async Task SaveAsync(string id, Action<string> write)
        {
            string path = PathOf(id);
            write(path);
            await parse.InvocationConfiguration.Output.WriteLineAsync($"Wrote {path}");
        }

        if (host is not null || parse.GetValue(_noRun))
        {
            foreach (NotebookFile notebook in notebooks)
            {
                RequireFormulas(notebook);
                await SaveAsync(notebook.Id, path => Save(notebook, path, host));
            }

            return ExitCodes.Passed;
        }

        _run.RequireWorld(parse);
        RunOptions options = _run.Options(parse) with { ExpectedFolder = _run.ExpectedFolder(parse, folder) };
        RunDisplay display = RunDisplay.On(parse.InvocationConfiguration.Output, quiet: false);
        WorkbookRun run = await display.RunAsync(notebooks, options, cancellation);
        if (cancellation.IsCancellationRequested)
        {
            return ExitCodes.Cancelled;
        }

        display.PrintOutcome(run);
        RunCommandOptions.RequireParametersKnown(options.Parameters, run);
        foreach (NotebookRun notebook in run.Runs)
        {
            await SaveAsync(notebook.Id, path => IpynbExporter.Write(path, notebook, ChartView.PlotlyLoader));
        }

        return run.Passed ? ExitCodes.Passed : ExitCodes.Failed;
    }

    private static void Save(NotebookFile notebook, string path, string? host)
    {
        if (host == "verso")
        {
            AtomicFile.Write(path, VersoExporter.ToText(notebook));
        }
        else
        {
            IpynbExporter.Write(path, Workbook.NotStarted(notebook, RunState.NotRun), ChartView.PlotlyLoader);
        }
    }

    // A run tells of formulas that cannot be set; without one this does.
    private static void RequireFormulas(NotebookFile notebook)
    {
        foreach ((DibCell cell, int index) in notebook.Document.Cells.Select((cell, index) => (cell, index)))
        {
            if (cell.Kernel == "markdown" && MarkdownRenderer.Validate(cell.Source) is CellError error)
            {
                throw new CommandException($"{notebook.Id}, cell {index + 1}, line {error.Line}: {error.Type}: {error.Message}");
            }
        }
    }
}
