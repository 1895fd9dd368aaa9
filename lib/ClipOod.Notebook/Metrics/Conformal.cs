namespace ClipOod.Notebook;

/// <summary>
/// Decisions with a promised rate of mistakes, from the scores of known images that the detector was not fitted on. Where known images and
/// new known images could be exchanged, a p-value is at most α in at most a share α of them, however many or few there are.
/// </summary>
/// <remarks>
/// Vovk, Gammerman and Shafer 2005, "Algorithmic Learning in a Random World"; Bates, Candès, Lei, Romano and Sesia 2023, "Testing for outliers
/// with conformal p-values" (arXiv:2104.08279).
/// </remarks>
public static class Conformal
{
    /// <summary>The conformal p-value of each image: (1 + the number of known images that score no higher) / (n + 1).</summary>
    /// <param name="known">Scores of n known images, held out of the fit; n at least 1.</param>
    /// <param name="images">Scores of the images to judge.</param>
    /// <returns>One p-value per image, from 1/(n + 1) to 1; small says that hardly any known image is as strange.</returns>
    /// <exception cref="ArgumentException">There is no known image.</exception>
    public static double[] PValues(IdScores known, IdScores images)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(images);
        ThresholdSweep.ThrowIfEmpty(known, "known", nameof(known));
        double[] sorted = [.. known.Order()];
        return [.. images.Select(score => (1.0 + AtMost(sorted, score)) / (sorted.Length + 1))];
    }

    /// <summary>
    /// Whether each image is on the list of new ones: of the listed, at most a share <paramref name="rate"/> is known, in expectation
    /// (Benjamini and Hochberg 1995).
    /// </summary>
    /// <param name="pValues">One p-value per image, each 0 to 1.</param>
    /// <param name="rate">The false-discovery rate, above 0 and below 1.</param>
    /// <exception cref="ArgumentException">A p-value is not in [0, 1].</exception>
    public static bool[] BenjaminiHochberg(IReadOnlyList<double> pValues, double rate)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        RequireRate(rate, nameof(rate));
        if (!pValues.All(p => p is >= 0 and <= 1))
        {
            throw new ArgumentException($"Got the p-value {pValues.First(p => p is not (>= 0 and <= 1))}, expected 0 to 1.", nameof(pValues));
        }

        double[] sorted = [.. pValues.Order()];
        int last = Array.FindLastIndex(sorted, p => true);
        while (last >= 0 && sorted[last] > rate * (last + 1) / sorted.Length)
        {
            last--;
        }

        return [.. pValues.Select(p => last >= 0 && p <= sorted[last])];
    }

    /// <summary>
    /// How many images must be as strange as any can be, before a list holds one: the smallest p-value of n known images is 1/(n + 1), and the
    /// list asks its k-th for a p-value of at most k · rate / m.
    /// </summary>
    /// <param name="known">Number of known images, n.</param>
    /// <param name="images">Number of images to judge, m.</param>
    /// <param name="rate">The false-discovery rate, above 0 and below 1.</param>
    public static int FewestListed(int known, int images, double rate)
    {
        RequireRate(rate, nameof(rate));
        return Math.Max(1, (int)Math.Ceiling((images / (rate * (known + 1.0))) - 1e-9));
    }

    /// <summary>Whether images as a whole score as known ones do: the two-sample test of Kolmogorov and Smirnov.</summary>
    /// <param name="known">Scores of n known images, held out of the fit; n at least 1.</param>
    /// <param name="images">Scores of m images; m at least 1.</param>
    /// <exception cref="ArgumentException">A side has no scores.</exception>
    public static ShiftTest Shift(IdScores known, IdScores images)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(images);
        ThresholdSweep.ThrowIfEmpty(known, "known", nameof(known));
        ThresholdSweep.ThrowIfEmpty(images, "new", nameof(images));
        double[] a = [.. known.Order()], b = [.. images.Order()];
        double distance = a.Concat(b).Distinct().Max(score => Math.Abs((AtMost(a, score) / (double)a.Length) - (AtMost(b, score) / (double)b.Length)));

        // Stephens' correction of the limit for few images.
        double root = Math.Sqrt((double)a.Length * b.Length / (a.Length + b.Length));
        double lambda = (root + 0.12 + (0.11 / root)) * distance;
        double p = 0;
        for (int j = 1; j <= 100; j++)
        {
            p += (j % 2 == 1 ? 2 : -2) * Math.Exp(-2 * j * j * lambda * lambda);
        }

        return new ShiftTest(distance, lambda < 0.2 ? 1 : Math.Clamp(p, 0, 1), NewShare(PValues(known, images)));
    }

    // Storey 2002: p-values of known images are spread evenly, so that the upper half holds half of them and hardly any other.
    private static double NewShare(double[] pValues) => Math.Clamp(1 - (pValues.Count(p => p > 0.5) / (0.5 * pValues.Length)), 0, 1);

    private static int AtMost(double[] sorted, double score)
    {
        (int low, int high) = (0, sorted.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sorted[middle] <= score ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static void RequireRate(double rate, string name)
    {
        if (!(rate > 0 && rate < 1))
        {
            throw new ArgumentOutOfRangeException(name, rate, "Expected a rate above 0 and below 1, such as 0.1.");
        }
    }
}

/// <summary>Whether images as a whole differ from known ones.</summary>
/// <param name="Distance">The largest difference of the two distribution functions of scores, 0 to 1.</param>
/// <param name="PValue">The chance of so large a one where nothing differs.</param>
/// <param name="NewShare">Estimated share of the images that are new: 1 − 2 · the share of p-values above 0.5, at least 0 (Storey 2002).</param>
public sealed record ShiftTest(double Distance, double PValue, double NewShare);
