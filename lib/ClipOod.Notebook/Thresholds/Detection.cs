using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>Compares flags with what should be flagged. The detection rate is what document A (the seminar) most plausibly reports.</summary>
public static class Detection
{
    /// <summary>Counts right and wrong flags: for mistakes of a classifier, <c>Evaluate(flags, test.Wrong)</c>.</summary>
    /// <param name="flagged">Whether each image is flagged as uncertain.</param>
    /// <param name="shouldFlag">Whether each image should be.</param>
    /// <exception cref="ArgumentException">The lengths differ, or there is no image.</exception>
    public static DetectionResult Evaluate(IReadOnlyList<bool> flagged, IReadOnlyList<bool> shouldFlag)
    {
        ArgumentNullException.ThrowIfNull(flagged);
        ArgumentNullException.ThrowIfNull(shouldFlag);
        if (flagged.Count != shouldFlag.Count || flagged.Count == 0)
        {
            throw new ArgumentException(
                $"Got {flagged.Count} flags and {shouldFlag.Count} truths, expected one of each per image and at least one image.", nameof(shouldFlag));
        }

        int[] counts = new int[4];
        for (int i = 0; i < flagged.Count; i++)
        {
            counts[(flagged[i] ? 2 : 0) + (shouldFlag[i] ? 1 : 0)]++;
        }

        return new DetectionResult(TruePositives: counts[3], FalsePositives: counts[2], FalseNegatives: counts[1], TrueNegatives: counts[0]);
    }

    /// <summary>Counts flags where every OOD image should be flagged and no ID image.</summary>
    /// <param name="idFlagged">Whether each ID image is flagged.</param>
    /// <param name="oodFlagged">Whether each OOD image is flagged.</param>
    /// <exception cref="ArgumentException">A side has no image.</exception>
    public static DetectionResult EvaluateOod(IReadOnlyList<bool> idFlagged, IReadOnlyList<bool> oodFlagged)
    {
        ArgumentNullException.ThrowIfNull(idFlagged);
        ArgumentNullException.ThrowIfNull(oodFlagged);
        if (idFlagged.Count == 0 || oodFlagged.Count == 0)
        {
            throw new ArgumentException(
                $"Got {idFlagged.Count} ID and {oodFlagged.Count} OOD images, expected at least one of each.",
                idFlagged.Count == 0 ? nameof(idFlagged) : nameof(oodFlagged));
        }

        return Evaluate(
            [.. idFlagged, .. oodFlagged],
            [.. Enumerable.Repeat(false, idFlagged.Count), .. Enumerable.Repeat(true, oodFlagged.Count)]);
    }
}

/// <summary>
/// How well flags find what they should. The headline of the seminar is the detection rate; alone it can be driven to 1 by
/// flagging everything, so read it with the false-alarm rate. A rate over no image is NaN.
/// </summary>
/// <param name="TruePositives">Flagged, and should be.</param>
/// <param name="FalsePositives">Flagged, and should not be.</param>
/// <param name="FalseNegatives">Not flagged, but should be.</param>
/// <param name="TrueNegatives">Not flagged, and should not be.</param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record DetectionResult(int TruePositives, int FalsePositives, int FalseNegatives, int TrueNegatives)
{
    /// <summary>Share flagged of the images that should be (recall).</summary>
    public double DetectionRate => TruePositives / (double)(TruePositives + FalseNegatives);

    /// <summary>Share flagged of the images that should not be.</summary>
    public double FalseAlarmRate => FalsePositives / (double)(FalsePositives + TrueNegatives);

    /// <summary>Share that should be flagged of the flagged images.</summary>
    public double Precision => TruePositives / (double)(TruePositives + FalsePositives);

    /// <summary>Harmonic mean of precision and detection rate: 2·TP / (2·TP + FP + FN).</summary>
    public double F1 => 2.0 * TruePositives / ((2.0 * TruePositives) + FalsePositives + FalseNegatives);

    /// <summary>Share of the images that are flagged or left alone as they should be.</summary>
    public double Accuracy => (TruePositives + TrueNegatives) / ((double)TruePositives + FalsePositives + FalseNegatives + TrueNegatives);

    /// <summary>Mean of the detection rate and 1 − the false-alarm rate.</summary>
    public double BalancedAccuracy => (DetectionRate + 1 - FalseAlarmRate) / 2;

    /// <summary>Matthews correlation coefficient, in [−1, 1]; 0 where every image is flagged alike or should be.</summary>
    public double Mcc
    {
        get
        {
            double tp = TruePositives, fp = FalsePositives, fn = FalseNegatives, tn = TrueNegatives;
            double scale = Math.Sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
            return scale == 0 ? 0 : ((tp * tn) - (fp * fn)) / scale;
        }
    }

    /// <summary>The rates as a table in percent.</summary>
    public ResultTable ToTable() => RateTable.Of(
        $"{Numbers.Count(TruePositives)} of {Numbers.Count(TruePositives + FalseNegatives)} found, " +
        $"{Numbers.Count(FalsePositives)} of {Numbers.Count(FalsePositives + TrueNegatives)} flagged by mistake",
        ("Detection rate", DetectionRate),
        ("False-alarm rate", FalseAlarmRate),
        ("Precision", Precision),
        ("F1", F1),
        ("Balanced accuracy", BalancedAccuracy),
        ("Accuracy", Accuracy),
        ("MCC", Mcc));

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();
}
