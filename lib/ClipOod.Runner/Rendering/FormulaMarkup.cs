using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Markdig.Syntax;

namespace ClipOod.Runner.Rendering;

/// <summary>Formulas as MathML within markdown, for hosts whose markdown has HTML but no TeX.</summary>
internal static class FormulaMarkup
{
    /// <summary>The markdown with a <c>math</c> element in place of each formula.</summary>
    /// <param name="markdown">The markdown.</param>
    /// <exception cref="TexException">A formula cannot be set.</exception>
    public static string InMarkdown(string markdown)
    {
        var result = new StringBuilder(markdown);
        foreach (MarkdownObject node in MarkdownRenderer.Parse(markdown).Descendants()
            .Where(node => Formula.From(node) is not null).OrderByDescending(node => node.Span.Start))
        {
            Formula formula = Formula.From(node)!;
            XElement math = XElement.Parse(TexToMathML.Convert(formula.Tex, formula.IsDisplay), LoadOptions.PreserveWhitespace);
            result.Remove(node.Span.Start, node.Span.Length);
            result.Insert(node.Span.Start, Write(math, new StringBuilder()).ToString());
        }

        return result.ToString();
    }

    private static StringBuilder Write(XElement element, StringBuilder text)
    {
        text.Append('<').Append(element.Name.LocalName);
        foreach (XAttribute attribute in element.Attributes())
        {
            Escape(attribute.Value, text.Append(' ').Append(attribute.Name.LocalName).Append("=\"")).Append('"');
        }

        text.Append('>');
        foreach (XNode node in element.Nodes())
        {
            _ = node is XElement child ? Write(child, text) : Escape(((XText)node).Value, text);
        }

        return text.Append("</").Append(element.Name.LocalName).Append('>');
    }

    // Between tags markdown goes on, and bars part the cells of a table even within them: no sign that means something there stays.
    private static StringBuilder Escape(string value, StringBuilder text)
    {
        foreach (char letter in value)
        {
            _ = letter switch
            {
                '\r' or '\n' => text.Append(' '),
                < '\u0080' when !char.IsAsciiLetterOrDigit(letter) && letter != ' ' => text.Append(CultureInfo.InvariantCulture, $"&#{(int)letter};"),
                _ => text.Append(letter),
            };
        }

        return text;
    }
}
