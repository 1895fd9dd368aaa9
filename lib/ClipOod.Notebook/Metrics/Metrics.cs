namespace ClipOod.Notebook;

/// <summary>
/// Metrics of OOD detection from ID-high scores of ID and of OOD images. An image is accepted as ID
/// when its score is at or above the threshold; tied scores are accepted together; −0.0 and 0.0 are tied; ±∞ is
/// allowed. All results lie in [0, 1]. Every method throws <see cref="ArgumentException"/> when a side has no scores.
/// </summary>
public static partial class Metrics
{
    /// <summary>
    /// Area under the ROC curve: the probability that an ID image scores higher than an OOD image, plus half the
    /// probability of a tie (Mann–Whitney). It does not depend on which side is positive. Exact up to one rounding.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    public static double Auroc(IdScores id, IdScores ood) => new ThresholdSweep(id, ood).Curve(Positive.Id).Auroc();

    /// <summary>
    /// Area under the precision-recall curve as average precision, Σ (Rᵢ − Rᵢ₋₁)·Pᵢ, without interpolation. Used by
    /// scikit-learn, MCM and NegLabel. It differs from <see cref="AuprTrapezoid"/>.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    public static double AveragePrecision(IdScores id, IdScores ood, Positive positive) =>
        new ThresholdSweep(id, ood).Curve(positive).PrecisionRecall().AveragePrecision;

    /// <summary>
    /// Area under the precision-recall curve by the trapezoid rule, the curve ending at recall 0, precision 1. Used by
    /// OpenOOD and pytorch-ood. It differs from <see cref="AveragePrecision"/>.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    public static double AuprTrapezoid(IdScores id, IdScores ood, Positive positive) =>
        new ThresholdSweep(id, ood).Curve(positive).PrecisionRecall().Trapezoid;

    /// <summary>False-positive rate at a true-positive rate; which side is positive is part of the convention.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="convention">How the rate is read off the ROC points.</param>
    /// <param name="tpr">True-positive rate, in (0, 1]. Defaults to 0.95, which gives "FPR95".</param>
    public static double FprAtTpr(IdScores id, IdScores ood, FprConvention convention, double tpr = 0.95) =>
        FprAtTpr(new ThresholdSweep(id, ood), convention, tpr);

    /// <summary>
    /// True-negative rate at a true-positive rate of 0.95: 1 − FPR95 by <see cref="FprConvention.FirstAtLeast"/>, the
    /// share of OOD images rejected by the largest threshold that accepts at least 95 % of the ID images.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    public static double TnrAtTpr95(IdScores id, IdScores ood) => 1 - FprAtTpr(id, ood, FprConvention.FirstAtLeast);

    /// <summary>
    /// Smallest error of any threshold with equal priors: min ½(1 − TPR + FPR) over the ROC points, in [0, 0.5]. It does
    /// not depend on which side is positive; detection accuracy is 1 minus it.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    public static double DetectionError(IdScores id, IdScores ood) =>
        new ThresholdSweep(id, ood).Curve(Positive.Id).DetectionError();

    /// <summary>Largest F1 of any threshold: an optimistic value, since the threshold is chosen on the data it is measured on.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Which images are to be found.</param>
    public static double BestF1(IdScores id, IdScores ood, Positive positive) =>
        new ThresholdSweep(id, ood).Curve(positive).PrecisionRecall().BestF1;

    /// <summary>F1 at a threshold that was chosen elsewhere, such as by <see cref="ThresholdAtTpr"/> on validation images.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="threshold">An image is accepted as ID when its score is at or above it.</param>
    /// <param name="positive">Which images are to be found.</param>
    /// <exception cref="ArgumentException">A side has no scores, or the threshold is NaN.</exception>
    public static double F1AtThreshold(IdScores id, IdScores ood, double threshold, Positive positive)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(ood);
        ThresholdSweep.ThrowIfEmpty(id, "ID", nameof(id));
        ThresholdSweep.ThrowIfEmpty(ood, "OOD", nameof(ood));
        if (double.IsNaN(threshold))
        {
            throw new ArgumentException("Got NaN, expected a score that separates ID from OOD images.", nameof(threshold));
        }

        long idAccepted = id.LongCount(s => s >= threshold);
        long oodAccepted = ood.LongCount(s => s >= threshold);
        (long found, long wrong, long positives) = positive == Positive.Id
            ? (idAccepted, oodAccepted, (long)id.Count)
            : (ood.Count - oodAccepted, id.Count - idAccepted, ood.Count);
        return 2.0 * found / (found + wrong + positives);
    }

    /// <summary>The largest threshold that accepts at least a share of the ID images: the usual operating point of a detector.</summary>
    /// <param name="id">Scores of ID images, best of a validation set.</param>
    /// <param name="tpr">Share to accept, in (0, 1]. Defaults to 0.95.</param>
    /// <returns>One of the scores; accept an image when its score is at or above it.</returns>
    public static double ThresholdAtTpr(IdScores id, double tpr = 0.95)
    {
        ArgumentNullException.ThrowIfNull(id);
        var sweep = new ThresholdSweep(id, id);
        ThrowIfNotShare(tpr);
        return sweep.Threshold(sweep.Curve(Positive.Id).FirstAtLeast(tpr));
    }

    /// <summary>
    /// The ROC curve with ID positive: a point per distinct score, none dropped, from (0, 0) to (1, 1).
    /// X is the FPR (share of OOD images accepted), Y the TPR (share of ID images accepted).
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    public static CurvePoints RocCurve(IdScores id, IdScores ood)
    {
        var sweep = new ThresholdSweep(id, ood);
        SweepCurve curve = sweep.Curve(Positive.Id);
        return Points(sweep.Last, curve.Fpr, curve.Tpr, sweep.Threshold);
    }

    /// <summary>
    /// The precision-recall curve: a point per distinct score, from (recall 0, precision 1) on. X is the recall, Y the
    /// precision; the thresholds are ID-high scores for either side.
    /// </summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="positive">Which images are to be found.</param>
    internal static CurvePoints PrCurve(IdScores id, IdScores ood, Positive positive)
    {
        var sweep = new ThresholdSweep(id, ood);
        return PrPoints(sweep, positive, sweep.Curve(positive).Precision);
    }

    /// <summary>Every metric from one sort of the scores.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <param name="convention">Convention of <see cref="OodMetrics.Fpr95"/>. Defaults to FirstAtLeast.</param>
    public static OodMetrics Evaluate(IdScores id, IdScores ood, FprConvention convention = FprConvention.FirstAtLeast)
    {
        var sweep = new ThresholdSweep(id, ood);
        SweepCurve curve = sweep.Curve(Positive.Id);
        var idPositive = curve.PrecisionRecall();
        var oodPositive = sweep.Curve(Positive.Ood).PrecisionRecall();
        return new OodMetrics(id.Name, id.Count, ood.Count)
        {
            Auroc = curve.Auroc(),
            AveragePrecisionId = idPositive.AveragePrecision,
            AveragePrecisionOod = oodPositive.AveragePrecision,
            AuprTrapezoidId = idPositive.Trapezoid,
            AuprTrapezoidOod = oodPositive.Trapezoid,
            Convention = convention,
            Fpr95 = FprAtTpr(sweep, convention, 0.95),
            TnrAtTpr95 = 1 - FprAtTpr(sweep, FprConvention.FirstAtLeast, 0.95),
            DetectionError = curve.DetectionError(),
            BestF1Id = idPositive.BestF1,
            BestF1Ood = oodPositive.BestF1,
        };
    }

    internal static double FprAtTpr(ThresholdSweep sweep, FprConvention convention, double tpr)
    {
        ThrowIfNotShare(tpr);
        SweepCurve id = sweep.Curve(Positive.Id), ood = sweep.Curve(Positive.Ood);
        return convention switch
        {
            FprConvention.FirstAtLeast => id.Fpr(id.FirstAtLeast(tpr)),
            FprConvention.Interp => id.InterpolatedFpr(tpr),
            FprConvention.NearestRecall => id.NearestRecallFpr(tpr),
            FprConvention.OpenOod => ood.FirstAtLeastFprWithoutCollinear(tpr),
            FprConvention.PytorchOod => ood.Fpr(ood.FirstAtLeast(tpr)),
            _ => throw new ArgumentOutOfRangeException(
                nameof(convention), convention, $"Expected one of {string.Join(", ", Enum.GetNames<FprConvention>())}."),
        };
    }

    private static void ThrowIfNotShare(double tpr)
    {
        if (!(tpr > 0 && tpr <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(tpr), tpr, "Expected a true-positive rate above 0 and at most 1, such as 0.95.");
        }
    }

    private static CurvePoints PrPoints(ThresholdSweep sweep, Positive positive, Func<int, double> precision) =>
        Points(sweep.Last, sweep.Curve(positive).Tpr, precision, positive == Positive.Id
            ? sweep.Threshold
            : point => point == 0 ? double.NegativeInfinity : sweep.Threshold(sweep.Last - point + 1));

    private static CurvePoints Points(int last, Func<int, double> x, Func<int, double> y, Func<int, double> threshold)
    {
        int[] points = [.. Enumerable.Range(0, last + 1)];
        return new CurvePoints(Array.ConvertAll(points, k => x(k)), Array.ConvertAll(points, k => y(k)), Array.ConvertAll(points, k => threshold(k)));
    }
}
