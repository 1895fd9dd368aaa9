namespace ClipOod.Notebook.Tests;

public sealed class ResamplesTests
{
    private static readonly Metric[] _metrics = [.. Metric.All.Where(metric => metric.IsOfPair)];

    private static readonly (IdScores Id, IdScores Ood) _tied = Draw(60, 40, 1.0, seed: 3, x => Math.Round(4 * x) / 4);

    public static TheoryData<string> Keys => [.. _metrics.Select(metric => metric.Key)];

    /// <summary>Counts at points give what the drawn scores themselves give, ties and all, by every metric.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public void Values_AreTheMetricOfTheDrawnScores(string key)
    {
        Metric metric = Metric.Parse(key);
        var random = new Random(5);
        int[] id = [.. Enumerable.Range(0, _tied.Id.Count).Select(_ => random.Next(_tied.Id.Count))];
        int[] ood = [.. Enumerable.Range(0, _tied.Ood.Count).Select(_ => random.Next(_tied.Ood.Count))];
        ResampledMetric resampled = new Resamples(_tied.Id.Count, _tied.Ood.Count, 50, seed: 5).Of(_tied.Id, _tied.Ood, metric);
        Assert.Equal(metric.Of(_tied.Id, _tied.Ood), resampled.Estimate);

        var sweep = new ThresholdSweep(_tied.Id, _tied.Ood);
        int[] CountsOf(IdScores scores, int[] drawn)
        {
            int[] points = sweep.PointsOf(scores), counts = new int[sweep.Last + 1];
            Array.ForEach(drawn, i => counts[points[i]]++);
            return counts;
        }

        double expected = metric.Of(_tied.Id.Select(id), _tied.Ood.Select(ood));
        Assert.Equal(expected, metric.Of(ThresholdSweep.OfCounts(CountsOf(_tied.Id, id), CountsOf(_tied.Ood, ood), sweep.Last)));
        Assert.InRange(resampled.Values.Average(), resampled.Estimate - 0.1, resampled.Estimate + 0.1);
        Assert.InRange(resampled.Estimate, resampled.Interval.Low, resampled.Interval.High);
        Assert.True(resampled.Interval.Low >= 0 && resampled.Interval.High <= 1);
    }

    [Fact]
    public void WithTheSameSeed_IsTheSame_AndWithAnother_IsNot()
    {
        IReadOnlyList<double> Run(int seed) => new Resamples(60, 40, 20, seed).Of(_tied.Id, _tied.Ood, Metric.Auroc).Values;
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Fact]
    public void Minus_ComparesOnTheSameDraws()
    {
        var draws = new Resamples(60, 40, 200);
        ResampledMetric mine = draws.Of(_tied.Id, _tied.Ood, Metric.Auroc);
        PairedDifference self = mine.Minus(mine);
        Assert.Equal((new Interval(0, 0, 0), 1.0), (self.Interval, self.PValue));

        // A score that is the other plus a little noise: the difference is far narrower than either interval.
        ResampledMetric near = draws.Of(Noisy(_tied.Id, 1), Noisy(_tied.Ood, 2), Metric.Auroc);
        PairedDifference difference = mine.Minus(near);
        Assert.Equal(mine.Estimate - near.Estimate, difference.Interval.Estimate, 12);
        Assert.True(difference.Interval.High - difference.Interval.Low < (mine.Interval.High - mine.Interval.Low) / 3);
        Assert.Equal(difference.PValue < 0.05, difference.Interval.Low > 0 || difference.Interval.High < 0);

        Assert.Throws<ArgumentException>("other", () => mine.Minus(draws.Of(_tied.Id, _tied.Ood, Metric.DetectionError)));
        Assert.Throws<ArgumentException>("other", () => mine.Minus(new Resamples(60, 40, 200).Of(_tied.Id, _tied.Ood, Metric.Auroc)));
    }

    [Fact]
    public void SeparatedScores_HaveTheWidthOfThreeErrors()
    {
        (IdScores id, IdScores ood) = Draw(100, 50, 100, seed: 1);
        var draws = new Resamples(100, 50, 50);
        Assert.Equal(new Interval(1 - (3 / 50.0), 1, 1), draws.Of(id, ood, Metric.Auroc).Interval with { MeasuredCoverage = null });
        Interval fpr = draws.Of(id, ood, Metric.Fpr95(FprConvention.FirstAtLeast)).Interval;
        Assert.Equal((0.0, 0.0), (fpr.Low, fpr.Estimate));
        Assert.InRange(fpr.High, 0.05, 0.2);
    }

    [Fact]
    public void IntervalsThatCoverLess_SaySo()
    {
        (IdScores id, IdScores ood) = Draw(30, 60, 1.5, seed: 1);
        var draws = new Resamples(30, 60, 50);
        Assert.EndsWith("(covers 87 %)", draws.Of(id, ood, Metric.Fpr95(FprConvention.FirstAtLeast)).Interval.ToString(), StringComparison.Ordinal);
        Assert.Null(draws.Of(id, ood, Metric.Fpr95(FprConvention.OpenOod)).Interval.MeasuredCoverage);
        Assert.Null(draws.Of(id, ood, Metric.Auroc).Interval.MeasuredCoverage);
    }

    [Fact]
    public void OtherNumbersOfScores_AreRefused()
    {
        Assert.Throws<ArgumentException>("id", () => new Resamples(40, 60, 10).Of(_tied.Id, _tied.Ood, Metric.Auroc));
        Assert.Throws<InvalidOperationException>(() => new Resamples(60, 40, 10).Of(_tied.Id, _tied.Ood, Metric.Accuracy));
        Assert.Throws<ArgumentOutOfRangeException>("idCount", () => new Resamples(1, 40));
        Assert.Throws<ArgumentOutOfRangeException>("oodCount", () => new Resamples(40, 1));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => new Resamples(40, 40, 1));
    }

    /// <summary>Normal scores: OOD of mean 0, ID of another; the deviation of both is 1.</summary>
    internal static (IdScores Id, IdScores Ood) Draw(int id, int ood, double mean, int seed, Func<double, double>? round = null)
    {
        var random = new Random(seed);
        double Next(double of) => (round ?? (x => x))(
            of + (Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())));
        return (ScoreGen.Scores(Enumerable.Range(0, id).Select(_ => Next(mean))), ScoreGen.Scores(Enumerable.Range(0, ood).Select(_ => Next(0))));
    }

    private static IdScores Noisy(IdScores scores, int seed)
    {
        var random = new Random(seed);
        return ScoreGen.Scores(scores.Select(score => score + (0.2 * random.NextDouble())));
    }
}
