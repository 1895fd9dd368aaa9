namespace ClipOod.Notebook;

/// <summary>
/// Class-wise entropy thresholds (document A, first half): an image predicted as class c is uncertain when its entropy exceeds the
/// threshold of c. The three variants of the seminar are <see cref="Fit"/>, its
/// <see cref="ClassThresholds.MeanThreshold"/>, and <see cref="GridSearch"/>. Fit on validation images only.
/// </summary>
public static class EntropyThresholds
{
    private const int GridPoints = 201;

    /// <summary>
    /// Variant 1: a threshold per class by a rule, over the validation images predicted as that class. Candidates of the
    /// rules with an objective are 0, the midpoints between consecutive distinct entropies, and ln K; of equally good
    /// ones the largest counts (fewest flags). A class with fewer than <paramref name="minSamples"/> images, or without
    /// an image of a kind that the rule needs (correct or wrong), gets the global threshold of the same rule.
    /// </summary>
    /// <param name="validation">Predictions with labels; at least one.</param>
    /// <param name="rule">Defaults to Youden.</param>
    /// <param name="minSamples">Defaults to 2.</param>
    /// <exception cref="ArgumentException">There is no prediction, or the global threshold is undefined (no correct one, or for Midpoint no wrong one).</exception>
    /// <exception cref="InvalidOperationException">The predictions have no labels.</exception>
    public static ClassThresholds Fit(Predictions validation, ThresholdRule rule = ThresholdRule.Youden, int minSamples = 2)
    {
        ThrowIfEmpty(validation);
        bool[] wrong = validation.Wrong;
        ILookup<int, int> ofClass = Enumerable.Range(0, validation.Count).ToLookup(i => validation.Predicted[i]);
        double[] thresholds = new double[validation.NumClasses];
        bool[] fallbackUsed = new bool[validation.NumClasses];
        double? global = null;
        for (int c = 0; c < thresholds.Length; c++)
        {
            int[] samples = [.. ofClass[c]];
            fallbackUsed[c] = samples.Length < minSamples || samples.Length == 0 || !HasWhatItNeeds(rule, samples, wrong);
            thresholds[c] = fallbackUsed[c] ? global ??= Global(validation, wrong, rule) : Threshold(validation, samples, wrong, rule);
        }

        return new ClassThresholds(Uncertainty.Entropy, thresholds, fallbackUsed);
    }

    /// <summary>One threshold by a rule over the validation images of all classes: what <see cref="Fit"/> falls back on.</summary>
    /// <inheritdoc cref="Fit"/>
    public static ClassThresholds FitGlobal(Predictions validation, ThresholdRule rule = ThresholdRule.Youden)
    {
        ThrowIfEmpty(validation);
        return ClassThresholds.Uniform(Uncertainty.Entropy, validation.NumClasses, Global(validation, validation.Wrong, rule));
    }

    /// <summary>
    /// Variant 3: one threshold, the best of 201 equally spaced points on [0, ln K] over the validation images of all
    /// classes; of equally good ones the largest counts.
    /// </summary>
    /// <param name="validation">Predictions with labels; at least one.</param>
    /// <param name="rule">Youden, F1 or Accuracy. Defaults to Youden.</param>
    /// <exception cref="ArgumentException">There is no prediction, or the rule has no objective to search for.</exception>
    /// <exception cref="InvalidOperationException">The predictions have no labels.</exception>
    public static ClassThresholds GridSearch(Predictions validation, ThresholdRule rule = ThresholdRule.Youden)
    {
        ThrowIfEmpty(validation);
        double step = Math.Log(validation.NumClasses) / (GridPoints - 1);
        double[] grid = [.. Enumerable.Range(0, GridPoints).Select(i => i * step)];
        double threshold = ThresholdSearch.Best(validation.Entropy, validation.Wrong, grid, rule);
        return ClassThresholds.Uniform(Uncertainty.Entropy, validation.NumClasses, threshold);
    }

    private static double Global(Predictions validation, bool[] wrong, ThresholdRule rule)
    {
        int[] all = [.. Enumerable.Range(0, validation.Count)];

        // Without a mistake (or without a hit) the searched rules still have a best threshold: flag nothing (or everything).
        bool searched = rule is ThresholdRule.Youden or ThresholdRule.F1 or ThresholdRule.Accuracy;
        if (!searched && !HasWhatItNeeds(rule, all, wrong))
        {
            throw new ArgumentException(
                $"{wrong.Count(w => w)} of {wrong.Length} validation predictions are wrong: the rule {rule} needs " +
                (rule == ThresholdRule.Midpoint ? "both correct and wrong ones." : "correct ones.") + " Use Youden or a larger validation set.",
                nameof(validation));
        }

        return Threshold(validation, all, wrong, rule);
    }

    private static bool HasWhatItNeeds(ThresholdRule rule, int[] samples, bool[] wrong) => rule switch
    {
        ThresholdRule.MeanAll => true,
        ThresholdRule.MeanCorrect or ThresholdRule.Quantile95Correct => samples.Any(i => !wrong[i]),
        _ => samples.Any(i => wrong[i]) && samples.Any(i => !wrong[i]),
    };

    private static double Threshold(Predictions validation, int[] samples, bool[] wrong, ThresholdRule rule)
    {
        double[] entropies = Array.ConvertAll(samples, i => validation.Entropy[i]);
        IEnumerable<double> ofCorrect = samples.Where(i => !wrong[i]).Select(i => validation.Entropy[i]);
        IEnumerable<double> ofWrong = samples.Where(i => wrong[i]).Select(i => validation.Entropy[i]);
        return rule switch
        {
            ThresholdRule.MeanAll => entropies.Average(),
            ThresholdRule.MeanCorrect => ofCorrect.Average(),
            ThresholdRule.Midpoint => (ofCorrect.Average() + ofWrong.Average()) / 2,
            ThresholdRule.Quantile95Correct => Statistics.Quantile(ofCorrect, 0.95),
            _ => ThresholdSearch.Best(
                entropies,
                Array.ConvertAll(samples, i => wrong[i]),
                ThresholdSearch.Candidates(entropies, 0, Math.Log(validation.NumClasses)),
                rule),
        };
    }

    private static void ThrowIfEmpty(Predictions validation)
    {
        ArgumentNullException.ThrowIfNull(validation);
        if (validation.Count == 0)
        {
            throw new ArgumentException("Got no validation predictions, expected at least one: thresholds are fitted on them.", nameof(validation));
        }
    }
}
