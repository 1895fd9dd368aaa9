using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>How a cell or a notebook ended.</summary>
internal enum RunState
{
    /// <summary>Ran to its end without an error; a notebook's results also match the recorded ones.</summary>
    Passed,

    /// <summary>Threw, did not compile, or declared a result that differs from the recorded one.</summary>
    Failed,

    /// <summary>Was stopped because it took longer than allowed; its outputs up to then are kept.</summary>
    TimedOut,

    /// <summary>Was stopped by the user.</summary>
    Cancelled,

    /// <summary>Never started, because something before it failed.</summary>
    NotRun,

    /// <summary>Not for the world of this run, and so not started; its text says which worlds it is for.</summary>
    OtherWorld,
}

/// <summary>What one run of a notebook gave: the model that the site, the report and the exports are made from.</summary>
/// <param name="Id">File name without <c>.dib</c>, such as <c>03-linear-head</c>.</param>
/// <param name="Path">Path of the file.</param>
/// <param name="Title">First <c># </c> heading of the first markdown cell; the id where there is none.</param>
/// <param name="Question">First <c>&gt; </c> block quote; empty where there is none.</param>
/// <param name="State">The worst state of its cells and results.</param>
/// <param name="Elapsed">Wall time, including the start of its process.</param>
/// <param name="Cells">All cells in file order, those that never ran included.</param>
/// <param name="Results">Declared results against the recorded ones, in the order of declaration; missing ones last.</param>
internal sealed record NotebookRun(
    string Id,
    string Path,
    string Title,
    string Question,
    RunState State,
    TimeSpan Elapsed,
    IReadOnlyList<CellRun> Cells,
    IReadOnlyList<ResultCheck> Results)
{
    /// <summary>The parameters that were given and that the notebook asked for.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The parameters that the notebook declared, in the order in which it asked for them.</summary>
    public IReadOnlyList<DeclaredParameter> Declared { get; init; } = [];

    /// <summary>What is recorded of the same notebook in other worlds.</summary>
    public IReadOnlyList<RecordedElsewhere> Elsewhere { get; init; } = [];
}

/// <summary>What one cell gave.</summary>
/// <param name="Number">1-based, counted over all cells.</param>
/// <param name="Kernel">Name of its kernel, such as <c>csharp</c> or <c>markdown</c>.</param>
/// <param name="Source">The text of the cell, lines separated by <c>\n</c>.</param>
/// <param name="State">How the cell ended.</param>
/// <param name="Elapsed">Wall time of the cell.</param>
/// <param name="Outputs">Outputs in the order in which they appeared.</param>
/// <param name="Error">Why the cell failed; null where it did not.</param>
internal sealed record CellRun(
    int Number,
    string Kernel,
    string Source,
    RunState State,
    TimeSpan Elapsed,
    IReadOnlyList<CellOutput> Outputs,
    CellError? Error)
{
    /// <summary>What the page runs of a JavaScript cell: its source, with the values that its directives fetched in their place.</summary>
    public string Script => Outputs.Count == 0
        ? Source
        : string.Join('\n', Outputs.OfType<DisplayOutput>().Select(output => output.Mime.GetValueOrDefault("application/javascript", "")));
}

/// <summary>One output of a cell.</summary>
internal abstract record CellOutput;

/// <summary>Text that the cell, or native code that it called, wrote to a standard stream.</summary>
/// <param name="IsError">Whether the stream was standard error.</param>
/// <param name="Text">The text, line breaks included.</param>
internal sealed record StreamOutput(bool IsError, string Text) : CellOutput;

/// <summary>A displayed value.</summary>
/// <param name="DisplayId">Names the output within its notebook, so that a later update can replace it.</param>
/// <param name="Mime">MIME type to text, such as <c>text/html</c>.</param>
/// <param name="IsResult">Whether this is the value of the cell's trailing expression.</param>
internal sealed record DisplayOutput(string DisplayId, IReadOnlyDictionary<string, string> Mime, bool IsResult) : CellOutput;

/// <summary>How a declared result compares with the recorded one.</summary>
internal enum CheckState
{
    /// <summary>Within the tolerance.</summary>
    Matches,

    /// <summary>Further from the recorded value than the tolerance, or another word.</summary>
    Differs,

    /// <summary>Declared, but not recorded.</summary>
    New,

    /// <summary>Recorded, but not declared in this run.</summary>
    Missing,
}

/// <summary>One declared result against the recorded one.</summary>
/// <param name="Declared">The result of this run; null where it is missing.</param>
/// <param name="Recorded">The recorded result; null where it is new.</param>
/// <param name="State">How they compare.</param>
internal sealed record ResultCheck(DeclaredResult? Declared, DeclaredResult? Recorded, CheckState State)
{
    /// <summary>What the result is.</summary>
    public string Key => Either.Key;

    /// <summary>Largest absolute difference that still matches.</summary>
    public double Tolerance => Either.Tolerance;

    private DeclaredResult Either => Declared ?? Recorded ?? throw new InvalidOperationException("A check of no result.");
}
