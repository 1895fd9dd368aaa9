using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>How notebooks are run.</summary>
internal sealed record RunOptions
{
    /// <summary>Notebooks that run at the same time, sharing the processors. Defaults to one per processor.</summary>
    public int Processes { get; init; } = Environment.ProcessorCount;

    /// <summary>Runs one notebook. Defaults to a process of its own for each.</summary>
    public NotebookRunner Runner { get; init; } = NotebookProcess.RunAsync;

    /// <summary>Longest time that a cell may take. Defaults to 2 minutes.</summary>
    public TimeSpan CellTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest time that a notebook may take. Defaults to 10 minutes.</summary>
    public TimeSpan NotebookTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether no further notebook is started once one has failed.</summary>
    public bool StopOnError { get; init; }

    /// <summary>Values that notebooks may ask for by name.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The world of the run; notebooks that are for others are not run. Null to run all.</summary>
    public string? World { get; init; }

    /// <summary>Finds what is wrong with a cell that ran, such as a formula that cannot be set; null where nothing is.</summary>
    public Func<CellRun, CellError?> CheckCell { get; init; } = _ => null;

    /// <summary>Folder of the recorded results; null to compare with none.</summary>
    public string? ExpectedFolder { get; init; }

    /// <summary>Other worlds with the folders of their recorded results, to stand beside those of this run.</summary>
    public IReadOnlyList<(string World, string Folder)> ExpectedElsewhere { get; init; } = [];

    /// <summary>
    /// Whether results that do not match the recorded ones are shown, but do not fail their notebook. They never do where
    /// the notebook asked for a parameter that was given: recorded are the results without.
    /// </summary>
    public bool ResultsMayDiffer { get; init; }
}

/// <summary>Runs a notebook to its end or its first error; it never throws for these.</summary>
/// <param name="notebook">The notebook.</param>
/// <param name="options">Limits and parameters.</param>
/// <param name="processors">How many processors the notebook sees.</param>
/// <param name="progress">Is told of each cell that starts.</param>
/// <param name="cancellation">Stops the notebook; what it gave so far is kept.</param>
internal delegate Task<(NotebookRun Run, IReadOnlyCollection<string> ParametersAsked)> NotebookRunner(
    NotebookFile notebook, RunOptions options, int processors, Action<RunProgress> progress, CancellationToken cancellation);

/// <summary>Something that happened during a run.</summary>
/// <param name="Id">The notebook's id.</param>
internal abstract record RunProgress(string Id);

/// <summary>A cell started.</summary>
/// <param name="Id">The notebook's id.</param>
/// <param name="Cell">1-based number of the cell.</param>
/// <param name="Cells">Number of cells of the notebook.</param>
internal sealed record CellProgress(string Id, int Cell, int Cells) : RunProgress(Id);

/// <summary>A notebook ended.</summary>
/// <param name="Run">What it gave.</param>
internal sealed record NotebookProgress(NotebookRun Run) : RunProgress(Run.Id);
