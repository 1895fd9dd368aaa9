using Correlation = MathNet.Numerics.Statistics.Correlation;

namespace ClipOod.Notebook;

/// <summary>
/// How far two measures rank the same things alike, such as methods by AUROC and by average precision: 1 for the same order, −1 for the
/// reverse. Only the order counts; ties are allowed.
/// </summary>
public static class RankCorrelation
{
    /// <summary>
    /// Kendall's τ-b: (concordant − discordant pairs) / √(pairs not tied in x · pairs not tied in y). Compares all pairs, so it is meant for
    /// up to some thousands of values.
    /// </summary>
    /// <param name="x">At least two finite or infinite values, not all equal.</param>
    /// <param name="y">As many values for the same things, not all equal.</param>
    /// <returns>In [−1, 1]; without ties, (1 − τ)/2 is the share of pairs that are ranked the other way round.</returns>
    /// <exception cref="ArgumentException">The counts differ or are below two, a value is NaN, or all values of a side are equal.</exception>
    /// <remarks>Kendall 1945, "The treatment of ties in ranking problems"; equals scipy.stats.kendalltau.</remarks>
    public static double Kendall(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        PairedValues.Require(x, y);
        long agreement = 0, untiedX = 0, untiedY = 0;
        for (int i = 0; i < x.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int orderX = Math.Sign(x[i].CompareTo(x[j])), orderY = Math.Sign(y[i].CompareTo(y[j]));
                agreement += orderX * orderY;
                untiedX += orderX * orderX;
                untiedY += orderY * orderY;
            }
        }

        return Math.Clamp(agreement / (Math.Sqrt(untiedX) * Math.Sqrt(untiedY)), -1, 1);
    }

    /// <summary>Spearman's ρ: the Pearson correlation of the ranks, tied values sharing their mean rank.</summary>
    /// <param name="x">At least two finite or infinite values, not all equal.</param>
    /// <param name="y">As many values for the same things, not all equal.</param>
    /// <returns>In [−1, 1]; 1 or −1 where y is a monotonic function of x, as a mean score should be of a shift's strength.</returns>
    /// <exception cref="ArgumentException">The counts differ or are below two, a value is NaN, or all values of a side are equal.</exception>
    public static double Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        PairedValues.Require(x, y);
        return Math.Clamp(Correlation.Spearman(x, y), -1, 1);
    }
}
