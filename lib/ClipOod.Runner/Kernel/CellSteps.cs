using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace ClipOod.Runner.Kernel;

/// <summary>A step of a cell: directives split the code between them, as in .NET Interactive.</summary>
/// <param name="Line">1-based line in the cell.</param>
internal abstract record CellStep(int Line);

/// <summary>Text for the engine: code, or a directive of the engine's.</summary>
/// <param name="Text">Code follows as many empty lines as it has lines before it in the cell, so that its line numbers are those of the cell.</param>
/// <param name="Line">1-based line in the cell.</param>
internal sealed record EngineStep(string Text, int Line) : CellStep(Line);

internal sealed record PackageStep(string Id, string Version, int Line) : CellStep(Line);

internal sealed record ImportStep(string Path, int Line) : CellStep(Line);

internal sealed record TimeStep(int Line) : CellStep(Line);

/// <summary>A directive that cannot be obeyed.</summary>
internal sealed class DirectiveException(string message, int line, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>1-based line in the cell.</summary>
    public int Line { get; } = line;
}

internal static class CellSteps
{
    private const string Directive = "#!";

    private static readonly CSharpParseOptions _parseOptions =
        CSharpParseOptions.Default.WithKind(SourceCodeKind.Script).WithLanguageVersion(LanguageVersion.Latest);

    /// <summary>
    /// Splits a cell at its <c>#!</c> directives. Of C# code it checks the <c>#r</c> directives, makes their paths absolute, and takes out
    /// those that name packages.
    /// </summary>
    /// <param name="kernel">Name of the cell's kernel.</param>
    /// <param name="source">Text of the cell.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    /// <param name="directives">The directives that the engine obeys in this kernel.</param>
    /// <exception cref="DirectiveException">A directive cannot be obeyed.</exception>
    public static IEnumerable<CellStep> Split(string kernel, string source, string folder, IReadOnlyCollection<string> directives)
    {
        string[] lines = source.Split('\n');
        int start = 0;
        for (int i = 0; i <= lines.Length; i++)
        {
            if (i < lines.Length && !lines[i].StartsWith(Directive, StringComparison.Ordinal))
            {
                continue;
            }

            if (lines[start..i].Any(line => !string.IsNullOrWhiteSpace(line)))
            {
                string code = new string('\n', start) + string.Join('\n', lines[start..i]);
                foreach (CellStep step in kernel == "csharp" ? CSharp(code, start + 1, folder) : [new EngineStep(code, start + 1)])
                {
                    yield return step;
                }
            }

            if (i < lines.Length && StartsOtherKernel(lines[i]))
            {
                yield return new EngineStep(string.Join('\n', lines[i..]), i + 1);
                yield break;
            }

            if (i < lines.Length)
            {
                yield return ParseDirective(lines[i], i + 1, folder, directives);
            }

            start = i + 1;
        }
    }

    // A line of exactly a kernel's name starts a cell; with more on it, such as the name of a value, it stands in a cell.
    private static bool StartsOtherKernel(string line) =>
        line[Directive.Length..].Split((char[]?)null, 2) is [string name, ..] && Documents.DibKernels.Supported.Contains(Documents.DibKernels.NameOf(name));

    private static CellStep ParseDirective(string text, int line, string folder, IReadOnlyCollection<string> directives)
    {
        string[] parts = text.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts switch
        {
            ["#!time"] => new TimeStep(line),
            ["#!import", string argument] => new ImportStep(Path.GetFullPath(argument.Trim('"'), folder), line),
            [string name, ..] when directives.Contains(name) => new EngineStep(text, line),
            _ => throw new DirectiveException(
                $"The directive '{text.TrimEnd()}' is not supported. Supported directives: #r \"file.dll\", #r \"nuget: Id, 1.2.3\", #!import file.dib, #!time, "
                + $"{string.Join(", ", directives.Where(name => name.StartsWith(Directive, StringComparison.Ordinal)))}; "
                + $"a line that is exactly #! and one of {string.Join(", ", Documents.DibKernels.Supported)} starts a cell.",
                line),
        };
    }

    private static List<CellStep> CSharp(string code, int firstLine, string folder)
    {
        SourceText text = SourceText.From(code);
        var steps = new List<CellStep>();
        var changes = new List<TextChange>();
        SyntaxNode root = CSharpSyntaxTree.ParseText(text, _parseOptions).GetRoot();
        for (DirectiveTriviaSyntax? directive = root.GetFirstDirective(); directive is not null; directive = directive.GetNextDirective())
        {
            int line = directive.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            if (directive is ReferenceDirectiveTriviaSyntax { File: var token })
            {
                string file = token.ValueText;
                if (file.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
                {
                    steps.Add(Package(file, line));
                    changes.Add(new TextChange(text.Lines[line - 1].Span, ""));
                }
                // A bare name, such as System.Xml, is an assembly of the framework.
                else if (file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
                {
                    changes.Add(new TextChange(token.Span, $"\"{Referenced(file, folder, line)}\""));
                }
            }
            else if (text.Lines[line - 1].ToString() is var whole && whole.StartsWith("#i ", StringComparison.Ordinal))
            {
                steps.Add(new EngineStep(whole, line));
                changes.Add(new TextChange(text.Lines[line - 1].Span, ""));
            }
        }

        string rest = text.WithChanges(changes).ToString();
        return string.IsNullOrWhiteSpace(rest) ? steps : [.. steps, new EngineStep(rest, firstLine)];
    }

    private static PackageStep Package(string file, int line)
    {
        string[] parts = file["nuget:".Length..].Split(',', StringSplitOptions.TrimEntries);
        string id = parts[0];
        return parts is [{ Length: > 0 }, string version] && ReferencedAssembly.IsExact(version)
            ? new PackageStep(id, version, line)
            : throw new DirectiveException(
                $"'#r \"{file}\"' does not name one version, so that it may give another package tomorrow. Write the version in full: #r \"nuget: {(id.Length > 0 ? id : "Id")}, 1.2.3\".", line);
    }

    private static string Referenced(string file, string folder, int line)
    {
        string path = Path.GetFullPath(file, folder);
        if (!File.Exists(path))
        {
            throw new DirectiveException($"'#r \"{file}\"': there is no file at {path}. Build it first, or correct the path.", line);
        }

        return ReferencedAssembly.LoadedInstead(path) is string other
            ? throw new DirectiveException(
                $"'#r \"{file}\"': {path} is another build than {other}, which would be loaded in its place. Build the whole solution: dotnet build -c Release.", line)
            : path;
    }
}
