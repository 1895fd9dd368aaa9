using System.Xml.Linq;

namespace ClipOod.Runner.Rendering;

/// <summary>An environment: rows and columns, and the delimiters around them.</summary>
/// <param name="Open">Delimiter on the left, or empty.</param>
/// <param name="Close">Delimiter on the right, or empty.</param>
/// <param name="Alignment">One letter a column (<c>l</c>, <c>c</c>, <c>r</c>), repeated as often as needed.</param>
/// <param name="IsDisplay">Whether cells are set as displayed formulas.</param>
/// <param name="TakesColumns">Whether the alignment is given in braces after the name.</param>
internal sealed record TexEnvironment(string Open, string Close, string Alignment, bool IsDisplay = false, bool TakesColumns = false)
{
    private static readonly SortedDictionary<string, TexEnvironment> _known = new(StringComparer.Ordinal)
    {
        ["matrix"] = new("", "", "c"),
        ["smallmatrix"] = new("", "", "c"),
        ["pmatrix"] = new("(", ")", "c"),
        ["bmatrix"] = new("[", "]", "c"),
        ["Bmatrix"] = new("{", "}", "c"),
        ["vmatrix"] = new("|", "|", "c"),
        ["Vmatrix"] = new("‖", "‖", "c"),
        ["cases"] = new("{", "", "l"),
        ["rcases"] = new("", "}", "l"),
        ["array"] = new("", "", "c", TakesColumns: true),
        ["aligned"] = new("", "", "rl", IsDisplay: true),
        ["align"] = new("", "", "rl", IsDisplay: true),
        ["align*"] = new("", "", "rl", IsDisplay: true),
        ["split"] = new("", "", "rl", IsDisplay: true),
        ["gathered"] = new("", "", "c", IsDisplay: true),
    };

    /// <summary>The environments' names, for messages.</summary>
    public static string Names => string.Join(", ", _known.Keys);

    public static TexEnvironment? Find(string name) => _known.GetValueOrDefault(name);

    /// <summary>The table of the environment, between its delimiters.</summary>
    public XElement ToElement(IReadOnlyList<IReadOnlyList<XElement>> rows, string columns)
    {
        string alignment = string.Concat(columns.Where(c => c is 'l' or 'c' or 'r'));
        alignment = alignment.Length == 0 ? Alignment : alignment;
        var table = new XElement("mtable", rows.Select(row => new XElement("mtr", row.Select((cell, i) => Cell(cell, i, alignment)))));
        if (IsDisplay)
        {
            table.SetAttributeValue("displaystyle", "true");
        }

        return Open.Length + Close.Length == 0 ? table : new XElement("mrow", Fence(Open), table, Fence(Close));
    }

    private XElement Cell(XElement content, int column, string alignment)
    {
        string side = alignment[column % alignment.Length] switch { 'l' => "left", 'r' => "right", _ => "center" };
        // Aligned columns come in pairs that touch; a space parts one pair from the next. Browsers take no columnalign.
        string padding = !IsDisplay ? "" : column % 2 == 0 && column > 0 ? ";padding-left:2em;padding-right:0" : ";padding-left:0;padding-right:0";
        return new XElement("mtd", new XAttribute("style", $"text-align:{side}{padding}"), content);
    }

    private static XElement? Fence(string delimiter) => delimiter.Length == 0
        ? null
        : new XElement("mo", new XAttribute("stretchy", "true"), new XAttribute("lspace", "0em"), new XAttribute("rspace", "0em"), delimiter);
}
