namespace ClipOod.Notebook;

/// <summary>
/// How well confidences agree with accuracy, and how well they rank mistakes last. Confidences lie in
/// [0, 1]; the methods throw <see cref="ArgumentException"/> on other values, on NaN, on lengths that differ and on no images.
/// </summary>
public static class Calibration
{
    /// <summary>
    /// Expected calibration error: Σ (n_b/n)·|accuracy − mean confidence| over equal-width bins (lo, hi], the first of
    /// which also holds 0. (pytorch-ood's calibration error is another thing: a root mean square over bins of equal count.)
    /// </summary>
    /// <param name="confidence">One confidence per image.</param>
    /// <param name="correct">Whether the predicted class of each image is right.</param>
    /// <param name="bins">Number of bins, at least 1. Defaults to 15.</param>
    public static double Ece(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct, int bins = 15)
    {
        double sum = 0;
        foreach (CalibrationBin bin in Bins(confidence, correct, bins))
        {
            sum += bin.Count == 0 ? 0 : bin.Count * bin.Gap;
        }

        return sum / confidence.Length;
    }

    /// <summary>Maximum calibration error: the largest |accuracy − mean confidence| of a bin that holds images.</summary>
    /// <inheritdoc cref="Ece"/>
    internal static double Mce(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct, int bins = 15) =>
        Bins(confidence, correct, bins).Where(bin => bin.Count > 0).Max(bin => bin.Gap);

    /// <summary>Binary Brier score: the mean of (confidence − correct)², in [0, 1].</summary>
    /// <inheritdoc cref="Ece" path="/param[@name!='bins']"/>
    internal static double Brier(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct)
    {
        ThrowIfInvalid(confidence, correct);
        double sum = 0;
        for (int i = 0; i < confidence.Length; i++)
        {
            double difference = confidence[i] - (correct[i] ? 1 : 0);
            sum += difference * difference;
        }

        return sum / confidence.Length;
    }

    /// <summary>
    /// Area under the risk-coverage curve: the mean over the coverages 1/n, 2/n, …, 1 of the error rate among the most
    /// confident images; lower is better. Ties keep the order of the images.
    /// </summary>
    /// <inheritdoc cref="Ece" path="/param[@name!='bins']"/>
    public static double Aurc(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct)
    {
        ThrowIfInvalid(confidence, correct);
        double[] keys = confidence.ToArray();
        double sum = 0;
        int taken = 0, errors = 0;
        foreach (int i in Enumerable.Range(0, keys.Length).OrderByDescending(i => keys[i]))
        {
            errors += correct[i] ? 0 : 1;
            taken++;
            sum += errors / (double)taken;
        }

        return sum / taken;
    }

    /// <summary>The bins of a reliability diagram, from low to high confidence; empty bins are included.</summary>
    /// <inheritdoc cref="Ece"/>
    public static IReadOnlyList<CalibrationBin> Bins(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct, int bins = 15)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        ThrowIfInvalid(confidence, correct);
        int[] counts = new int[bins];
        int[] hits = new int[bins];
        double[] sums = new double[bins];
        for (int i = 0; i < confidence.Length; i++)
        {
            int bin = BinOf(confidence[i], bins);
            counts[bin]++;
            hits[bin] += correct[i] ? 1 : 0;
            sums[bin] += confidence[i];
        }

        // The mean confidence and the accuracy of an empty bin are 0/0, NaN.
        return [.. Enumerable.Range(0, bins).Select(b => new CalibrationBin(
            b / (double)bins, (b + 1) / (double)bins, counts[b], sums[b] / counts[b], hits[b] / (double)counts[b]))];
    }

    private static int BinOf(double confidence, int bins)
    {
        // The product may round across an edge; the edges themselves decide.
        int bin = Math.Clamp((int)Math.Ceiling(confidence * bins) - 1, 0, bins - 1);
        if (confidence > (bin + 1) / (double)bins)
        {
            return bin + 1;
        }

        return bin > 0 && confidence <= bin / (double)bins ? bin - 1 : bin;
    }

    private static void ThrowIfInvalid(ReadOnlySpan<double> confidence, ReadOnlySpan<bool> correct)
    {
        if (confidence.Length != correct.Length || confidence.Length == 0)
        {
            throw new ArgumentException(
                $"Got {confidence.Length} confidences and {correct.Length} flags, expected one of each per image and at least one image.",
                nameof(correct));
        }

        for (int i = 0; i < confidence.Length; i++)
        {
            if (!(confidence[i] >= 0 && confidence[i] <= 1))
            {
                throw new ArgumentException(
                    FormattableString.Invariant($"Confidence {i} of {confidence.Length} is {confidence[i]}, expected 0 to 1: pass probabilities, not logits."),
                    nameof(confidence));
            }
        }
    }
}

/// <summary>One bin of a reliability diagram, which holds the images with a confidence in (Low, High].</summary>
/// <param name="Low">Lower edge, open; the first bin also holds 0.</param>
/// <param name="High">Upper edge, closed.</param>
/// <param name="Count">Number of images.</param>
/// <param name="MeanConfidence">Mean confidence of the images; NaN where there is none.</param>
/// <param name="Accuracy">Share of the images whose class is right; NaN where there is none.</param>
public sealed record CalibrationBin(double Low, double High, int Count, double MeanConfidence, double Accuracy)
{
    /// <summary>|Accuracy − MeanConfidence|; NaN where there is no image.</summary>
    public double Gap => Math.Abs(Accuracy - MeanConfidence);
}
