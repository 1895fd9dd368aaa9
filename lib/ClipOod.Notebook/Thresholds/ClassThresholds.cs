namespace ClipOod.Notebook;

/// <summary>Which uncertainty a threshold is compared with, and in which direction.</summary>
public enum Uncertainty
{
    /// <summary>The entropy of the probabilities: uncertain above the threshold.</summary>
    Entropy,

    /// <summary>The largest probability: uncertain below the threshold.</summary>
    Confidence,
}

/// <summary>
/// One threshold per class, compared with the uncertainty of the images that are <b>predicted</b> as that class (an OOD
/// image has no true class): uncertain when entropy &gt; threshold, or confidence &lt; threshold, both strict. A single
/// threshold is the special case in which all are equal. Immutable.
/// </summary>
/// <remarks>UST-ETRI seminar, "Detecting OOD with Fine-tuned CLIP's Class-Specific Threshold Adjustments" (document A).</remarks>
public sealed class ClassThresholds
{
    /// <summary>Takes thresholds, one per class.</summary>
    /// <param name="measure">What the thresholds are compared with.</param>
    /// <param name="perClass">K finite values, K at least 2.</param>
    /// <param name="fallbackUsed">Whether each class had too few samples of its own; null for none.</param>
    /// <exception cref="ArgumentException">There are fewer than 2 classes, a threshold is not finite, or the lengths differ.</exception>
    public ClassThresholds(Uncertainty measure, IReadOnlyList<double> perClass, IReadOnlyList<bool>? fallbackUsed = null)
    {
        ArgumentNullException.ThrowIfNull(perClass);
        fallbackUsed ??= new bool[perClass.Count];
        if (perClass.Count < 2 || fallbackUsed.Count != perClass.Count)
        {
            throw new ArgumentException(
                $"Got {perClass.Count} thresholds and {fallbackUsed.Count} fallback flags, expected one of each for at least 2 classes.", nameof(perClass));
        }

        for (int c = 0; c < perClass.Count; c++)
        {
            if (!double.IsFinite(perClass[c]))
            {
                throw new ArgumentException(
                    FormattableString.Invariant($"The threshold of class {c} is {perClass[c]}, expected a finite number."), nameof(perClass));
            }
        }

        Measure = measure;
        PerClass = perClass;
        FallbackUsed = fallbackUsed;
    }

    /// <summary>What the thresholds are compared with.</summary>
    public Uncertainty Measure { get; }

    /// <summary>The threshold of each class: nats for entropy, a probability for confidence.</summary>
    public IReadOnlyList<double> PerClass { get; }

    /// <summary>
    /// Whether each class had too few validation samples for a threshold of its own, so that the global one (entropy) or
    /// the previous one (confidence) stands in.
    /// </summary>
    public IReadOnlyList<bool> FallbackUsed { get; }

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => PerClass.Count;

    /// <summary>The same threshold for every class.</summary>
    /// <param name="measure">What it is compared with.</param>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="threshold">A finite number.</param>
    public static ClassThresholds Uniform(Uncertainty measure, int numClasses, double threshold) =>
        new(measure, [.. Enumerable.Repeat(threshold, numClasses)]);

    /// <summary>Variant 2 of the seminar: one threshold for all classes, the arithmetic mean of these.</summary>
    public ClassThresholds MeanThreshold() => Uniform(Measure, NumClasses, PerClass.Average());

    /// <summary>Whether each image is uncertain.</summary>
    /// <param name="predictions">Predictions over the same K classes.</param>
    /// <exception cref="ArgumentException">The number of classes differs.</exception>
    public bool[] Flag(Predictions predictions) => [.. Normalized(predictions).Select(margin => margin < 0)];

    /// <summary>
    /// The class-normalised score, threshold − entropy or confidence − threshold: ID-high, negative exactly where
    /// <see cref="Flag"/> flags. It turns class-wise thresholds into a ranking, for AUROC and the like.
    /// </summary>
    /// <param name="predictions">Predictions over the same K classes.</param>
    /// <exception cref="ArgumentException">The number of classes differs.</exception>
    public IdScores Normalized(Predictions predictions)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        if (predictions.NumClasses != NumClasses)
        {
            throw new ArgumentException(
                $"Got predictions over {predictions.NumClasses} classes, expected {NumClasses}, as the thresholds have: were both made by the same model?",
                nameof(predictions));
        }

        double[] margins = new double[predictions.Count];
        for (int i = 0; i < margins.Length; i++)
        {
            double threshold = PerClass[predictions.Predicted[i]];
            margins[i] = Measure == Uncertainty.Entropy ? threshold - predictions.Entropy[i] : predictions.Confidence[i] - threshold;
        }

        return new IdScores(Measure == Uncertainty.Entropy ? "threshold − entropy" : "confidence − threshold", margins);
    }

    /// <summary>
    /// These thresholds, all shifted by the same amount so that at most a share of given predictions is flagged, and as
    /// large a share as ties allow. Tuned so, the variants can be compared fairly: the shift moves along the ROC curve of
    /// <see cref="Normalized"/> and keeps the differences between classes, which are what is compared. (A quantile per
    /// class would be another method: <see cref="ThresholdRule.Quantile95Correct"/>.) All single thresholds become the same one.
    /// </summary>
    /// <param name="accepted">
    /// Validation predictions that should not be flagged: all of them for OOD detection,
    /// <see cref="Predictions.OnlyCorrect"/> for the detection of mistakes. At least one.
    /// </param>
    /// <param name="rate">Largest share of them to flag, in [0, 1). Defaults to 0.05.</param>
    public ClassThresholds AtFalseAlarm(Predictions accepted, double rate = 0.05)
    {
        if (!(rate >= 0 && rate < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "Expected a share from 0 to below 1, such as 0.05.");
        }

        double[] margins = Normalized(accepted).ToArray();
        if (margins.Length == 0)
        {
            throw new ArgumentException("Got no predictions, expected at least one that should not be flagged.", nameof(accepted));
        }

        // The image at this position and those tied with it stay unflagged. The hair keeps the rounding of
        // threshold ± shift from flagging them after all.
        const double Hair = 1e-12;
        Array.Sort(margins);
        double shift = margins[(int)Math.Floor(rate * margins.Length)] - Hair;
        return new ClassThresholds(
            Measure, [.. PerClass.Select(t => Measure == Uncertainty.Entropy ? t - shift : t + shift)], FallbackUsed);
    }
}
