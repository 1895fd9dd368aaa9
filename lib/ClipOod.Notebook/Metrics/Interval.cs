using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>A 95 % interval of an estimate.</summary>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
/// <param name="Estimate">The value on all images.</param>
public sealed record Interval(double Low, double High, double Estimate)
{
    /// <summary>
    /// Share of simulated data sets of about these sizes whose interval holds the true value, where that is not the nominal 95 %
    /// (within 3 points); null where it is, or where nobody measured it.
    /// </summary>
    public double? MeasuredCoverage { get; init; }

    /// <summary>Such as "0.9123 [0.9001, 0.9240]", followed by "covers 89 %" where the coverage is not the nominal one.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Estimate:F4} [{Low:F4}, {High:F4}]{(MeasuredCoverage is double coverage ? $" (covers {100 * coverage:F0} %)" : "")}");
}
