namespace ClipOod.Notebook;

/// <summary>How two models decide together. Document A (the seminar) takes the one with the higher confidence.</summary>
public enum EnsembleRule
{
    /// <summary>The model with the higher confidence decides, by its own threshold; on a tie the first model. The seminar's rule.</summary>
    HigherConfidence,

    /// <summary>Uncertain when both models say so.</summary>
    And,

    /// <summary>Uncertain when either model says so.</summary>
    Or,

    /// <summary>
    /// Each model ranks all images by its class-normalised score, and where its threshold (0) falls among them. Uncertain
    /// when the mean of the image's two ranks is below the mean of the thresholds' two ranks. The ranks are among the
    /// images given, so an image's flag depends on the others.
    /// </summary>
    AverageRank,
}

/// <summary>Two models, trained on different data sets, that judge the same images.</summary>
public static class Ensemble
{
    /// <summary>Combines the two models.</summary>
    /// <param name="first">Predictions of the first model.</param>
    /// <param name="firstThresholds">Thresholds of the first model.</param>
    /// <param name="second">Predictions of the second model, of the same images in the same order; the classes may be others.</param>
    /// <param name="secondThresholds">Thresholds of the second model.</param>
    /// <param name="rule">Defaults to HigherConfidence.</param>
    /// <exception cref="ArgumentException">The numbers of images differ, or thresholds do not fit their model's classes.</exception>
    public static EnsembleResult Combine(
        Predictions first,
        ClassThresholds firstThresholds,
        Predictions second,
        ClassThresholds secondThresholds,
        EnsembleRule rule = EnsembleRule.HigherConfidence)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(firstThresholds);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(secondThresholds);
        if (first.Count != second.Count)
        {
            throw new ArgumentException(
                $"Got predictions of {second.Count} images, expected {first.Count}: both models must judge the same images.", nameof(second));
        }

        IdScores one = firstThresholds.Normalized(first), two = secondThresholds.Normalized(second);
        int[] winners = [.. first.Confidence.Zip(second.Confidence, (a, b) => b > a ? 2 : 1)];
        IEnumerable<double> scores = rule switch
        {
            EnsembleRule.HigherConfidence => winners.Select((winner, i) => winner == 1 ? one[i] : two[i]),
            EnsembleRule.And => one.Zip(two, Math.Max),
            EnsembleRule.Or => one.Zip(two, Math.Min),
            EnsembleRule.AverageRank => RanksAboveThreshold(one).Zip(RanksAboveThreshold(two), (a, b) => (a + b) / 2),
            _ => throw new ArgumentOutOfRangeException(
                nameof(rule), rule, $"Expected one of {string.Join(", ", Enum.GetNames<EnsembleRule>())}."),
        };
        int[] predicted = [.. winners.Select((winner, i) => winner == 1 ? first.Predicted[i] : second.Predicted[i])];
        return new EnsembleResult(new IdScores($"ensemble, {rule}", [.. scores]), winners, predicted);
    }

    /// <summary>How many images lie below each one (ties count half), less how many lie below the threshold.</summary>
    private static double[] RanksAboveThreshold(IdScores margins)
    {
        double[] sorted = margins.ToArray();
        Array.Sort(sorted);
        int belowThreshold = sorted.Count(margin => margin < 0);
        Dictionary<double, double> ranks = [];
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end] == sorted[start];)
            {
                end++;
            }

            ranks[sorted[start]] = (start + end - 1) / 2.0;
        }

        return [.. margins.Select(margin => ranks[margin] - belowThreshold)];
    }
}

/// <summary>What two models say together.</summary>
/// <param name="Scores">ID-high scores, negative exactly where the image is flagged.</param>
/// <param name="Winners">The model with the higher confidence for each image, 1 or 2; on a tie 1.</param>
/// <param name="Predicted">The class that the winner predicts, among its own classes.</param>
public sealed record EnsembleResult(IdScores Scores, IReadOnlyList<int> Winners, IReadOnlyList<int> Predicted)
{
    /// <summary>Whether each image is uncertain.</summary>
    public bool[] Flags => [.. Scores.Select(score => score < 0)];

    /// <summary>Share of the images for which the first model is the more confident one.</summary>
    public double ShareWonByFirst => Winners.Count(winner => winner == 1) / (double)Winners.Count;
}
