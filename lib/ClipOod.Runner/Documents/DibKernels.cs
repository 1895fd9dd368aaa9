using System.Collections.Frozen;

namespace ClipOod.Runner.Documents;

/// <summary>
/// The kernel names that .NET Interactive starts a cell with, and their aliases. All of them are boundaries between
/// cells, also those that this host cannot run: a notebook must fall into the same cells in both hosts.
/// </summary>
internal static class DibKernels
{
    /// <summary>The kernel of a cell that no <c>#!name</c> line opens.</summary>
    public const string Default = "csharp";

    /// <summary>The kernels that this host runs, sorted.</summary>
    public static IReadOnlyList<string> Supported { get; } = ["csharp", "html", "javascript", "markdown"];

    /// <summary>Every known name or alias to the kernel's name; case-sensitive.</summary>
    public static FrozenDictionary<string, string> NamesByAlias { get; } = new Dictionary<string, string>
    {
        ["csharp"] = "csharp",
        ["c#"] = "csharp",
        ["C#"] = "csharp",
        ["markdown"] = "markdown",
        ["md"] = "markdown",
        ["html"] = "html",
        ["javascript"] = "javascript",
        ["js"] = "javascript",
        ["fsharp"] = "fsharp",
        ["f#"] = "fsharp",
        ["F#"] = "fsharp",
        ["pwsh"] = "pwsh",
        ["powershell"] = "pwsh",
        ["http"] = "http",
        ["kql"] = "kql",
        ["mermaid"] = "mermaid",
        ["raw"] = "raw",
        ["sql"] = "sql",
        ["value"] = "value",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
