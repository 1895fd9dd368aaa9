namespace ClipOod.Notebook;

/// <summary>
/// A metric by name. The list is closed: recorded results, published rows and intervals name their metric by one of these, so that two
/// values under one name are values of one thing.
/// </summary>
public sealed class Metric
{
    private readonly Func<ThresholdSweep, double>? _of;
    private readonly FprConvention? _convention;

    private Metric(
        string key, string name, string definition, bool higherIsBetter, Func<ThresholdSweep, double>? of, FprConvention? convention = null)
    {
        Key = key;
        Name = name;
        Definition = definition;
        HigherIsBetter = higherIsBetter;
        _of = of;
        _convention = convention;
    }

    /// <summary>Area under the ROC curve: <see cref="Metrics.Auroc"/>.</summary>
    public static Metric Auroc { get; } = new(
        "auroc", "AUROC", "how often an ID image scores higher than an OOD image, ties half", true, sweep => sweep.Curve(Positive.Id).Auroc());

    /// <summary>Smallest error of any threshold: <see cref="Metrics.DetectionError"/>.</summary>
    public static Metric DetectionError { get; } = new(
        "detection-error", "Detection error", "smallest ½ (1 − TPR + FPR) of any threshold", false, sweep => sweep.Curve(Positive.Id).DetectionError());

    /// <summary>Share of ID images whose predicted class is right; of the ID images alone.</summary>
    public static Metric Accuracy { get; } = new("accuracy", "Accuracy", "share of ID images whose predicted class is right", true, null);

    /// <summary>Every metric.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Auroc,
        .. Enum.GetValues<FprConvention>().Select(convention => new Metric(
            $"fpr95-{Kebab(convention)}", $"FPR95 ({convention})", Reading(convention), false, sweep => Metrics.FprAtTpr(sweep, convention, 0.95), convention)),
        .. BothSides("ap", "AP", "Σ (Rᵢ − Rᵢ₋₁) Pᵢ: scikit-learn, MCM, NegLabel", curve => curve.PrecisionRecall().AveragePrecision),
        .. BothSides("aupr-trapezoid", "AUPR trapezoid", "area by the trapezoid rule: OpenOOD, pytorch-ood", curve => curve.PrecisionRecall().Trapezoid),
        .. BothSides("best-f1", "Best F1", "largest F1 of any threshold, chosen on the data it is measured on", curve => curve.PrecisionRecall().BestF1),
        DetectionError,
        Accuracy,
    ];

    /// <summary>The name under which it is recorded, such as "fpr95-first-at-least".</summary>
    public string Key { get; }

    /// <summary>The name for readers, such as "FPR95 (FirstAtLeast)".</summary>
    public string Name { get; }

    /// <summary>What it is in half a line, with whose code computes it so where codes differ.</summary>
    public string Definition { get; }

    /// <summary>Whether a larger value is a better detector.</summary>
    public bool HigherIsBetter { get; }

    /// <summary>Whether it compares ID with OOD images; <see cref="Accuracy"/> does not.</summary>
    public bool IsOfPair => _of is not null;

    /// <summary>False-positive rate at a true-positive rate of 0.95: <see cref="Metrics.FprAtTpr(IdScores, IdScores, FprConvention, double)"/>.</summary>
    /// <param name="convention">How the rate is read off the ROC points.</param>
    public static Metric Fpr95(FprConvention convention) => Parse($"fpr95-{Kebab(convention)}");

    /// <summary>Average precision: <see cref="Metrics.AveragePrecision"/>.</summary>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    public static Metric AveragePrecision(Positive positive) => Parse($"ap-{Side(positive)}");

    /// <summary>
    /// Average precision as it would be with another share of OOD images: <see cref="Metrics.AveragePrecisionAtPrevalence(IdScores, IdScores, Positive, double)"/>. For
    /// intervals; one for each share, so none is in <see cref="All"/>.
    /// </summary>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    /// <param name="oodPrevalence">Share of OOD images among all, in (0, 1).</param>
    /// <exception cref="ArgumentException">The prevalence is outside (0, 1).</exception>
    public static Metric AveragePrecisionAtPrevalence(Positive positive, double oodPrevalence)
    {
        Metrics.ThrowIfNotPrevalence(oodPrevalence, nameof(oodPrevalence));
        string share = oodPrevalence.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        return new Metric(
            $"ap-{Side(positive)}-at-{share}",
            $"AP, {(positive == Positive.Id ? "ID" : "OOD")} positive, share of OOD images {share}",
            "Σ (Rᵢ − Rᵢ₋₁) Pᵢ, with the precision of that share",
            true,
            sweep => Metrics.AveragePrecisionAtPrevalence(sweep, positive, oodPrevalence));
    }

    /// <summary>Trapezoid area under the precision-recall curve: <see cref="Metrics.AuprTrapezoid"/>.</summary>
    /// <param name="positive">Id for "AUPR-in", Ood for "AUPR-out".</param>
    public static Metric AuprTrapezoid(Positive positive) => Parse($"aupr-trapezoid-{Side(positive)}");

    /// <summary>The metric of a key.</summary>
    /// <param name="key">One of the <see cref="Key"/>s of <see cref="All"/>.</param>
    /// <exception cref="ArgumentException">No metric has that key.</exception>
    public static Metric Parse(string key) => All.FirstOrDefault(metric => metric.Key == key)
        ?? throw new ArgumentException($"No metric is called '{key}'. Expected one of {string.Join(", ", All.Select(metric => metric.Key))}.", nameof(key));

    /// <summary>The metric of scores.</summary>
    /// <param name="id">Scores of ID images.</param>
    /// <param name="ood">Scores of OOD images.</param>
    /// <exception cref="ArgumentException">A side has no scores.</exception>
    /// <exception cref="InvalidOperationException">The metric is not of ID and OOD scores.</exception>
    public double Of(IdScores id, IdScores ood) => Of(new ThresholdSweep(id, ood));

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal double Of(ThresholdSweep sweep) =>
        (_of ?? throw new InvalidOperationException($"{Name} is not a metric of ID and OOD scores. Use one that is, such as {Auroc.Key}."))(sweep);

    /// <summary>Of a rate: the number of images that it is a share of; 0 for an area.</summary>
    internal int ImagesOfRate(int idCount, int oodCount) => _convention switch
    {
        null => 0,
        FprConvention.OpenOod or FprConvention.PytorchOod => idCount,
        _ => oodCount,
    };

    private static IEnumerable<Metric> BothSides(string key, string name, string definition, Func<SweepCurve, double> of) =>
        Enum.GetValues<Positive>().Select(positive => new Metric(
            $"{key}-{Side(positive)}", $"{name}, {(positive == Positive.Id ? "ID" : "OOD")} positive", definition, true, sweep => of(sweep.Curve(positive))));

    private static string Side(Positive positive) => positive == Positive.Id ? "id" : "ood";

    // Kept to what FprConvention says at length.
    private static string Reading(FprConvention convention) => convention switch
    {
        FprConvention.FirstAtLeast => "ID positive, first threshold of TPR ≥ 95 %: the textbook's",
        FprConvention.Interp => "ID positive, interpolated at TPR 95 %: CLIPN, PLP",
        FprConvention.NearestRecall => "ID positive, TPR nearest to 95 %: MCM, GL-MCM, LoCoOp, NegLabel, CSP, EOE, SeTAR",
        FprConvention.OpenOod => "OOD positive, first bend of TPR ≥ 95 %: OpenOOD, OpenOOD-VLM",
        FprConvention.PytorchOod => "OOD positive, first threshold of TPR ≥ 95 %: pytorch-ood",
        _ => throw new ArgumentOutOfRangeException(nameof(convention), convention, $"Expected one of {string.Join(", ", Enum.GetNames<FprConvention>())}."),
    };

    private static string Kebab(FprConvention convention) => convention switch
    {
        FprConvention.FirstAtLeast => "first-at-least",
        FprConvention.Interp => "interp",
        FprConvention.NearestRecall => "nearest-recall",
        FprConvention.OpenOod => "openood",
        FprConvention.PytorchOod => "pytorch-ood",
        _ => throw new ArgumentOutOfRangeException(nameof(convention), convention, $"Expected one of {string.Join(", ", Enum.GetNames<FprConvention>())}."),
    };
}
