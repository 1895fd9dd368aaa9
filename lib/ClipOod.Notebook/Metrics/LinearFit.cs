using MathNet.Numerics;
using Correlation = MathNet.Numerics.Statistics.Correlation;

namespace ClipOod.Notebook;

/// <summary>A line through points, y ≈ slope · x + intercept, by least squares: such as AUROC against pseudo-label accuracy.</summary>
/// <param name="Slope">Change of y per unit of x.</param>
/// <param name="Intercept">y at x = 0, in the unit of y.</param>
/// <param name="RSquared">Share of the variance of y that the line explains, in [0, 1].</param>
public sealed record LinearFit(double Slope, double Intercept, double RSquared)
{
    /// <summary>Fits the line.</summary>
    /// <param name="x">At least two finite values, not all equal.</param>
    /// <param name="y">As many finite values, not all equal.</param>
    /// <exception cref="ArgumentException">The counts differ or are below two, a value is NaN or infinite, or all values of a side are equal.</exception>
    public static LinearFit Of(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        PairedValues.Require(x, y);
        if (!x.Concat(y).All(double.IsFinite))
        {
            throw new ArgumentException("A value is infinite, expected finite ones: there is no line through it.", nameof(x));
        }

        (double intercept, double slope) = Fit.Line([.. x], [.. y]);
        return new LinearFit(slope, intercept, Math.Min(1, Math.Pow(Correlation.Pearson(x, y), 2)));
    }

    /// <summary>The value of the line.</summary>
    /// <param name="x">Any number.</param>
    public double At(double x) => (Slope * x) + Intercept;

    /// <summary>Such as "y = 0.5123 x + 0.4001, R² 0.932".</summary>
    public override string ToString() => FormattableString.Invariant($"y = {Slope:0.0000} x {(Intercept < 0 ? '−' : '+')} {Math.Abs(Intercept):0.0000}, R² {RSquared:0.000}");
}
