using System.Text.RegularExpressions;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>An ID class and an OOD class that have the same name.</summary>
/// <param name="Id">The name among the ID classes.</param>
/// <param name="Ood">The name among the OOD classes, which may be spelt otherwise.</param>
public sealed record ClassPair(string Id, string Ood);

/// <summary>
/// Finds the classes that an OOD set shares with the ID set, whose images would be counted as OOD although they are not.
/// Only names are compared: "automobile" and "car side", or "dog" and "greyhound", remain for the reader to find.
/// </summary>
public static partial class ClassOverlap
{
    /// <summary>The pairs of equal names, after <see cref="Normalize"/>, in the order of the ID and then of the OOD classes.</summary>
    /// <param name="idClasses">Names of the ID classes.</param>
    /// <param name="oodClasses">Names of the OOD classes.</param>
    public static IReadOnlyList<ClassPair> Find(IEnumerable<string> idClasses, IEnumerable<string> oodClasses)
    {
        ILookup<string, string> ood = oodClasses.ToLookup(Normalize);
        return [.. idClasses.SelectMany(id => ood[Normalize(id)].Select(other => new ClassPair(id, other))).Distinct()];
    }

    /// <summary>
    /// A class name reduced for comparing: as <see cref="ClassNames.Clean"/> writes it, in lower case, every word in the singular as far
    /// as a final s tells, and without spaces, so that "101.head-phones" equals "Headphone".
    /// </summary>
    /// <param name="name">Any class name.</param>
    public static string Normalize(string name) =>
        string.Concat(ClassNames.Clean(name).ToLowerInvariant().Split(' ').Select(word => PluralEnding().Replace(word, "")));

    /// <summary>A final s, but not the s of glass, cactus or iris.</summary>
    [GeneratedRegex("(?<=..[^sui])s$")]
    private static partial Regex PluralEnding();
}
