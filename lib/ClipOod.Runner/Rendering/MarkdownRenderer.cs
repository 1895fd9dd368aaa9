using System.Globalization;
using ClipOod.Runner.Execution;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Mathematics;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace ClipOod.Runner.Rendering;

/// <summary>Renders the markdown of a cell: tables, footnotes, task lists, callouts, and formulas as MathML.</summary>
public static class MarkdownRenderer
{
    private static readonly MarkdownPipeline Pipeline = Configure(new MarkdownPipelineBuilder()).Build();

    private static readonly MarkdownPipeline PipelineWithoutHtml = Configure(new MarkdownPipelineBuilder()).DisableHtml().Build();

    private static MarkdownPipelineBuilder Configure(MarkdownPipelineBuilder builder) => builder
        .UsePreciseSourceLocation()
        .UseAlertBlocks()
        .UseAutoIdentifiers(AutoIdentifierOptions.GitHub)
        .UseAutoLinks()
        .UseEmphasisExtras()
        .UseFootnotes()
        .UseMathematics()
        .UsePipeTables()
        .UseTaskLists();

    /// <summary>Checks the formulas of a cell.</summary>
    /// <param name="source">The cell's markdown.</param>
    /// <returns>The first formula's error, with its 1-based line in the cell; null when all can be set.</returns>
    public static CellError? Validate(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        MarkdownDocument document = Markdown.Parse(source, Pipeline);
        var formulas = document.Descendants().Select(Formula.From).OfType<Formula>().OrderBy(formula => formula.Start);
        foreach (Formula formula in formulas)
        {
            try
            {
                TexToMathML.Convert(formula.Tex, formula.IsDisplay);
            }
            catch (TexException exception)
            {
                int at = Math.Min(source.Length, formula.Start + exception.Position);
                return new CellError("TexError", exception.Message, 1 + source.AsSpan(0, at).Count('\n'), formula.Tex.Trim());
            }
        }

        return null;
    }

    /// <summary>A cell's markdown as HTML.</summary>
    /// <param name="source">The markdown.</param>
    /// <param name="withRawHtml">Whether HTML in it stays as it is, for <see cref="HtmlFragment"/> to contain; otherwise it is shown as text.</param>
    internal static string ToHtml(string source, bool withRawHtml = true)
    {
        MarkdownPipeline pipeline = withRawHtml ? Pipeline : PipelineWithoutHtml;
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        var renderer = new HtmlRenderer(writer);
        pipeline.Setup(renderer);
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlMathInlineRenderer>(new FormulaRenderer<MathInline>());
        renderer.ObjectRenderers.ReplaceOrAdd<HtmlMathBlockRenderer>(new FormulaRenderer<MathBlock>());
        renderer.Render(Markdown.Parse(source, pipeline));
        return writer.ToString();
    }

    /// <summary>A formula in a cell.</summary>
    private sealed record Formula(string Tex, bool IsDisplay, int Start)
    {
        public static Formula? From(MarkdownObject node) => node switch
        {
            MathInline inline => new Formula(inline.Content.ToString(), inline.DelimiterCount == 2, inline.Content.Start),
            MathBlock block => new Formula(string.Join('\n', block.Lines.Lines.Take(block.Lines.Count).Select(line => line.Slice.ToString())), true,
                block.Lines.Count > 0 ? block.Lines.Lines[0].Position : block.Span.Start),
            _ => null,
        };
    }

    // A comma after a formula must not start the next line: a word joiner holds them together.
    private static string Joiner(MarkdownObject formula) =>
        formula is Inline { NextSibling: LiteralInline { Content.IsEmpty: false } next } && char.IsPunctuation(next.Content.CurrentChar) ? "\u2060" : "";

    /// <summary>Writes a formula as MathML; one that cannot be set shows its source and what is wrong with it.</summary>
    private sealed class FormulaRenderer<T> : HtmlObjectRenderer<T>
        where T : MarkdownObject
    {
        protected override void Write(HtmlRenderer renderer, T obj)
        {
            Formula formula = Formula.From(obj)!;
            string element = obj is MathBlock ? "div" : "span";
            string html;
            try
            {
                html = TexToMathML.Convert(formula.Tex, formula.IsDisplay);
            }
            catch (TexException exception)
            {
                html = $"<code>{Html.Text(formula.Tex.Trim())}</code> <small>{Html.Text(exception.Message)}</small>";
                renderer.Write($"<{element} class=\"tex-error\">{html}</{element}>");
                return;
            }

            renderer.Write(formula.IsDisplay ? $"<{element} class=\"formula\">{html}</{element}>" : html + Joiner(obj));
        }
    }
}
