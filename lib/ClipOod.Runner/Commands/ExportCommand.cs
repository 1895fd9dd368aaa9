using System.CommandLine;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood export</c>: runs one notebook and saves it, outputs included, in another format.</summary>
internal sealed class ExportCommand : Command
{
    private readonly RunCommandOptions _run = new();

    private readonly Argument<string> _notebook = new("notebook") { Description = "Number (03) or name of the notebook" };

    private readonly Option<string> _to = new Option<string>("--to") { Description = "The format", HelpName = "FORMAT", Required = true }
        .AcceptOnlyFromAmong("ipynb");

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "The file to write [default: in artifacts/export, named as the notebook]",
        HelpName = "FILE",
    };

    public ExportCommand()
        : base("export", "Run one notebook and save it with its outputs in another format")
    {
        Arguments.Add(_notebook);
        Options.Add(_to);
        Options.Add(_output);
        _run.AddTo(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string folder = _run.NotebooksFolder(parse);
        IReadOnlyList<NotebookFile> notebooks = NotebookFile.Find(folder, [parse.GetRequiredValue(_notebook)]);
        string path = parse.GetValue(_output)
            ?? Path.Combine(WorkbookFolders.Around(Environment.CurrentDirectory, "give --output FILE").Export, $"{notebooks[0].Id}.{parse.GetValue(_to)}");
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
        IpynbExporter.Write(path, run.Runs[0]);
        await parse.InvocationConfiguration.Output.WriteLineAsync($"Wrote {path}");
        return run.Runs[0].State == RunState.Passed ? ExitCodes.Passed : ExitCodes.Failed;
    }
}
