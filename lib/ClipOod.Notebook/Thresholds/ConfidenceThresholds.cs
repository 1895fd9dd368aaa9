namespace ClipOod.Notebook;

/// <summary>How a confidence threshold follows the validation images predicted as its class. Document A (the seminar) does not state its update.</summary>
public enum ConfidenceUpdate
{
    /// <summary>A: the mean confidence of the correct ones. The default.</summary>
    MeanCorrect,

    /// <summary>B: half the previous threshold plus half of A.</summary>
    Ema,

    /// <summary>
    /// C: the split that maximises recall of wrong minus false-alarm rate of correct ones, among 0, the midpoints between
    /// consecutive distinct confidences, and 1; of equally good ones the smallest (fewest flags).
    /// </summary>
    Youden,

    /// <summary>D: the 5 % quantile (linear interpolation) of the correct ones: 95 % of them stay unflagged. What one would deploy.</summary>
    Quantile05Correct,

    /// <summary>E: the mean confidence of all, correct or wrong.</summary>
    MeanAll,
}

/// <summary>
/// Class-wise confidence thresholds (document A, second half): an image predicted as class c is uncertain when its confidence is below
/// the threshold of c. They start at a constant and are updated from validation images at the end of each epoch.
/// </summary>
public static class ConfidenceThresholds
{
    /// <summary>The seminar's start: the same threshold for every class.</summary>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="threshold">Defaults to 0.8.</param>
    public static ClassThresholds Initial(int numClasses, double threshold = 0.8) =>
        ClassThresholds.Uniform(Uncertainty.Confidence, numClasses, threshold);

    /// <summary>
    /// The thresholds after an epoch. A class without the validation images that the update needs (correct ones; for
    /// Youden both correct and wrong ones; for MeanAll any) keeps its previous threshold, and
    /// <see cref="ClassThresholds.FallbackUsed"/> says so.
    /// </summary>
    /// <param name="previous">Confidence thresholds before the update.</param>
    /// <param name="validation">Predictions of the epoch's model, with labels; at least one.</param>
    /// <param name="update">Defaults to MeanCorrect.</param>
    /// <exception cref="ArgumentException">There is no prediction, the number of classes differs, or the thresholds are of entropies.</exception>
    /// <exception cref="InvalidOperationException">The predictions have no labels.</exception>
    public static ClassThresholds Update(
        ClassThresholds previous, Predictions validation, ConfidenceUpdate update = ConfidenceUpdate.MeanCorrect)
    {
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(validation);
        if (previous.Measure != Uncertainty.Confidence || previous.NumClasses != validation.NumClasses || validation.Count == 0)
        {
            throw new ArgumentException(
                $"Got {previous.NumClasses} {previous.Measure} thresholds and {validation.Count} predictions over {validation.NumClasses} classes, " +
                "expected Confidence thresholds and at least one prediction over the same classes.",
                nameof(validation));
        }

        bool[] correct = validation.Correct;
        ILookup<int, int> ofClass = Enumerable.Range(0, validation.Count).ToLookup(i => validation.Predicted[i]);
        double[] thresholds = new double[previous.NumClasses];
        bool[] kept = new bool[previous.NumClasses];
        for (int c = 0; c < thresholds.Length; c++)
        {
            double[] right = [.. ofClass[c].Where(i => correct[i]).Select(i => validation.Confidence[i])];
            double[] wrong = [.. ofClass[c].Where(i => !correct[i]).Select(i => validation.Confidence[i])];
            double? updated = Updated(update, previous.PerClass[c], right, wrong);
            thresholds[c] = updated ?? previous.PerClass[c];
            kept[c] = updated is null;
        }

        return new ClassThresholds(Uncertainty.Confidence, thresholds, kept);
    }

    private static double? Updated(ConfidenceUpdate update, double previous, double[] right, double[] wrong) => update switch
    {
        ConfidenceUpdate.MeanCorrect => right.Length == 0 ? null : right.Average(),
        ConfidenceUpdate.Ema => right.Length == 0 ? null : (0.5 * previous) + (0.5 * right.Average()),
        ConfidenceUpdate.Youden => right.Length == 0 || wrong.Length == 0 ? null : Youden(right, wrong),
        ConfidenceUpdate.Quantile05Correct => right.Length == 0 ? null : Statistics.Quantile(right, 0.05),
        ConfidenceUpdate.MeanAll => right.Length + wrong.Length == 0 ? null : right.Concat(wrong).Average(),
        _ => throw new ArgumentOutOfRangeException(
            nameof(update), update, $"Expected one of {string.Join(", ", Enum.GetNames<ConfidenceUpdate>())}."),
    };

    /// <summary>The search flags values above a threshold, so it runs on negated confidences.</summary>
    private static double Youden(double[] right, double[] wrong)
    {
        double[] negated = [.. right.Concat(wrong).Select(confidence => -confidence)];
        bool[] isWrong = [.. right.Select(_ => false), .. wrong.Select(_ => true)];
        return -ThresholdSearch.Best(negated, isWrong, ThresholdSearch.Candidates(negated, -1, 0), ThresholdRule.Youden);
    }
}
