using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ClipOod.Runner.Kernel;

/// <summary>A step of a C# cell. Directives split the code between them, as in .NET Interactive.</summary>
internal abstract record CellStep;

/// <summary>Code to run. Lines before it are kept as empty lines, so that its line numbers are those of the cell.</summary>
/// <param name="Tree">The code.</param>
/// <param name="References">Full paths of the files that its <c>#r</c> directives name.</param>
internal sealed record CodeStep(SyntaxTree Tree, IReadOnlyList<string> References) : CellStep;

internal sealed record ImportStep(string Path, int Line) : CellStep;

internal sealed record TimeStep : CellStep;

/// <summary>A directive that cannot be obeyed.</summary>
internal sealed class DirectiveException(string message, int line, Exception? inner = null) : Exception(message, inner)
{
    public const string Supported = "#r \"file.dll\", #!import file.dib, #!time";

    /// <summary>1-based line in the cell.</summary>
    public int Line { get; } = line;
}

internal static class CellDirectives
{
    /// <summary>Splits a C# cell at its <c>#!</c> directives and makes the paths of its <c>#r</c> directives absolute.</summary>
    /// <param name="source">Text of the cell.</param>
    /// <param name="name">What stack traces call the cell.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    /// <param name="options">Options to parse the code with.</param>
    public static IEnumerable<CellStep> Split(string source, string name, string folder, CSharpParseOptions options)
    {
        string[] lines = source.Split('\n');
        int start = 0;
        for (int i = 0; i <= lines.Length; i++)
        {
            if (i < lines.Length && !lines[i].StartsWith("#!", StringComparison.Ordinal))
            {
                continue;
            }

            if (lines[start..i].Any(line => !string.IsNullOrWhiteSpace(line)))
            {
                string code = new string('\n', start) + string.Join('\n', lines[start..i]);
                yield return ParseCode(code, name, folder, options);
            }

            if (i < lines.Length)
            {
                yield return ParseDirective(lines[i], i + 1, folder);
            }

            start = i + 1;
        }
    }

    private static CellStep ParseDirective(string text, int line, string folder)
    {
        string[] parts = text.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        switch (parts)
        {
            case ["#!time"]:
                return new TimeStep();
            case ["#!import", string argument]:
                return new ImportStep(Path.GetFullPath(argument.Trim('"'), folder), line);
            default:
                throw new DirectiveException(
                    $"The directive '{text.TrimEnd()}' is not supported. Supported directives: {DirectiveException.Supported}; "
                    + $"a line that is exactly #! and one of {string.Join(", ", Documents.DibKernels.Supported)} starts a cell.",
                    line);
        }
    }

    private static CodeStep ParseCode(string code, string name, string folder, CSharpParseOptions options)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, options, name, System.Text.Encoding.UTF8);
        var replaced = new Dictionary<SyntaxToken, SyntaxToken>();
        var root = (CompilationUnitSyntax)tree.GetRoot();
        for (DirectiveTriviaSyntax? directive = root.GetFirstDirective(); directive is not null; directive = directive.GetNextDirective())
        {
            int line = directive.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            if (directive is ReferenceDirectiveTriviaSyntax { File.ValueText: var file } reference)
            {
                replaced[reference.File] = Reference(file, folder, line, reference.File);
            }
            else if (directive is LoadDirectiveTriviaSyntax or BadDirectiveTriviaSyntax)
            {
                throw new DirectiveException(
                    $"The directive '{directive.ToString().Trim()}' is not supported. Supported directives: {DirectiveException.Supported}.", line);
            }
        }

        string[] files = [.. replaced.Values.Select(token => token.ValueText).Where(Path.IsPathFullyQualified)];
        SyntaxNode rewritten = root.ReplaceTokens(replaced.Keys, (token, _) => replaced[token]);
        return new CodeStep(CSharpSyntaxTree.ParseText(rewritten.ToFullString(), options, name, System.Text.Encoding.UTF8), files);
    }

    private static SyntaxToken Reference(string file, string folder, int line, SyntaxToken token)
    {
        if (file.Contains(':', StringComparison.Ordinal) && !Path.IsPathFullyQualified(file))
        {
            throw new DirectiveException(
                $"'#r \"{file}\"' is not supported: only files can be referenced. Supported directives: {DirectiveException.Supported}.", line);
        }

        // A bare name, such as System.Xml, is an assembly of the framework.
        if (!file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
        {
            return token;
        }

        string path = Path.GetFullPath(file, folder);
        if (!File.Exists(path))
        {
            throw new DirectiveException($"'#r \"{file}\"': there is no file at {path}. Build it first, or correct the path.", line);
        }

        if (ReferencedAssembly.LoadedInstead(path) is string other)
        {
            throw new DirectiveException(
                $"'#r \"{file}\"': {path} is another build than {other}, which would be loaded in its place. Build the whole solution: dotnet build -c Release.", line);
        }

        return SyntaxFactory.Token(
            token.LeadingTrivia, SyntaxKind.StringLiteralToken, $"\"{path}\"", path, token.TrailingTrivia);
    }
}
