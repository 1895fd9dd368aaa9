using MathNet.Numerics.Statistics;

namespace ClipOod.Notebook;

/// <summary>Small statistics that several methods share.</summary>
internal static class Statistics
{
    /// <summary>Quantile with linear interpolation between order statistics (numpy's default, R's type 7).</summary>
    /// <param name="values">At least one finite value, in any order; not changed.</param>
    /// <param name="q">0 to 1.</param>
    public static double Quantile(IEnumerable<double> values, double q) =>
        ArrayStatistics.QuantileCustomInplace([.. values], q, QuantileDefinition.R7);

    /// <summary>The middle value, or the mean of the two middle ones.</summary>
    /// <param name="values">At least one value, in any order; not changed.</param>
    public static double Median(IEnumerable<double> values) => ArrayStatistics.MedianInplace([.. values]);
}
