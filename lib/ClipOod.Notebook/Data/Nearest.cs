namespace ClipOod.Notebook;

/// <summary>Names that somebody may have meant.</summary>
internal static class Nearest
{
    private const int Most = 3;

    /// <summary>The nearest of some names to one that is none of them, and how many others there are, such as "a, b, c and 9 others".</summary>
    /// <param name="name">What was given.</param>
    /// <param name="known">The names that there are.</param>
    public static string Of(string name, IEnumerable<string> known)
    {
        string[] sorted = [.. known.OrderBy(other => Distance(name, other)).ThenBy(other => other, StringComparer.Ordinal)];
        return string.Join(", ", sorted.Take(Most)) + (sorted.Length > Most ? FormattableString.Invariant($" and {sorted.Length - Most} others") : "");
    }

    /// <summary>Insertions, deletions and replacements of letters that lead from one to the other, whatever their case (Levenshtein 1966).</summary>
    public static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
