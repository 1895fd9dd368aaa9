using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class EnsembleTests
{
    private static readonly ClassThresholds _thresholds = new(Uncertainty.Confidence, [0.5, 0.7, 0.9]);

    private static readonly Gen<(Predictions First, Predictions Second)> _models =
        Gen.Int[1, 30].SelectMany(n => Gen.Select(PredictionGen.OfSize(n, n), PredictionGen.OfSize(n, n)));

    [Fact]
    public void Combine_ByAndOrOr_EqualsTheTwoModelsFlags() => _models.Sample((first, second) =>
    {
        bool[] one = _thresholds.Flag(first), two = _thresholds.Flag(second);
        Assert.Equal(one.Zip(two, (a, b) => a && b), Flags(first, second, EnsembleRule.And));
        Assert.Equal(one.Zip(two, (a, b) => a || b), Flags(first, second, EnsembleRule.Or));
    });

    [Fact]
    public void Combine_ByAnyRule_FollowsTheModelsWhereTheyAgree() => _models.Sample((first, second) =>
    {
        bool[] one = _thresholds.Flag(first), two = _thresholds.Flag(second);
        foreach (EnsembleRule rule in Enum.GetValues<EnsembleRule>())
        {
            bool[] flags = Flags(first, second, rule);
            Assert.All(Enumerable.Range(0, first.Count).Where(i => one[i] == two[i]), i => Assert.Equal(one[i], flags[i]));
        }
    });

    [Fact]
    public void Combine_ByHigherConfidence_FollowsTheWinner() => _models.Sample((first, second) =>
    {
        EnsembleResult result = Ensemble.Combine(first, _thresholds, second, _thresholds);
        bool[] one = _thresholds.Flag(first), two = _thresholds.Flag(second);
        for (int i = 0; i < first.Count; i++)
        {
            bool secondWins = second.Confidence[i] > first.Confidence[i];
            Assert.Equal(secondWins ? 2 : 1, result.Winners[i]);
            Assert.Equal(secondWins ? second.Predicted[i] : first.Predicted[i], result.Predicted[i]);
            Assert.Equal(secondWins ? two[i] : one[i], result.Flags[i]);
        }

        Assert.Equal(result.Winners.Count(w => w == 1) / (double)first.Count, result.ShareWonByFirst);
    });

    [Fact]
    public void Combine_ByAverageRank_ComparesMeanRanksWithTheThresholds()
    {
        // Margins −0.1, 0.1, 0.3 (one flagged) and −0.3, −0.1, 0.1 (two flagged): the thresholds rank 1.5 on average.
        Predictions first = PredictionGen.OfConfidences(3, [0, 0, 0], [0.4, 0.6, 0.8]), second = PredictionGen.OfConfidences(3, [0, 0, 0], [0.2, 0.4, 0.6]);
        EnsembleResult result = Ensemble.Combine(first, _thresholds, second, _thresholds, EnsembleRule.AverageRank);
        Assert.Equal([-1.5, -0.5, 0.5], result.Scores);
        Assert.Equal([true, true, false], result.Flags);
    }

    [Fact]
    public void Combine_OfDifferentNumbersOfImages_Throws() => Assert.Throws<ArgumentException>("second", () => Ensemble.Combine(
        PredictionGen.OfConfidences(3, [0], [0.5]), _thresholds, PredictionGen.OfConfidences(3, [0, 1], [0.5, 0.5]), _thresholds));

    private static bool[] Flags(Predictions first, Predictions second, EnsembleRule rule) =>
        Ensemble.Combine(first, _thresholds, second, _thresholds, rule).Flags;
}
