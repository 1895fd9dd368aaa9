using System.Xml.Linq;

namespace ClipOod.Runner.Rendering;

/// <summary>One atom of a row: its MathML, and what its neighbours and its scripts need to know of it.</summary>
/// <param name="Element">The MathML element.</param>
/// <param name="Class">The class that decides the space around it; null for space itself.</param>
/// <param name="Core">The operator that carries the space of an operator with scripts or accents; null where there is none.</param>
/// <param name="Limits">Whether scripts go below and above.</param>
internal sealed record TexAtom(XElement Element, AtomClass? Class, XElement? Core = null, bool Limits = false)
{
    /// <summary>A sign or a name that MathML treats as an operator. Its space is set when its row is complete.</summary>
    public static TexAtom Operator(string text, AtomClass @class, bool limits = false, params XAttribute[] attributes)
    {
        var element = new XElement("mo", attributes, text);
        return new TexAtom(element, @class, element, limits);
    }

    /// <summary>An atom that is spaced as an ordinary sign.</summary>
    public static TexAtom Ordinary(XElement element) => new(element, AtomClass.Ordinary);
}

/// <summary>Puts the atoms of a row together with TeX's spaces, which MathML's own rules only come near to.</summary>
internal static class TexRow
{
    private const string None = "0em";
    private const string Thin = "0.1667em";
    private const string Medium = "0.2222em";
    private const string Thick = "0.2778em";

    /// <summary>One element for the whole row: its only atom's, or an <c>mrow</c>.</summary>
    public static XElement ToElement(IReadOnlyList<TexAtom> atoms, bool inScript)
    {
        SetSpaces(atoms, inScript);
        return atoms.Count == 1 ? atoms[0].Element : new XElement("mrow", atoms.Select(atom => atom.Element));
    }

    private static void SetSpaces(IReadOnlyList<TexAtom> atoms, bool inScript)
    {
        TexAtom[] inked = [.. atoms.Where(atom => atom.Class is not null)];
        AtomClass? before = null;
        for (int i = 0; i < inked.Length; i++)
        {
            AtomClass? after = i + 1 < inked.Length ? inked[i + 1].Class : null;
            AtomClass own = inked[i].Class!.Value;
            bool isSign = own == AtomClass.Binary && (!EndsOperand(before) || !StartsOperand(after));
            if (isSign)
            {
                own = AtomClass.Ordinary;
            }

            if (inked[i].Core is XElement core)
            {
                (string left, string right) = Spaces(own, before, after, inScript);
                core.SetAttributeValue("form", isSign ? "prefix" : core.Attribute("form")?.Value);
                core.SetAttributeValue("lspace", left);
                core.SetAttributeValue("rspace", right);
            }

            before = own;
        }
    }

    // A plus or minus with nothing to its left or right to add is a sign: -1, not 0 - 1.
    private static bool EndsOperand(AtomClass? before) => before is AtomClass.Ordinary or AtomClass.Close;

    private static bool StartsOperand(AtomClass? after) => after is AtomClass.Ordinary or AtomClass.Open or AtomClass.Operator or AtomClass.Binary;

    private static (string Left, string Right) Spaces(AtomClass own, AtomClass? before, AtomClass? after, bool inScript) => own switch
    {
        AtomClass.Binary => inScript ? (None, None) : (Medium, Medium),
        AtomClass.Relation => inScript ? (None, None) : (Thick, Thick),
        AtomClass.Punctuation => (None, inScript || after is null ? None : Thin),
        AtomClass.Operator => (
            before is AtomClass.Ordinary or AtomClass.Close ? Thin : None,
            after is AtomClass.Ordinary or AtomClass.Operator ? Thin : None),
        _ => (None, None),
    };
}
