using System.Text.Json;
using System.Text.RegularExpressions;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>An ID class and an OOD class that mean the same, or of which one is a kind of the other.</summary>
/// <param name="Id">The name among the ID classes.</param>
/// <param name="Ood">The name among the OOD classes.</param>
/// <param name="Reason">Why images of the OOD class would not be OOD, such as "the same name".</param>
public sealed record ClassPair(string Id, string Ood, string Reason = ClassOverlap.SameName);

/// <summary>
/// Finds the classes that an OOD set shares with the ID set, whose images would be counted as OOD although they are not: equal names,
/// and the synonyms and kinds of the reviewed list <c>data/overlaps.json</c>, which gives a reason for each entry.
/// </summary>
public static partial class ClassOverlap
{
    internal const string SameName = "the same name";

    private static readonly Lazy<IReadOnlyList<Entry>> _reviewed = new(() =>
    {
        using Stream file = typeof(ClassOverlap).Assembly.GetManifestResourceStream("overlaps.json")
            ?? throw new InvalidOperationException("The library has no resource overlaps.json. Build it again.");
        using StreamReader reader = new(file);
        return Parse(reader.ReadToEnd());
    });

    private static readonly Lazy<ILookup<string, (Entry Entry, bool IsKind)>> _byName = new(() => _reviewed.Value
        .SelectMany(entry => entry.Names.Select(name => (Name: name, Entry: entry, IsKind: false))
            .Concat(entry.Kinds.Select(name => (Name: name, Entry: entry, IsKind: true))))
        .ToLookup(item => Normalize(item.Name), item => (item.Entry, item.IsKind)));

    /// <summary>The pairs of classes that overlap, in the order of the ID and then of the OOD classes.</summary>
    /// <param name="idClasses">Names of the ID classes.</param>
    /// <param name="oodClasses">Names of the OOD classes.</param>
    public static IReadOnlyList<ClassPair> Find(IEnumerable<string> idClasses, IEnumerable<string> oodClasses)
    {
        (string Name, string Key)[] ood = [.. oodClasses.Select(name => (name, Normalize(name)))];
        return [.. (from id in idClasses
                    let reasons = KnownBy(Normalize(id))
                    from other in ood
                    where reasons.ContainsKey(other.Key)
                    select new ClassPair(id, other.Name, reasons[other.Key])).DistinctBy(pair => (pair.Id, pair.Ood))];
    }

    /// <summary>The words that are a name of a class: equal to it, or a synonym of the reviewed list. Kinds of a class are no names of it.</summary>
    /// <param name="classes">Names of classes.</param>
    /// <param name="words">Any words.</param>
    /// <returns>Those of <paramref name="words"/> that name a class, in their order.</returns>
    public static IReadOnlyList<string> Naming(IEnumerable<string> classes, IEnumerable<string> words)
    {
        HashSet<string> names = [.. classes.Select(Normalize)];
        names.UnionWith(names.SelectMany(key => _byName.Value[key]).Where(item => !item.IsKind).SelectMany(item => item.Entry.Names).Select(Normalize).ToArray());
        return [.. words.Where(word => names.Contains(Normalize(word)))];
    }

    /// <summary>
    /// A class name reduced for comparing: as <see cref="ClassNames.Clean"/> writes it, in lower case, every word in the singular as far
    /// as a final s tells, and without spaces, so that "101.head-phones" equals "Headphone".
    /// </summary>
    /// <param name="name">Any class name.</param>
    public static string Normalize(string name) =>
        string.Concat(ClassNames.Clean(name).ToLowerInvariant().Split(' ').Select(word => PluralEnding().Replace(word, "")));

    /// <summary>Reads a reviewed list: an array of <c>{"names": [...], "kinds": [...], "reason": "..."}</c>; names mean the same, kinds are kinds of them.</summary>
    /// <param name="json">The list.</param>
    /// <exception cref="InvalidDataException">It is no such list, or an entry relates no two classes or has no reason; the message says which.</exception>
    internal static IReadOnlyList<Entry> Parse(string json)
    {
        Entry[] entries;
        try
        {
            entries = JsonSerializer.Deserialize<Entry[]>(json, JsonSerializerOptions.Web) ?? [];
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"overlaps.json is not a list of overlapping classes: {error.Message}", error);
        }

        foreach ((int i, Entry entry) in entries.Index())
        {
            if (entry.Names.Concat(entry.Kinds).Any(string.IsNullOrWhiteSpace) || entry.Names.Count == 0 || entry.Names.Count + entry.Kinds.Count < 2)
            {
                throw new InvalidDataException(
                    $"overlaps.json, entry {i} ({string.Join(", ", entry.Names)}): expected a name in \"names\" and a second one there or in \"kinds\".");
            }

            if (string.IsNullOrWhiteSpace(entry.Reason))
            {
                throw new InvalidDataException($"overlaps.json, entry {i} ({string.Join(", ", entry.Names)}): expected a \"reason\".");
            }
        }

        return entries;
    }

    /// <summary>The reviewed list.</summary>
    internal static IReadOnlyList<Entry> Reviewed => _reviewed.Value;

    /// <summary>What an ID class knows, normalised, with the reason: itself, its synonyms, its kinds, and what it is a kind of.</summary>
    private static Dictionary<string, string> KnownBy(string id)
    {
        Dictionary<string, string> reasons = new(StringComparer.Ordinal) { [id] = SameName };
        foreach ((Entry entry, bool isKind) in _byName.Value[id])
        {
            // Two kinds of one thing are not each other: a duck is no penguin.
            foreach (string name in isKind ? entry.Names : entry.Names.Concat(entry.Kinds))
            {
                reasons.TryAdd(Normalize(name), entry.Reason);
            }
        }

        return reasons;
    }

    /// <summary>A final s, but not the s of glass, cactus or iris.</summary>
    [GeneratedRegex("(?<=..[^sui])s$")]
    private static partial Regex PluralEnding();

    /// <summary>One entry of the reviewed list.</summary>
    internal sealed class Entry
    {
        /// <summary>Names that mean the same.</summary>
        public IReadOnlyList<string> Names { get; init; } = [];

        /// <summary>Kinds of what the names mean; no two of them overlap by this entry.</summary>
        public IReadOnlyList<string> Kinds { get; init; } = [];

        /// <summary>Why.</summary>
        public string Reason { get; init; } = "";
    }
}
