using System.Text.RegularExpressions;
using ClipOod.Runner.Documents;

namespace ClipOod.Runner.Rendering;

/// <summary>What changes in the cells of a notebook that goes to another folder and another host.</summary>
internal static partial class CellsElsewhere
{
    /// <summary>Code whose <c>#r "file"</c> hold from any folder; packages stay as they are.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="folder">Folder of the notebook, which relative paths start from.</param>
    public static string ResolveReferences(string code, string folder) =>
        FileReference().Replace(code, match => $"#r \"{Path.GetFullPath(Path.Combine(folder, match.Groups["file"].Value))}\"");

    /// <summary>Markdown whose links lead to notebooks of another format.</summary>
    /// <param name="markdown">The cell.</param>
    /// <param name="extension">The format's extension, without its dot.</param>
    public static string LinkTo(string markdown, string extension) =>
        NotebookLink().Replace(markdown, match => $"[{match.Groups["words"].Value}]({match.Groups["id"].Value}.{extension}{match.Groups["anchor"].Value})");

    /// <summary>Markdown that names the notebooks which it linked to, for a host where such links lead nowhere.</summary>
    /// <param name="markdown">The cell.</param>
    public static string NameLinks(string markdown) =>
        NotebookLink().Replace(markdown, match => $"{match.Groups["words"].Value} (`{match.Groups["id"].Value}.dib`)");

    [GeneratedRegex("""^#r "(?!nuget:)(?<file>[^"\r\n]+)"(?=[ \t]*\r?$)""", RegexOptions.Multiline)]
    private static partial Regex FileReference();

    [GeneratedRegex(@"\[(?<words>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?<id>[^()/\s#]+)\.dib(?<anchor>#[^()\s]*)?\)")]
    private static partial Regex NotebookLink();
}
