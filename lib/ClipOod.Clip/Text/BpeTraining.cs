using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>Learns the merges of a byte-pair encoding from texts: a vocabulary for a small model (Sennrich et al. 2016, arXiv 1508.07909).</summary>
public static class BpeTraining
{
    // The heading of Hugging Face's merges files; OpenAI's is the file's name followed by it.
    private const string Heading = "#version: 0.2";

    /// <summary>
    /// Joins, again and again, the two neighbouring symbols that occur most often within words. Texts are cleaned and split as
    /// <see cref="ClipTokenizer"/> does.
    /// </summary>
    /// <param name="texts">The texts; their order does not matter.</param>
    /// <param name="merges">The number of merges wanted, 0 or more. The vocabulary has 514 symbols more: bytes, bytes that end a word, start and end.</param>
    /// <returns>
    /// The merges by rank, for <see cref="ClipTokenizer.FromMerges(IEnumerable{string})"/>; fewer than wanted where every word has become
    /// one symbol. Of pairs that occur equally often, the first in ordinal order is joined. A pair whose join is a symbol already, made of
    /// other parts, stays apart, as a tokenizer needs each symbol once.
    /// </returns>
    public static IReadOnlyList<string> Learn(IEnumerable<string> texts, int merges)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegative(merges);
        Word[] words = [.. texts.SelectMany(ClipTokenizer.SymbolsOfWords)
            .GroupBy(string.Concat, StringComparer.Ordinal)
            .Select(same => new Word(same.First(), same.Count()))];
        Dictionary<(string Left, string Right), Pair> pairs = [];
        foreach (Word word in words)
        {
            Count(pairs, word, word.Occurrences);
        }

        List<string> learned = [];
        HashSet<string> joins = new(StringComparer.Ordinal);
        while (learned.Count < merges && MostFrequent(pairs) is { } best)
        {
            if (!joins.Add(best.Left + best.Right))
            {
                // It is never joined, whatever its count.
                pairs[best].IsApart = true;
                continue;
            }

            learned.Add($"{best.Left} {best.Right}");
            foreach (Word word in pairs[best].Words.ToArray())
            {
                Count(pairs, word, -word.Occurrences);
                word.Join(best);
                Count(pairs, word, word.Occurrences);
            }
        }

        return learned;
    }

    /// <summary>
    /// Writes merges as <see cref="ClipTokenizer.FromMergesFile"/> reads them: plain text, a heading line, then one merge a line. In a
    /// folder, <see cref="ClipTokenizer.Load"/> finds a file named such as <c>bpe_simple_vocab_small.txt</c>.
    /// </summary>
    /// <param name="path">The file; one of this name is replaced.</param>
    /// <param name="merges">The merges by rank.</param>
    /// <exception cref="InvalidDataException">They are no merges of a tokenizer; nothing is written.</exception>
    public static void Save(string path, IEnumerable<string> merges)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(merges);
        string[] lines = [.. merges];
        _ = ClipTokenizer.FromMerges(lines);
        AtomicFile.Write(path, string.Concat(lines.Prepend(Heading).Select(line => line + '\n')));
    }

    private static (string Left, string Right)? MostFrequent(Dictionary<(string Left, string Right), Pair> pairs)
    {
        (string Left, string Right)? best = null;
        long most = 0;
        foreach (((string Left, string Right) symbols, Pair pair) in pairs)
        {
            if (!pair.IsApart && pair.Occurrences > 0 && (pair.Occurrences > most || (pair.Occurrences == most && Compare(symbols, best!.Value) < 0)))
            {
                (best, most) = (symbols, pair.Occurrences);
            }
        }

        return best;
    }

    private static int Compare((string Left, string Right) a, (string Left, string Right) b)
    {
        int left = string.CompareOrdinal(a.Left, b.Left);
        return left != 0 ? left : string.CompareOrdinal(a.Right, b.Right);
    }

    /// <summary>Adds a word's pairs to the counts, or takes them off.</summary>
    private static void Count(Dictionary<(string Left, string Right), Pair> pairs, Word word, int occurrences)
    {
        for (int i = 1; i < word.Symbols.Count; i++)
        {
            (string, string) symbols = (word.Symbols[i - 1], word.Symbols[i]);
            if (!pairs.TryGetValue(symbols, out Pair? pair))
            {
                pairs.Add(symbols, pair = new());
            }

            pair.Occurrences += occurrences;
            _ = occurrences > 0 ? pair.Words.Add(word) : pair.Words.Remove(word);
        }
    }

    private sealed class Pair
    {
        public long Occurrences { get; set; }

        public bool IsApart { get; set; }

        public HashSet<Word> Words { get; } = [];
    }

    private sealed class Word(IEnumerable<string> symbols, int occurrences)
    {
        public List<string> Symbols { get; } = [.. symbols];

        public int Occurrences { get; } = occurrences;

        /// <summary>Joins the pair wherever it occurs, from left to right.</summary>
        public void Join((string Left, string Right) pair)
        {
            for (int i = 1; i < Symbols.Count; i++)
            {
                if (Symbols[i - 1] == pair.Left && Symbols[i] == pair.Right)
                {
                    Symbols[i - 1] += pair.Right;
                    Symbols.RemoveAt(i);
                }
            }
        }
    }
}
