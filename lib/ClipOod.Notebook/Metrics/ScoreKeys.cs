using System.Runtime.InteropServices;

namespace ClipOod.Notebook;

/// <summary>Doubles as unsigned 64-bit keys in the same order, and their sort.</summary>
internal static class ScoreKeys
{
    /// <summary>From this length on the radix sort is quicker than <see cref="Array.Sort(Array)"/>.</summary>
    private const int RadixLength = 2048;

    // More buckets than this outgrow the first-level cache and its address buffers, and the passes saved do not pay.
    private const int DigitBits = 10;
    private const int Digits = 7;
    private const int Buckets = 1 << DigitBits;

    /// <summary>The key of a score that is not NaN; never 0. −0.0 and 0.0, which are equal scores, share one.</summary>
    public static ulong Of(double score)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(score + 0.0);
        return bits ^ ((ulong)((long)bits >> 63) | (1UL << 63));
    }

    /// <summary>The score of a key.</summary>
    public static double ToScore(ulong key) =>
        BitConverter.UInt64BitsToDouble(key ^ (((key >> 63) - 1) | (1UL << 63)));

    /// <summary>A 0, smaller than every key, followed by the keys of the scores in ascending order.</summary>
    public static ulong[] SortedAfterZero(ReadOnlySpan<double> scores)
    {
        ulong[] keys = GC.AllocateUninitializedArray<ulong>(scores.Length + 1);
        keys[0] = 0;
        bool ascending = true;
        for (int i = 0; i < scores.Length; i++)
        {
            ulong key = Of(scores[i]);
            ascending &= key >= keys[i];
            keys[i + 1] = key;
        }

        // A bootstrap hands in sorted resamples.
        if (!ascending)
        {
            Sort(keys.AsSpan(1));
        }

        return keys;
    }

    /// <summary>Sorts in ascending order: by a radix sort where there are many keys.</summary>
    public static void Sort(Span<ulong> keys)
    {
        if (keys.Length < RadixLength)
        {
            keys.Sort();
        }
        else
        {
            RadixSort(keys);
        }
    }

    /// <summary>Least-significant-digit radix sort; passes over a digit that all keys share are left out.</summary>
    public static void RadixSort(Span<ulong> keys)
    {
        int[] counts = new int[Digits * Buckets];
        foreach (ulong key in keys)
        {
            for (int digit = 0; digit < Digits; digit++)
            {
                counts[(digit * Buckets) + (int)((key >> (digit * DigitBits)) & (Buckets - 1))]++;
            }
        }

        ulong[] buffer = GC.AllocateUninitializedArray<ulong>(keys.Length);
        Span<ulong> from = keys;
        Span<ulong> to = buffer;
        for (int digit = 0; digit < Digits; digit++)
        {
            Span<int> starts = counts.AsSpan(digit * Buckets, Buckets);
            if (starts.Contains(keys.Length))
            {
                continue;
            }

            int start = 0;
            foreach (ref int count in starts)
            {
                (count, start) = (start, start + count);
            }

            Scatter(from, to, starts, digit * DigitBits);
            Span<ulong> swap = from;
            from = to;
            to = swap;
        }

        // Spans over the same memory start at the same place.
        if (!System.Runtime.CompilerServices.Unsafe.AreSame(ref MemoryMarshal.GetReference(from), ref MemoryMarshal.GetReference(keys)))
        {
            from.CopyTo(keys);
        }
    }

    private static void Scatter(ReadOnlySpan<ulong> from, Span<ulong> to, Span<int> next, int shift)
    {
        foreach (ulong key in from)
        {
            to[next[(int)((key >> shift) & (Buckets - 1))]++] = key;
        }
    }
}
