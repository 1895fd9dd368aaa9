using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ClipOod.Runner.Rendering;

/// <summary>Colours C# by its syntax tree alone: no names are resolved, so a cell needs no other cell.</summary>
internal static class CodeHighlighter
{
    private static readonly CSharpParseOptions _options = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    /// <summary>A cell's code as HTML, each line in a <c>span.line</c>.</summary>
    /// <param name="source">The code; lines that start with <c>#!</c> are directives of the host.</param>
    /// <param name="markedLine">1-based line that an error points at, or null.</param>
    public static string ToHtml(string source, int? markedLine = null)
    {
        string[] lines = source.Split('\n');
        // Directives of the host are not C#: blanked, they keep all positions and spoil no parse.
        string code = string.Join('\n', lines.Select(line => IsHostDirective(line) ? new string(' ', line.Length) : line));
        string?[] classes = Classify(code);

        var html = new StringBuilder();
        int start = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            html.Append(i + 1 == markedLine ? "<span class=\"line marked\">" : "<span class=\"line\">");
            if (IsHostDirective(lines[i]))
            {
                html.Append("<span class=\"d\">").Append(Html.Text(lines[i])).Append("</span>");
            }
            else
            {
                AppendLine(html, lines[i], classes.AsSpan(start, lines[i].Length));
            }

            html.Append("</span>\n");
            start += lines[i].Length + 1;
        }

        return html.ToString();
    }

    private static bool IsHostDirective(string line) => line.StartsWith("#!", StringComparison.Ordinal);

    private static void AppendLine(StringBuilder html, string line, ReadOnlySpan<string?> classes)
    {
        for (int start = 0; start < line.Length;)
        {
            int end = start + 1;
            while (end < line.Length && classes[end] == classes[start])
            {
                end++;
            }

            string text = Html.Text(line[start..end]);
            html.Append(classes[start] is string name ? $"<span class=\"{name}\">{text}</span>" : text);
            start = end;
        }
    }

    // One class a character: k keyword, s string, n number, c comment, t type, m method, d directive.
    private static string?[] Classify(string code)
    {
        var classes = new string?[code.Length];
        SyntaxNode root = CSharpSyntaxTree.ParseText(code, _options).GetRoot();
        foreach (SyntaxToken token in root.DescendantTokens())
        {
            Fill(token.Span.Start, token.Span.End, OfToken(token));
            foreach (SyntaxTrivia trivia in token.LeadingTrivia.Concat(token.TrailingTrivia))
            {
                Fill(trivia.FullSpan.Start, trivia.FullSpan.End, OfTrivia(trivia));
            }
        }

        return classes;

        void Fill(int start, int end, string? name)
        {
            if (name is not null)
            {
                classes.AsSpan(start, Math.Min(end, classes.Length) - start).Fill(name);
            }
        }
    }

    private static string? OfTrivia(SyntaxTrivia trivia) => trivia.Kind() switch
    {
        SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia => "c",
        SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia => "c",
        _ when trivia.IsDirective => "d",
        _ => null,
    };

    private static string? OfToken(SyntaxToken token)
    {
        SyntaxKind kind = token.Kind();
        return kind switch
        {
            SyntaxKind.NumericLiteralToken => "n",
            SyntaxKind.StringLiteralToken or SyntaxKind.CharacterLiteralToken or SyntaxKind.Utf8StringLiteralToken => "s",
            SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken => "s",
            SyntaxKind.InterpolatedStringStartToken or SyntaxKind.InterpolatedVerbatimStringStartToken => "s",
            SyntaxKind.InterpolatedStringTextToken or SyntaxKind.InterpolatedStringEndToken => "s",
            SyntaxKind.InterpolatedSingleLineRawStringStartToken or SyntaxKind.InterpolatedMultiLineRawStringStartToken => "s",
            SyntaxKind.InterpolatedRawStringEndToken => "s",
            SyntaxKind.IdentifierToken => OfIdentifier(token),
            _ when SyntaxFacts.IsKeywordKind(kind) => "k",
            _ => null,
        };
    }

    private static string? OfIdentifier(SyntaxToken token) => token.Parent switch
    {
        BaseTypeDeclarationSyntax or DelegateDeclarationSyntax or TypeParameterSyntax or ConstructorDeclarationSyntax => "t",
        MethodDeclarationSyntax or LocalFunctionStatementSyntax => "m",
        // var and nameof are words of the language, though the parser gives them as names.
        IdentifierNameSyntax { Identifier.Text: "var" or "nameof" or "dynamic" } => "k",
        SimpleNameSyntax name => IsCalled(name) ? "m" : IsType(name) ? "t" : null,
        _ => null,
    };

    private static bool IsCalled(SimpleNameSyntax name) =>
        name.Parent is InvocationExpressionSyntax || name.Parent is MemberAccessExpressionSyntax { Parent: InvocationExpressionSyntax call } access
            && access.Name == name && call.Expression == access
        || name.Parent is MemberBindingExpressionSyntax { Parent: InvocationExpressionSyntax };

    private static bool IsType(SimpleNameSyntax name) => name.Parent switch
    {
        TypeArgumentListSyntax or BaseTypeSyntax or ArrayTypeSyntax or NullableTypeSyntax or TupleElementSyntax or RefTypeSyntax => true,
        ObjectCreationExpressionSyntax creation => creation.Type == name,
        VariableDeclarationSyntax declaration => declaration.Type == name,
        ParameterSyntax parameter => parameter.Type == name,
        MethodDeclarationSyntax method => method.ReturnType == name,
        LocalFunctionStatementSyntax function => function.ReturnType == name,
        PropertyDeclarationSyntax property => property.Type == name,
        CastExpressionSyntax cast => cast.Type == name,
        TypeOfExpressionSyntax or DefaultExpressionSyntax or DeclarationPatternSyntax or RecursivePatternSyntax => true,
        ForEachStatementSyntax loop => loop.Type == name,
        CatchDeclarationSyntax or DeclarationExpressionSyntax => true,
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.IsExpression or (int)SyntaxKind.AsExpression } binary => binary.Right == name,
        // Scores.Mcm: a capital before a dot is a type far more often than a property.
        MemberAccessExpressionSyntax access => access.Expression == name && char.IsUpper(name.Identifier.Text[0]),
        GenericNameSyntax => false,
        _ => name is GenericNameSyntax,
    };
}
