using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>Runs notebooks, each in a process of its own.</summary>
internal static class Workbook
{
    /// <summary>Runs notebooks, several at a time.</summary>
    /// <param name="notebooks">The notebooks; they are started in this order.</param>
    /// <param name="options">How to run them.</param>
    /// <param name="progress">Is told what happens, from any thread, one call at a time.</param>
    /// <param name="cancellation">Stops all processes; what they gave so far is returned.</param>
    /// <returns>One run per notebook in their order, those that were not started included.</returns>
    /// <exception cref="InvalidDataException">A file of recorded results is malformed.</exception>
    public static async Task<WorkbookRun> RunAsync(
        IReadOnlyList<NotebookFile> notebooks, RunOptions options, Action<RunProgress> progress, CancellationToken cancellation)
    {
        if (options.ExpectedFolder is string folder)
        {
            foreach (NotebookFile notebook in notebooks)
            {
                ExpectedValues.RequireReadable(ExpectedValues.PathOf(folder, notebook));
            }
        }

        var started = DateTimeOffset.UtcNow;
        var runs = new NotebookRun[notebooks.Count];
        var asked = new SortedSet<string>(StringComparer.Ordinal);
        var sync = new Lock();
        bool stop = false;
        int processes = Math.Clamp(options.Processes, 1, Math.Max(1, notebooks.Count(RunsHere)));
        int processors = Math.Max(1, Environment.ProcessorCount / processes);

        bool RunsHere(NotebookFile notebook) => options.World is not string world || notebook.RunsIn(world);

        void Report(RunProgress message)
        {
            lock (sync)
            {
                progress(message);
            }
        }

        async Task RunOneAsync(int index)
        {
            NotebookFile notebook = notebooks[index];
            if (!RunsHere(notebook))
            {
                runs[index] = NotStarted(notebook, RunState.OtherWorld);
                Report(new NotebookProgress(runs[index]));
                return;
            }

            if (stop || cancellation.IsCancellationRequested)
            {
                runs[index] = NotStarted(notebook, RunState.NotRun);
                return;
            }

            (NotebookRun run, IReadOnlyCollection<string> parameters) = await options.Runner(notebook, options, processors, Report, cancellation);
            run = Check(run with { Parameters = GivenTo(run, parameters, options) }, notebook, options);
            stop |= options.StopOnError && run.State != RunState.Passed;
            runs[index] = run;
            lock (sync)
            {
                asked.UnionWith(parameters);
            }

            Report(new NotebookProgress(run));
        }

        // Not Parallel.ForEachAsync, which takes no promise about the order of starts.
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, processes).Select(async _ =>
        {
            for (int index; (index = Interlocked.Increment(ref next)) < notebooks.Count;)
            {
                await RunOneAsync(index);
            }
        }));
        return new WorkbookRun(started, DateTimeOffset.UtcNow - started, runs, asked);
    }

    // A notebook that failed before it asked for any may have wanted them all.
    private static Dictionary<string, string> GivenTo(NotebookRun run, IReadOnlyCollection<string> asked, RunOptions options)
    {
        Dictionary<string, string> given = new(options.Parameters.Where(pair => asked.Contains(pair.Key)), StringComparer.Ordinal);
        return given.Count == 0 && run.State != RunState.Passed ? new(options.Parameters, StringComparer.Ordinal) : given;
    }

    private static NotebookRun Check(NotebookRun run, NotebookFile notebook, RunOptions options)
    {
        run = CheckCells(run, options.CheckCell) with
        {
            Elsewhere = [.. options.ExpectedElsewhere.Select(other => RecordedElsewhere.Load(other.World, other.Folder, notebook))],
        };
        if (options.ExpectedFolder is null)
        {
            return run;
        }

        run = ExpectedValues.Check(run, ExpectedValues.PathOf(options.ExpectedFolder, notebook));
        bool fails = run.State == RunState.Passed
            && !options.ResultsMayDiffer
            && run.Parameters.Count == 0
            && run.Results.Any(result => result.State != CheckState.Matches);
        return fails ? run with { State = RunState.Failed } : run;
    }

    private static NotebookRun CheckCells(NotebookRun run, Func<CellRun, CellError?> check)
    {
        CellRun[] cells = [.. run.Cells.Select(cell => cell.State == RunState.Passed && check(cell) is CellError error
            ? cell with { State = RunState.Failed, Error = error }
            : cell)];
        bool fails = run.State == RunState.Passed && cells.Any(cell => cell.Error is not null);
        return run with { Cells = cells, State = fails ? RunState.Failed : run.State };
    }

    /// <summary>A notebook of which nothing was run.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="state">Why: <see cref="RunState.NotRun"/> or <see cref="RunState.OtherWorld"/>.</param>
    public static NotebookRun NotStarted(NotebookFile notebook, RunState state) => new(
        notebook.Id,
        notebook.Path,
        notebook.Title,
        notebook.Question,
        state,
        TimeSpan.Zero,
        [.. notebook.Document.Cells.Select((cell, i) => new CellRun(i + 1, cell.Kernel, cell.Source, state, TimeSpan.Zero, [], null))],
        []);
}

/// <summary>What one run of several notebooks gave.</summary>
/// <param name="Started">When it started.</param>
/// <param name="Elapsed">Wall time.</param>
/// <param name="Runs">One run per notebook, in their order.</param>
/// <param name="ParametersAsked">The names of the parameters that notebooks asked for, sorted.</param>
internal sealed record WorkbookRun(
    DateTimeOffset Started, TimeSpan Elapsed, IReadOnlyList<NotebookRun> Runs, IReadOnlyCollection<string> ParametersAsked)
{
    /// <summary>Whether every notebook that is for this world passed.</summary>
    public bool Passed => Runs.All(run => run.State is RunState.Passed or RunState.OtherWorld);
}
