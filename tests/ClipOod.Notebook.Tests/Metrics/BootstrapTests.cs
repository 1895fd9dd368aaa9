namespace ClipOod.Notebook.Tests;

public sealed class BootstrapTests
{
    private static readonly IdScores _id = Normal(400, mean: 1, seed: 1);
    private static readonly IdScores _ood = Normal(300, mean: 0, seed: 2);

    [Fact]
    public void Bootstrap_OfAuroc_HasTheStandardErrorOfTheory()
    {
        Interval interval = Metrics.Bootstrap(_id, _ood, Metrics.Auroc);
        Assert.Equal(Metrics.Auroc(_id, _ood), interval.Estimate);

        // Hanley and McNeil 1982; a 95 % interval is about 2 · 1.96 standard errors wide.
        double a = interval.Estimate, q1 = a / (2 - a), q2 = 2 * a * a / (1 + a), n = _id.Count, m = _ood.Count;
        double error = Math.Sqrt(((a * (1 - a)) + ((n - 1) * (q1 - (a * a))) + ((m - 1) * (q2 - (a * a)))) / (n * m));
        Assert.InRange((interval.High - interval.Low) / (2 * 1.96 * error), 0.85, 1.15);
        Assert.InRange(interval.Estimate, interval.Low, interval.High);
    }

    [Fact]
    public void Bootstrap_WithTheSameSeed_IsTheSame_AndWithAnother_IsNot()
    {
        Interval Run(int seed) => Metrics.Bootstrap(_id, _ood, (id, ood) => Metrics.FprAtTpr(id, ood, FprConvention.Interp), resamples: 50, seed);
        Assert.Equal(Run(3), Run(3));
        Assert.NotEqual(Run(3), Run(4));
    }

    [Fact]
    public void Bootstrap_DrawsEachSideFromItselfInItsSize() => Metrics.Bootstrap(_id, _ood, (id, ood) =>
    {
        Assert.Equal((_id.Count, _ood.Count), (id.Count, ood.Count));
        Assert.Subset(_id.ToHashSet(), id.ToHashSet());
        Assert.Subset(_ood.ToHashSet(), ood.ToHashSet());
        return 0;
    }, resamples: 20);

    [Fact]
    public void Bootstrap_OfSeparatedScores_HasNoWidth() => Assert.Equal(
        new Interval(1, 1, 1), Metrics.Bootstrap(ScoreGen.Scores([2, 3]), ScoreGen.Scores([0, 1]), Metrics.Auroc, resamples: 10));

    [Fact]
    public void Bootstrap_WithoutResamples_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>("resamples", () => Metrics.Bootstrap(_id, _ood, Metrics.Auroc, resamples: 0));

    [Fact]
    public void Interval_AsText_IsTheEstimateWithItsBounds() => Assert.Equal("0.9000 [0.8500, 0.9500]", new Interval(0.85, 0.95, 0.9).ToString());

    private static IdScores Normal(int count, double mean, int seed)
    {
        var random = new Random(seed);
        return ScoreGen.Scores(Enumerable.Range(0, count).Select(_ =>
            mean + (Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))));
    }
}
