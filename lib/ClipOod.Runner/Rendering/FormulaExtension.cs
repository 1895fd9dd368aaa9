using System.Globalization;
using Markdig;
using Markdig.Extensions.Mathematics;
using Markdig.Helpers;
using Markdig.Parsers;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace ClipOod.Runner.Rendering;

/// <summary>A formula in markdown.</summary>
/// <param name="Tex">The formula without its dollar signs.</param>
/// <param name="IsDisplay">Whether it stands on a line of its own.</param>
/// <param name="Line">0-based line of the markdown where it starts.</param>
internal sealed record Formula(string Tex, bool IsDisplay, int Line)
{
    /// <summary>The formula of a node of the document; null where the node is none.</summary>
    public static Formula? From(MarkdownObject node) => node switch
    {
        MathInline inline => new Formula(inline.Content.ToString(), inline.DelimiterCount == 2, inline.Line),
        MathBlock block => new Formula(
            string.Join('\n', block.Lines.Lines.Take(block.Lines.Count).Select(line => line.Slice.ToString())), IsDisplay: true, block.Line + 1),
        _ => null,
    };
}

/// <summary>Formulas between dollar signs, written as MathML.</summary>
internal sealed class FormulaExtension : IMarkdownExtension
{
    public void Setup(MarkdownPipelineBuilder pipeline)
    {
        pipeline.InlineParsers.Insert(0, new FormulaParser());
        pipeline.BlockParsers.Insert(0, new MathBlockParser());
    }

    public void Setup(MarkdownPipeline pipeline, IMarkdownRenderer renderer)
    {
        if (renderer is HtmlRenderer html)
        {
            html.ObjectRenderers.Insert(0, new FormulaRenderer<MathInline>());
            html.ObjectRenderers.Insert(0, new FormulaRenderer<MathBlock>());
        }
    }

    /// <summary>
    /// Parses formulas within a paragraph by the usual rules: no space just inside single dollars, and no digit after the
    /// closing one, so that prices stay prices. Unlike Markdig's own parser it lets a formula go on in the next line.
    /// </summary>
    private sealed class FormulaParser : InlineParser
    {
        public FormulaParser() => OpeningCharacters = ['$'];

        public override bool Match(InlineProcessor processor, ref StringSlice slice)
        {
            int dollars = slice.PeekChar() == '$' ? 2 : 1;
            int start = slice.Start + dollars;
            int end = FindEnd(slice, start, dollars);
            if (end < 0)
            {
                return false;
            }

            int position = processor.GetSourcePosition(slice.Start, out int line, out int column);
            processor.Inline = new MathInline
            {
                Delimiter = '$',
                DelimiterCount = dollars,
                Content = new StringSlice(slice.Text, start, end - 1),
                Span = new SourceSpan(position, processor.GetSourcePosition(end + dollars - 1)),
                Line = line,
                Column = column,
            };
            slice.Start = end + dollars;
            return true;
        }

        private static int FindEnd(StringSlice slice, int start, int dollars)
        {
            string text = slice.Text;
            for (int i = start; i <= slice.End; i++)
            {
                if (text[i] == '\\')
                {
                    i++;
                }
                else if (text[i] == '`')
                {
                    // A code span is no part of a formula, whatever dollars it holds.
                    return -1;
                }
                else if (text[i] == '$')
                {
                    bool isLong = i < slice.End && text[i + 1] == '$';
                    bool closes = dollars == 2
                        ? isLong
                        : !isLong && !char.IsWhiteSpace(text[i - 1]) && !char.IsWhiteSpace(text[start]) && !(i < slice.End && char.IsAsciiDigit(text[i + 1]));
                    if (closes)
                    {
                        return i > start ? i : -1;
                    }

                    if (dollars == 1)
                    {
                        return -1;
                    }
                }
            }

            return -1;
        }
    }

    /// <summary>Writes a formula as MathML; one that cannot be set shows its source and what is wrong with it.</summary>
    private sealed class FormulaRenderer<T> : HtmlObjectRenderer<T>
        where T : MarkdownObject
    {
        protected override void Write(HtmlRenderer renderer, T obj)
        {
            Formula formula = Formula.From(obj)!;
            string element = obj is MathBlock ? "div" : "span";
            try
            {
                string math = TexToMathML.Convert(formula.Tex, formula.IsDisplay);
                renderer.Write(formula.IsDisplay ? $"<{element} class=\"formula\" tabindex=\"0\">{math}</{element}>" : math + Joiner(obj));
            }
            catch (TexException exception)
            {
                renderer.Write(string.Create(CultureInfo.InvariantCulture,
                    $"<{element} class=\"tex-error\"><code>{Html.Text(formula.Tex.Trim())}</code> <small>{Html.Text(exception.Message)}</small></{element}>"));
            }
        }

        // A comma after a formula must not start the next line: a word joiner holds them together.
        private static string Joiner(MarkdownObject formula) =>
            formula is Inline { NextSibling: LiteralInline { Content.IsEmpty: false } next } && char.IsPunctuation(next.Content.CurrentChar) ? "\u2060" : "";
    }
}
