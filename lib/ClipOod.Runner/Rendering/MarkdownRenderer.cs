using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Syntax;

namespace ClipOod.Runner.Rendering;

/// <summary>Renders the markdown of a cell: tables, footnotes, task lists, callouts, and formulas as MathML.</summary>
internal static class MarkdownRenderer
{
    private static readonly MarkdownPipeline _pipeline = Configure(new MarkdownPipelineBuilder()).Build();

    private static readonly MarkdownPipeline _pipelineWithoutHtml = Configure(new MarkdownPipelineBuilder()).DisableHtml().Build();

    /// <summary>Checks the formulas of a cell.</summary>
    /// <param name="source">The cell's markdown.</param>
    /// <returns>The first formula's error, with its 1-based line in the cell; null when all can be set.</returns>
    public static CellError? Validate(string source)
    {
        MarkdownDocument document = Parse(source);
        foreach (Formula formula in document.Descendants().Select(Formula.From).OfType<Formula>().OrderBy(formula => formula.Line))
        {
            try
            {
                TexToMathML.Convert(formula.Tex, formula.IsDisplay);
            }
            catch (TexException exception)
            {
                int line = 1 + formula.Line + formula.Tex.AsSpan(0, exception.Position).Count('\n');
                return new CellError("TexError", exception.Message, line, formula.Tex.Trim());
            }
        }

        return null;
    }

    /// <summary>A cell's markdown as a tree, each node with its place in the text.</summary>
    /// <param name="source">The markdown.</param>
    internal static MarkdownDocument Parse(string source) => Markdown.Parse(source, _pipeline);

    /// <summary>A cell's markdown as HTML.</summary>
    /// <param name="source">The markdown.</param>
    /// <param name="withRawHtml">Whether HTML in it stays as it is, for <see cref="HtmlFragment"/> to contain; otherwise it is shown as text.</param>
    internal static string ToHtml(string source, bool withRawHtml = true) => Markdown.ToHtml(source, withRawHtml ? _pipeline : _pipelineWithoutHtml);

    private static MarkdownPipelineBuilder Configure(MarkdownPipelineBuilder builder)
    {
        builder
            .UsePreciseSourceLocation()
            .UseAlertBlocks()
            .UseAutoIdentifiers(AutoIdentifierOptions.GitHub)
            .UseAutoLinks()
            .UseEmphasisExtras()
            .UseFootnotes()
            .UsePipeTables()
            .UseTaskLists();
        builder.Extensions.Add(new FormulaExtension());
        return builder;
    }
}
