using Microsoft.DotNet.Interactive.Documents;

namespace ClipOod.Runner.Documents;

/// <summary>
/// The kernel names that .NET Interactive starts a cell with, and their aliases. All of them are boundaries between
/// cells, also those that this host cannot run: a notebook must fall into the same cells in both hosts.
/// </summary>
internal static class DibKernels
{
    private static readonly KernelInfo[] _known =
    [
        new("csharp", "C#", ["c#", "C#"]),
        new("markdown", "Markdown", ["md"]),
        new("html"),
        new("javascript", "JavaScript", ["js"]),
        new("fsharp", "F#", ["f#", "F#"]),
        new("pwsh", "PowerShell", ["powershell"]),
        new("http"),
        new("kql"),
        new("mermaid"),
        new("raw"),
        new("sql"),
        new("value"),
    ];

    /// <summary>The kernels that this host runs, sorted.</summary>
    public static IReadOnlyList<string> Supported { get; } = ["csharp", "html", "javascript", "markdown", "mermaid", "value"];

    /// <summary>The known kernels, in a collection that others can be added to. A cell that no <c>#!name</c> line opens is C#.</summary>
    public static KernelInfoCollection Known()
    {
        var kernels = new KernelInfoCollection { DefaultKernelName = "csharp" };
        kernels.AddRange(_known);
        return kernels;
    }

    /// <summary>The name of the known kernel with this name or alias; null where there is none.</summary>
    /// <param name="nameOrAlias">Name or alias; case-sensitive.</param>
    public static string? NameOf(string nameOrAlias) =>
        _known.FirstOrDefault(kernel => kernel.Name == nameOrAlias || kernel.Aliases.Contains(nameOrAlias))?.Name;
}
