namespace ClipOod.Notebook;

/// <summary>How an entropy threshold is chosen from validation predictions. Document A (the seminar) does not state its rule.</summary>
public enum ThresholdRule
{
    /// <summary>Largest recall of wrong predictions minus false-alarm rate of correct ones. The default.</summary>
    Youden,

    /// <summary>Largest F1 of finding wrong predictions.</summary>
    F1,

    /// <summary>Largest share of predictions flagged exactly when wrong.</summary>
    Accuracy,

    /// <summary>Mean entropy of all predictions.</summary>
    MeanAll,

    /// <summary>Mean entropy of the correct predictions.</summary>
    MeanCorrect,

    /// <summary>Midpoint between the mean entropies of the correct and of the wrong predictions.</summary>
    Midpoint,

    /// <summary>95 % quantile (linear interpolation) of the entropies of the correct predictions: "TNR at TPR95" per class.</summary>
    Quantile95Correct,
}

/// <summary>The search for the best of several thresholds, shared by entropies and (negated) confidences.</summary>
internal static class ThresholdSearch
{
    /// <summary>
    /// The candidates for a split: <paramref name="low"/>, the midpoints between consecutive distinct values, and
    /// <paramref name="high"/>; ascending.
    /// </summary>
    public static IReadOnlyList<double> Candidates(IEnumerable<double> values, double low, double high)
    {
        double[] distinct = [.. values.Distinct().Order()];
        return [low, .. distinct.Zip(distinct.Skip(1), (a, b) => (a + b) / 2), high];
    }

    /// <summary>The candidate with the best objective when values above it are flagged; of equally good ones the largest.</summary>
    /// <param name="values">One value per sample.</param>
    /// <param name="wrong">Whether each sample should be flagged.</param>
    /// <param name="candidates">Thresholds in ascending order.</param>
    /// <param name="rule">A rule with an objective: Youden, F1 or Accuracy.</param>
    public static double Best(IReadOnlyList<double> values, IReadOnlyList<bool> wrong, IReadOnlyList<double> candidates, ThresholdRule rule)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderByDescending(i => values[i])];
        long totalWrong = wrong.Count(w => w), totalCorrect = values.Count - totalWrong;
        long tp = 0, fp = 0;
        int next = 0;
        double best = double.NegativeInfinity, bestThreshold = candidates[^1];
        foreach (double threshold in candidates.Reverse())
        {
            for (; next < order.Length && values[order[next]] > threshold; next++)
            {
                (tp, fp) = wrong[order[next]] ? (tp + 1, fp) : (tp, fp + 1);
            }

            double objective = Objective(rule, tp, fp, totalWrong, totalCorrect);
            if (objective > best)
            {
                (best, bestThreshold) = (objective, threshold);
            }
        }

        return bestThreshold;
    }

    /// <summary>Proportional to the objective of a rule, from whole numbers, so that equal objectives compare equal.</summary>
    private static double Objective(ThresholdRule rule, long tp, long fp, long wrong, long correct) => rule switch
    {
        // A side without samples contributes nothing.
        ThresholdRule.Youden => (tp * Math.Max(correct, 1)) - (fp * Math.Max(wrong, 1)),
        ThresholdRule.F1 => tp == 0 ? 0 : 2.0 * tp / (tp + fp + wrong),
        ThresholdRule.Accuracy => tp - fp,
        _ => throw new ArgumentOutOfRangeException(
            nameof(rule), rule, "Expected a rule that has an objective to search for: Youden, F1 or Accuracy."),
    };
}
