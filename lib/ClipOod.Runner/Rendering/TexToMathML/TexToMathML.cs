using System.Xml.Linq;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// Converts formulas written in TeX to MathML, which browsers set by themselves. It covers the commands of mathematical
/// prose: scripts, fractions, roots, delimiters, named functions, alphabets, accents, Greek, relations and operators,
/// and the environments of <see cref="TexEnvironment"/>; a command outside that is an error, never a silent gap.
/// </summary>
internal static class TexToMathML
{
    /// <summary>Converts one formula.</summary>
    /// <param name="tex">The formula, without its dollar signs.</param>
    /// <param name="display">Whether it stands on a line of its own.</param>
    /// <returns>A <c>math</c> element as text. The formula itself is its <c>alttext</c>.</returns>
    /// <exception cref="TexException">The formula has an unknown command or is malformed.</exception>
    public static string Convert(string tex, bool display)
    {
        XElement content = new TexParser(tex).ParseFormula();
        var math = new XElement("math",
            display ? new XAttribute("display", "block") : null,
            new XAttribute("alttext", tex.Trim()),
            content);
        return math.ToString(SaveOptions.DisableFormatting);
    }
}
