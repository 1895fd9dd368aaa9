using Microsoft.DotNet.Interactive.Formatting;

namespace ClipOod.Runner.Kernel;

/// <summary>Where displayed values go. Static because cells reach it through static functions; a process runs one notebook.</summary>
internal static class CellOutputs
{
    private static int _count;

    /// <summary>The number of the running cell, 1-based.</summary>
    public static int Cell { get; private set; } = 1;

    /// <summary>Receives the events.</summary>
    public static Action<WorkerEvent> Send { get; set; } = _ => { };

    public static void StartCell(int number)
    {
        Cell = number;
        _count = 0;
    }

    // Numbered, so that two runs give the same page.
    public static string NextDisplayId() => $"cell-{Cell}-output-{Interlocked.Increment(ref _count)}";

    public static void Publish(
        string displayId, IReadOnlyDictionary<string, string> mime, bool isResult = false, bool isUpdate = false) =>
        Send(new ValueDisplayed(displayId, mime, isResult, isUpdate));
}

internal static class MimeBundle
{
    /// <summary>
    /// A value in the MIME types that are preferred for its type, and as plain text for readers that show nothing else.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Of(object? value, params string[] mimeTypes)
    {
        IEnumerable<string> types = mimeTypes.Length > 0
            ? mimeTypes
            : value is null ? ["text/plain"] : [.. Formatter.GetPreferredMimeTypesFor(value.GetType()), "text/plain"];
        return types.Distinct().ToDictionary(type => type, type => Formatter.ToDisplayString(value, type));
    }
}
