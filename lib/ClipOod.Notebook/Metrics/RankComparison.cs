using MathNet.Numerics.Distributions;

namespace ClipOod.Notebook;

/// <summary>
/// Detectors ranked over several pairs of sets: mean ranks, Friedman's test of whether they differ at all, and the difference of mean
/// ranks from which on two of them do.
/// </summary>
/// <param name="MeanRanks">One per detector, 1 the best; tied detectors share their mean rank.</param>
/// <param name="PValue">Of no difference between any two, by Iman and Davenport's F form of Friedman's test.</param>
/// <param name="CriticalDifference">Nemenyi's at 5 %: mean ranks further apart than this differ.</param>
/// <remarks>Demšar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets". Pairs that share images are not independent: then read it as a description.</remarks>
public sealed record RankComparison(IReadOnlyList<double> MeanRanks, double PValue, double CriticalDifference)
{
    /// <summary>Ranks detectors.</summary>
    /// <param name="values">One row per pair of sets, at least two, each with one value per detector, at least two; finite.</param>
    /// <param name="higherIsBetter">Whether the largest value has rank 1, as for AUROC; false for FPR95.</param>
    /// <exception cref="ArgumentException">There are too few rows or columns, rows differ in length, or a value is NaN or infinite.</exception>
    public static RankComparison Of(IReadOnlyList<IReadOnlyList<double>> values, bool higherIsBetter)
    {
        ArgumentNullException.ThrowIfNull(values);
        int sets = values.Count, detectors = sets == 0 ? 0 : values[0].Count;
        if (sets < 2 || detectors < 2 || values.Any(row => row.Count != detectors || !row.All(double.IsFinite)))
        {
            throw new ArgumentException(
                $"Got {sets} rows of {string.Join(", ", values.Select(row => row.Count).Distinct())} values, expected at least two rows, each with the same number, at least two, of finite values.",
                nameof(values));
        }

        double[] means = new double[detectors];
        foreach (IReadOnlyList<double> row in values)
        {
            for (int i = 0; i < detectors; i++)
            {
                int better = row.Count(value => higherIsBetter ? value > row[i] : value < row[i]);
                means[i] += (better + ((row.Count(value => value == row[i]) + 1) / 2.0)) / sets;
            }
        }

        double middle = (detectors + 1) / 2.0;
        double friedman = 12.0 * sets / (detectors * (detectors + 1.0)) * means.Sum(mean => (mean - middle) * (mean - middle));
        double left = (sets * (detectors - 1.0)) - friedman;
        double p = left <= 0 ? 0 : 1 - FisherSnedecor.CDF(detectors - 1, (detectors - 1.0) * (sets - 1), (sets - 1) * friedman / left);
        return new RankComparison(means, p, StudentizedRange95(detectors) / Math.Sqrt(2) * Math.Sqrt(detectors * (detectors + 1) / (6.0 * sets)));
    }

    /// <summary>The 95 % quantile of the range of so many standard normal numbers.</summary>
    internal static double StudentizedRange95(int count)
    {
        // P(range ≤ q) = k ∫ φ(z) (Φ(z) − Φ(z − q))^(k−1) dz, by the trapezoid rule, which is exact here to far below the answer's digits.
        double Chance(double q)
        {
            const double Step = 1.0 / 32;
            double sum = 0;
            for (double z = -8; z <= 16; z += Step)
            {
                sum += Normal.PDF(0, 1, z) * Math.Pow(Normal.CDF(0, 1, z) - Normal.CDF(0, 1, z - q), count - 1);
            }

            return count * sum * Step;
        }

        double low = 0, high = 16;
        while (high - low > 1e-10)
        {
            double middle = (low + high) / 2;
            (low, high) = Chance(middle) < 0.95 ? (middle, high) : (low, middle);
        }

        return low;
    }
}
