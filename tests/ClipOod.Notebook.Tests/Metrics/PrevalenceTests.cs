namespace ClipOod.Notebook.Tests;

public sealed class PrevalenceTests
{
    [Fact]
    public void PrecisionAtPrevalence_EqualsTheFormulaByHand()
    {
        // 1,000 images, 10 of them OOD: a detector that finds 9 and takes 99 of 990 ID images for OOD is right in 9 of 108 cases.
        Assert.Equal(9.0 / 108, Metrics.PrecisionAtPrevalence(recall: 0.9, fpr: 0.1, prevalence: 0.01), 1e-12);
        Assert.Equal(0.9, Metrics.PrecisionAtPrevalence(0.9, 0.1, 0.5), 1e-12);
        Assert.Equal(1, Metrics.PrecisionAtPrevalence(0, 0, 0.01));
    }

    [Fact]
    public void AveragePrecisionAtPrevalence_AtTheShareOfTheTestSet_IsAveragePrecision() => CsCheck.Check.Sample(ScoreGen.Pairs, (idValues, oodValues) =>
    {
        IdScores id = ScoreGen.Scores(idValues), ood = ScoreGen.Scores(oodValues);
        double share = ood.Count / (double)(id.Count + ood.Count);
        foreach (Positive positive in Enum.GetValues<Positive>())
        {
            Assert.Equal(Metrics.AveragePrecision(id, ood, positive), Metrics.AveragePrecisionAtPrevalence(id, ood, positive, share), 1e-9);
            Assert.Equal(Metrics.PrCurve(id, ood, positive).Thresholds, Metrics.PrCurveAtPrevalence(id, ood, positive, share).Thresholds);
        }
    });

    [Fact]
    public void AveragePrecisionAtPrevalence_EqualsRepeatingTheCommonSide()
    {
        // Each ID image three times: OOD images are 2 of 14 instead of 2 of 6.
        double[] idValues = [0.9, 0.7, 0.5, 0.3], oodValues = [0.6, 0.2];
        IdScores id = ScoreGen.Scores(idValues), ood = ScoreGen.Scores(oodValues);
        IdScores repeated = ScoreGen.Scores([.. idValues, .. idValues, .. idValues]);
        foreach (Positive positive in Enum.GetValues<Positive>())
        {
            Assert.Equal(
                Metrics.AveragePrecision(repeated, ood, positive), Metrics.AveragePrecisionAtPrevalence(id, ood, positive, 2.0 / 14), 1e-12);
        }
    }

    [Fact]
    public void AveragePrecisionAtPrevalence_WhenOodIsRarer_FallsForOodOnly()
    {
        IdScores id = ScoreGen.Scores([0.9, 0.7, 0.5, 0.3]), ood = ScoreGen.Scores([0.6, 0.2, 0.4]);
        double Of(Positive positive, double prevalence) => Metrics.AveragePrecisionAtPrevalence(id, ood, positive, prevalence);
        Assert.True(Of(Positive.Ood, 0.01) < Of(Positive.Ood, 0.1));
        Assert.True(Of(Positive.Id, 0.01) > Of(Positive.Id, 0.1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void AveragePrecisionAtPrevalence_OfAShareThatIsNone_Throws(double prevalence) => Assert.Throws<ArgumentOutOfRangeException>(
        "oodPrevalence", () => Metrics.AveragePrecisionAtPrevalence(ScoreGen.Scores([1]), ScoreGen.Scores([0]), Positive.Ood, prevalence));

    [Fact]
    public void PrecisionAtPrevalence_OfARateThatIsNone_NamesIt()
    {
        Assert.Throws<ArgumentOutOfRangeException>("recall", () => Metrics.PrecisionAtPrevalence(1.1, 0, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>("fpr", () => Metrics.PrecisionAtPrevalence(1, -0.1, 0.5));
    }
}
