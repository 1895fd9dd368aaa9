using MathNet.Numerics.Distributions;

namespace ClipOod.Notebook;

/// <summary>What several runs, or several comparisons, say together.</summary>
public static class Inference
{
    /// <summary>95 % t interval of the mean of runs that differ in their seed or split.</summary>
    /// <param name="values">One finite value per run, at least two. Differences of two detectors run by run make a paired comparison.</param>
    /// <exception cref="ArgumentException">There are fewer than two values, or one is NaN or infinite.</exception>
    public static Interval OfMean(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count < 2 || !values.All(double.IsFinite))
        {
            throw new ArgumentException(
                $"Got {values.Count} values, {values.Count(value => !double.IsFinite(value))} of them not finite, expected at least two finite ones: one run shows no spread.", nameof(values));
        }

        double mean = values.Average();
        double reach = StudentT.InvCDF(0, 1, values.Count - 1, 0.975) * Resamples.Deviation(values) / Math.Sqrt(values.Count);
        return new Interval(mean - reach, mean + reach, mean);
    }

    /// <summary>The mean of paired differences with its 95 % t interval and the two-sided p-value of no difference.</summary>
    /// <param name="differences">One finite difference per run, at least two.</param>
    /// <exception cref="ArgumentException">There are fewer than two values, or one is NaN or infinite.</exception>
    public static PairedDifference OfDifferences(IReadOnlyList<double> differences)
    {
        Interval mean = OfMean(differences);
        double error = Resamples.Deviation(differences) / Math.Sqrt(differences.Count);
        double p = mean.Estimate == 0 ? 1 : error == 0 ? 0 : 2 * StudentT.CDF(0, 1, differences.Count - 1, -Math.Abs(mean.Estimate) / error);
        return new PairedDifference(mean, p);
    }

    /// <summary>
    /// Holm's correction of p-values for as many comparisons: comparing each with 0.05 keeps the chance of any false finding at 5 %,
    /// however the comparisons depend on each other.
    /// </summary>
    /// <param name="pValues">One p-value per comparison, each 0 to 1.</param>
    /// <returns>The corrected p-values, in the same order.</returns>
    /// <exception cref="ArgumentException">A value is not in [0, 1].</exception>
    /// <remarks>Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".</remarks>
    public static IReadOnlyList<double> Holm(IReadOnlyList<double> pValues)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        if (!pValues.All(p => p is >= 0 and <= 1))
        {
            throw new ArgumentException($"Got the p-value {pValues.First(p => p is not (>= 0 and <= 1))}, expected 0 to 1.", nameof(pValues));
        }

        double[] corrected = new double[pValues.Count];
        double largest = 0;
        int rest = pValues.Count;
        foreach (int i in Enumerable.Range(0, pValues.Count).OrderBy(i => pValues[i]))
        {
            largest = Math.Max(largest, Math.Min(1, rest * pValues[i]));
            corrected[i] = largest;
            rest--;
        }

        return corrected;
    }
}
