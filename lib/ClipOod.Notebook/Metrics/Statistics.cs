namespace ClipOod.Notebook;

/// <summary>Small statistics that several methods share.</summary>
internal static class Statistics
{
    /// <summary>Quantile with linear interpolation between order statistics (numpy's default).</summary>
    /// <param name="values">At least one finite value, in any order; not changed.</param>
    /// <param name="q">0 to 1.</param>
    public static double Quantile(IEnumerable<double> values, double q)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        double position = q * (sorted.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
