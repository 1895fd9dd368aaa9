using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace ClipOod.Clip;

/// <summary>
/// The part of Python's ftfy that does not guess: ligatures expanded, full-width and half-width forms folded, quotes straightened,
/// control characters dropped, canonical composition (NFC). Text decoded with the wrong encoding is not repaired.
/// </summary>
/// <remarks>
/// NFC is done here because <see cref="string.Normalize()"/> leaves text as it is where the runtime has no ICU
/// (InvariantGlobalization), and a class name must not get other tokens on such a machine.
/// </remarks>
internal static class UnicodeRepair
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    private static readonly Lazy<Tables> _tables = new(Read);

    public static string Repair(string text)
    {
        // Nothing here changes printable ASCII, and nearly all text is that.
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var codePoints = new List<int>(text.Length);
        // The enumeration gives U+FFFD for half a surrogate pair.
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (_tables.Value.Replacements.TryGetValue(rune.Value, out int[]? replacement))
            {
                codePoints.AddRange(replacement);
            }
            else
            {
                codePoints.Add(rune.Value);
            }
        }

        return Compose(codePoints.Where(c => !IsDropped(c)).Select(Straighten));
    }

    private static int Straighten(int c) => c switch
    {
        0x02BC or (>= 0x2018 and <= 0x201B) => '\'',
        >= 0x201C and <= 0x201F => '"',
        _ => c,
    };

    private static bool IsDropped(int c) =>
        c is < 0x09 or 0x0B or (>= 0x0E and < 0x20) or 0x7F or (>= 0x206A and <= 0x206F) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFC);

    private static string Compose(IEnumerable<int> codePoints)
    {
        var decomposed = new List<int>();
        foreach (int c in codePoints)
        {
            Decompose(c, decomposed);
        }

        Order(decomposed);
        var text = new StringBuilder(decomposed.Count);
        foreach (int c in Join(decomposed))
        {
            text.Append(new Rune(c));
        }

        return text.ToString();
    }

    private static void Decompose(int c, List<int> result)
    {
        int syllable = c - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TrailCount)
        {
            result.Add(LeadBase + syllable / (VowelCount * TrailCount));
            result.Add(VowelBase + syllable / TrailCount % VowelCount);
            if (syllable % TrailCount != 0)
            {
                result.Add(TrailBase + syllable % TrailCount);
            }
        }
        else if (_tables.Value.Decompositions.TryGetValue(c, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, result);
            }
        }
        else
        {
            result.Add(c);
        }
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order of equal ones.</summary>
    private static void Order(List<int> codePoints)
    {
        for (int i = 1; i < codePoints.Count; i++)
        {
            int c = codePoints[i];
            int at = i;
            while (at > 0 && Class(c) != 0 && Class(codePoints[at - 1]) > Class(c))
            {
                codePoints[at] = codePoints[at - 1];
                at--;
            }

            codePoints[at] = c;
        }
    }

    private static List<int> Join(List<int> codePoints)
    {
        var result = new List<int>(codePoints.Count);
        int starter = -1;
        int lastClass = 0;
        foreach (int c in codePoints)
        {
            int combining = Class(c);
            // A mark is blocked by an earlier one of its class or a higher one; a starter by anything in between.
            bool blocked = starter < 0 || (starter != result.Count - 1 && lastClass >= combining);
            if (!blocked && Pair(result[starter], c) is { } joined)
            {
                result[starter] = joined;
                continue;
            }

            if (combining == 0)
            {
                starter = result.Count;
            }

            lastClass = combining;
            result.Add(c);
        }

        return result;
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
        {
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        }

        if (first - HangulBase is >= 0 and < LeadCount * VowelCount * TrailCount && (first - HangulBase) % TrailCount == 0
            && second - TrailBase is > 0 and < TrailCount)
        {
            return first + second - TrailBase;
        }

        return _tables.Value.Compositions.TryGetValue((first, second), out int joined) ? joined : null;
    }

    private static int Class(int c) => _tables.Value.Classes.GetValueOrDefault(c);

    private static Tables Read()
    {
        var replacements = new Dictionary<int, int[]>();
        var decompositions = new Dictionary<int, int[]>();
        var compositions = new Dictionary<(int, int), int>();
        var classes = new Dictionary<int, int>();
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("unicode-repair.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            switch (words[0])
            {
                case "replace":
                    replacements.Add(Hex(words[1]), [.. words[2..].Select(Hex)]);
                    break;
                case "compose":
                    compositions.Add((Hex(words[1]), Hex(words[2])), Hex(words[3]));
                    decompositions.Add(Hex(words[3]), [Hex(words[1]), Hex(words[2])]);
                    break;
                case "decompose":
                    decompositions.Add(Hex(words[1]), [.. words[2..].Select(Hex)]);
                    break;
                case "class":
                    for (int c = Hex(words[2]); c <= Hex(words[3]); c++)
                    {
                        classes.Add(c, int.Parse(words[1], CultureInfo.InvariantCulture));
                    }

                    break;
            }
        }

        return new Tables(replacements.ToFrozenDictionary(), decompositions.ToFrozenDictionary(), compositions.ToFrozenDictionary(), classes.ToFrozenDictionary());
    }

    private static int Hex(string word) => int.Parse(word, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Tables(
        FrozenDictionary<int, int[]> Replacements,
        FrozenDictionary<int, int[]> Decompositions,
        FrozenDictionary<(int First, int Second), int> Compositions,
        FrozenDictionary<int, int> Classes);
}
