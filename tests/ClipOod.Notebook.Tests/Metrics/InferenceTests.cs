namespace ClipOod.Notebook.Tests;

public sealed class InferenceTests
{
    [Fact]
    public void OfMean_IsTheTInterval()
    {
        // Of 1 to 5: mean 3, standard error √0.5, t(4) at 97.5 % = 2.776445.
        Interval interval = Inference.OfMean([1, 2, 3, 4, 5]);
        Assert.Equal(3, interval.Estimate);
        Assert.Equal(2.776445105 * Math.Sqrt(0.5), interval.High - 3, 8);
        Assert.Equal(3 - interval.Low, interval.High - 3, 12);
        Assert.Throws<ArgumentException>("values", () => Inference.OfMean([1]));
        Assert.Throws<ArgumentException>("values", () => Inference.OfMean([1, double.NaN]));
    }

    [Fact]
    public void OfDifferences_HasThePValueOfTheTTest()
    {
        // Of 1 to 5: t = 3/√0.5 = 4.242641 with 4 degrees of freedom.
        PairedDifference difference = Inference.OfDifferences([1, 2, 3, 4, 5]);
        Assert.Equal(Inference.OfMean([1, 2, 3, 4, 5]), difference.Interval);
        Assert.Equal(0.013236, difference.PValue, 1e-6);
        Assert.Equal(1, Inference.OfDifferences([0, 0]).PValue);
        Assert.Equal(0, Inference.OfDifferences([1, 1]).PValue);
    }

    [Fact]
    public void Interval_AsText_IsTheEstimateWithItsBounds() => Assert.Equal("0.9000 [0.8500, 0.9500]", new Interval(0.85, 0.95, 0.9).ToString());

    [Fact]
    public void Holm_CorrectsStepByStep()
    {
        Assert.Equal([0.03, 0.06, 0.06, 0.02], Inference.Holm([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 12)));
        Assert.Equal([1, 1], Inference.Holm([0.9, 0.6]));
        Assert.Empty(Inference.Holm([]));
        Assert.Throws<ArgumentException>("pValues", () => Inference.Holm([0.5, double.NaN]));
    }

    [Fact]
    public void StudentizedRange_IsThatOfDemsarsTable() => Assert.All(
        ((int, double)[])[(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
        row => Assert.Equal(row.Item2, RankComparison.StudentizedRange95(row.Item1) / Math.Sqrt(2), 2e-3));

    /// <summary>Demšar 2006, Table 6: C4.5 with and without its parameters tuned, on 14 sets.</summary>
    [Fact]
    public void RankComparison_OfDemsarsExample_IsHis()
    {
        double[][] auc =
        [
            [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967], [0.628, 0.661, 0.654, 0.657],
            [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931], [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625],
            [0.775, 0.838, 0.866, 0.875], [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
        ];
        RankComparison ranks = RankComparison.Of(auc, higherIsBetter: true);
        Assert.Equal([3.143, 2.000, 2.893, 1.964], ranks.MeanRanks.Select(rank => Math.Round(rank, 3)));
        Assert.Equal(1.25, ranks.CriticalDifference, 0.005);
        Assert.InRange(ranks.PValue, 0.01, 0.05);

        RankComparison turned = RankComparison.Of([.. auc.Select(row => row.Select(value => -value).ToArray())], higherIsBetter: false);
        Assert.Equal(ranks.MeanRanks, turned.MeanRanks);
    }

    [Fact]
    public void RankComparison_OfNonsense_Throws()
    {
        Assert.Throws<ArgumentException>("values", () => RankComparison.Of([[1, 2]], true));
        Assert.Throws<ArgumentException>("values", () => RankComparison.Of([[1, 2], [1]], true));
        Assert.Throws<ArgumentException>("values", () => RankComparison.Of([[1], [2]], true));
        Assert.Throws<ArgumentException>("values", () => RankComparison.Of([[1, 2], [1, double.NaN]], true));
        Assert.Throws<ArgumentException>("values", () => RankComparison.Of([], true));
    }
}
