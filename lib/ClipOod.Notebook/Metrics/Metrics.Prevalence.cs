namespace ClipOod.Notebook;

/// <content>
/// Precision at another share of OOD images than that of the test set: both sides keep their images, and only their weights change
/// (P = πR / (πR + (1 − π)F), with recall R, false-positive rate F and π the share of the positive side).
/// </content>
public static partial class Metrics
{
    /// <summary>Precision that follows from the two rates of a threshold when positive images have a given share.</summary>
    /// <param name="recall">Share of the positive images that are found, R, in [0, 1].</param>
    /// <param name="fpr">Share of the negative images taken for positive, F, in [0, 1].</param>
    /// <param name="prevalence">Share of the positive images among all, π, in (0, 1).</param>
    /// <returns>In [0, 1]; 1 where nothing is taken for positive.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static double PrecisionAtPrevalence(double recall, double fpr, double prevalence)
    {
        ThrowIfNotRate(recall, nameof(recall));
        ThrowIfNotRate(fpr, nameof(fpr));
        ThrowIfNotPrevalence(prevalence, nameof(prevalence));
        return Precision(recall, fpr, prevalence);
    }

    /// <summary>Average precision as it would be with another share of OOD images, in expectation.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    /// <param name="oodPrevalence">Share of OOD images among all, in (0, 1), such as 0.01 where they are rare.</param>
    /// <exception cref="ArgumentException">A side has no scores, or the prevalence is outside (0, 1).</exception>
    public static double AveragePrecisionAtPrevalence(IdScores id, IdScores ood, Positive positive, double oodPrevalence)
    {
        ThrowIfNotPrevalence(oodPrevalence, nameof(oodPrevalence));
        return AveragePrecisionAtPrevalence(new ThresholdSweep(id, ood), positive, oodPrevalence);
    }

    internal static double AveragePrecisionAtPrevalence(ThresholdSweep sweep, Positive positive, double oodPrevalence)
    {
        SweepCurve curve = sweep.Curve(positive);
        double prevalence = positive == Positive.Ood ? oodPrevalence : 1 - oodPrevalence;
        return Enumerable.Range(1, curve.Last).Sum(k => (curve.Tpr(k) - curve.Tpr(k - 1)) * Precision(curve.Tpr(k), curve.Fpr(k), prevalence));
    }

    /// <summary>
    /// The precision-recall curve as it would be with another share of OOD images. X is the recall, Y the precision; points and
    /// thresholds are those of <see cref="PrCurve"/>.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Which images are to be found.</param>
    /// <param name="oodPrevalence">Share of OOD images among all, in (0, 1).</param>
    /// <exception cref="ArgumentException">A side has no scores, or the prevalence is outside (0, 1).</exception>
    internal static CurvePoints PrCurveAtPrevalence(IdScores id, IdScores ood, Positive positive, double oodPrevalence)
    {
        ThrowIfNotPrevalence(oodPrevalence, nameof(oodPrevalence));
        var sweep = new ThresholdSweep(id, ood);
        SweepCurve curve = sweep.Curve(positive);
        double prevalence = positive == Positive.Ood ? oodPrevalence : 1 - oodPrevalence;
        return PrPoints(sweep, positive, point => Precision(curve.Tpr(point), curve.Fpr(point), prevalence));
    }

    private static double Precision(double recall, double fpr, double prevalence)
    {
        double found = prevalence * recall, wrong = (1 - prevalence) * fpr;
        return found + wrong > 0 ? found / (found + wrong) : 1;
    }

    private static void ThrowIfNotRate(double rate, string parameter)
    {
        if (!(rate >= 0 && rate <= 1))
        {
            throw new ArgumentOutOfRangeException(parameter, rate, "Expected a rate, 0 to 1.");
        }
    }

    internal static void ThrowIfNotPrevalence(double prevalence, string parameter)
    {
        if (!(prevalence > 0 && prevalence < 1))
        {
            throw new ArgumentOutOfRangeException(parameter, prevalence, "Expected a share between 0 and 1, such as 0.01: both sides must occur.");
        }
    }
}
