using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>The metrics of one score on one pair of ID and OOD images, by <see cref="Metrics.Evaluate"/>; all in [0, 1].</summary>
/// <param name="Score">Name of the score.</param>
/// <param name="IdCount">Number of ID images.</param>
/// <param name="OodCount">Number of OOD images.</param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record OodMetrics(string Score, int IdCount, int OodCount)
{
    /// <inheritdoc cref="Metrics.Auroc"/>
    public required double Auroc { get; init; }

    /// <summary>Average precision with ID positive ("AUPR-in" of MCM).</summary>
    public required double AveragePrecisionId { get; init; }

    /// <summary>Average precision with OOD positive ("AUPR-out" of MCM).</summary>
    public required double AveragePrecisionOod { get; init; }

    /// <summary>Trapezoid area under the precision-recall curve with ID positive ("AUPR-in" of OpenOOD).</summary>
    public required double AuprTrapezoidId { get; init; }

    /// <summary>Trapezoid area under the precision-recall curve with OOD positive ("AUPR-out" of OpenOOD).</summary>
    public required double AuprTrapezoidOod { get; init; }

    /// <summary>False-positive rate at a true-positive rate of 0.95, by <see cref="Convention"/>.</summary>
    public required double Fpr95 { get; init; }

    /// <summary>Convention of <see cref="Fpr95"/>.</summary>
    public required FprConvention Convention { get; init; }

    /// <inheritdoc cref="Metrics.TnrAtTpr95"/>
    public required double TnrAtTpr95 { get; init; }

    /// <inheritdoc cref="Metrics.DetectionError"/>
    public required double DetectionError { get; init; }

    /// <summary>1 − <see cref="DetectionError"/>.</summary>
    internal double DetectionAccuracy => 1 - DetectionError;

    /// <summary>Largest F1 of any threshold with ID positive.</summary>
    public required double BestF1Id { get; init; }

    /// <summary>Largest F1 of any threshold with OOD positive.</summary>
    public required double BestF1Ood { get; init; }

    /// <summary>The metrics, each with its convention, as a table in percent.</summary>
    public ResultTable ToTable() => RateTable.Of(
        $"{Score}: {Numbers.Count(IdCount)} ID and {Numbers.Count(OodCount)} OOD images",
        ("AUROC", Auroc),
        ($"FPR95 ({Convention})", Fpr95),
        ("TNR at TPR95", TnrAtTpr95),
        ("AP, ID positive", AveragePrecisionId),
        ("AP, OOD positive", AveragePrecisionOod),
        ("AUPR trapezoid, ID positive", AuprTrapezoidId),
        ("AUPR trapezoid, OOD positive", AuprTrapezoidOod),
        ("Detection error", DetectionError),
        ("Best F1, ID positive", BestF1Id),
        ("Best F1, OOD positive", BestF1Ood));

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();
}

/// <summary>The points of a curve, in the order of its thresholds.</summary>
/// <param name="X">Horizontal coordinates.</param>
/// <param name="Y">Vertical coordinates.</param>
/// <param name="Thresholds">The score at which each point is reached; infinite where nothing is found yet.</param>
public sealed record CurvePoints(IReadOnlyList<double> X, IReadOnlyList<double> Y, IReadOnlyList<double> Thresholds);
