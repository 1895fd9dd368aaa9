using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class RankCorrelationTests
{
    private static readonly Gen<(double[] X, double[] Y)> _pairs = Gen.Int[2, 12]
        .SelectMany(n => Gen.Select(Gen.Int[-3, 3].Array[n], Gen.Int[-3, 3].Array[n]))
        .Where(pair => pair.Item1.Distinct().Count() > 1 && pair.Item2.Distinct().Count() > 1)
        .Select(pair => (pair.Item1.Select(v => (double)v).ToArray(), pair.Item2.Select(v => (double)v).ToArray()));

    [Fact]
    public void Kendall_EqualsCountingByHand()
    {
        // Six pairs, of which (2, 3) is ranked the other way round: (5 − 1) / 6.
        Assert.Equal(4.0 / 6, RankCorrelation.Kendall([1, 2, 3, 4], [10, 30, 20, 40]), 1e-12);

        // With ties: 4 concordant, none discordant, 5 pairs untied in x and 5 in y.
        Assert.Equal(4.0 / 5, RankCorrelation.Kendall([1, 2, 2, 3], [1, 1, 2, 3]), 1e-12);
    }

    [Fact]
    public void Spearman_EqualsTheFormulaByHand()
    {
        // 1 − 6 Σd² / (n (n² − 1)) with d = 0, 1, 1, 0.
        Assert.Equal(1 - (6.0 * 2 / (4 * 15)), RankCorrelation.Spearman([1, 2, 3, 4], [10, 30, 20, 40]), 1e-12);

        // Ranks 1, 2.5, 2.5, 4 and 1.5, 1.5, 3, 4: sum of products 3.75, both sums of squares 4.5.
        Assert.Equal(3.75 / 4.5, RankCorrelation.Spearman([1, 2, 2, 3], [1, 1, 2, 3]), 1e-12);
    }

    [Fact]
    public void Both_UnderIncreasingMaps_StayTheSame_AndChangeSignUnderADecreasingOne() => _pairs.Sample((x, y) =>
    {
        foreach (Func<IReadOnlyList<double>, IReadOnlyList<double>, double> measure in new[] { RankCorrelation.Kendall, RankCorrelation.Spearman })
        {
            double value = measure(x, y);
            Assert.InRange(value, -1, 1);
            Assert.Equal(value, measure(y, x), 1e-12);
            Assert.Equal(value, measure([.. x.Select(Math.Exp)], [.. y.Select(v => (v * v * v) - 5)]), 1e-12);
            Assert.Equal(-value, measure(x, [.. y.Select(v => -v)]), 1e-12);
            Assert.Equal(1, measure(x, x), 1e-12);
        }
    });

    [Fact]
    public void Kendall_OfAConstant_SaysThatThereIsNoOrder() => Assert.Contains(
        "All 3 values are 2", Assert.Throws<ArgumentException>("y", () => RankCorrelation.Kendall([1, 2, 3], [2, 2, 2])).Message, StringComparison.Ordinal);

    [Fact]
    public void Spearman_OfBadValues_NamesThem()
    {
        Assert.Contains("Value 1 of 2 is NaN", Assert.Throws<ArgumentException>("x", () => RankCorrelation.Spearman([1, double.NaN], [1, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("Got 2 and 3 values", Assert.Throws<ArgumentException>("y", () => RankCorrelation.Spearman([1, 2], [1, 2, 3])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LinearFit_OfPointsOnALine_FindsIt()
    {
        LinearFit fit = LinearFit.Of([0, 1, 2], [0.4, 0.9, 1.4]);
        Assert.Equal((0.5, 0.4, 1), (Math.Round(fit.Slope, 12), Math.Round(fit.Intercept, 12), Math.Round(fit.RSquared, 12)));
        Assert.Equal(2.9, fit.At(5), 1e-12);
        Assert.Equal("y = 0.5000 x + 0.4000, R² 1.000", fit.ToString());
    }

    [Fact]
    public void LinearFit_OfScatteredPoints_ExplainsTheSquaredCorrelation() => _pairs.Sample((x, y) =>
    {
        LinearFit fit = LinearFit.Of(x, y);
        double meanX = x.Average(), meanY = y.Average();
        double xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum(), xx = x.Sum(a => (a - meanX) * (a - meanX)), yy = y.Sum(b => (b - meanY) * (b - meanY));
        Assert.Equal(xy / xx, fit.Slope, 1e-9);
        Assert.Equal(meanY, fit.At(meanX), 1e-9);
        Assert.Equal(xy * xy / (xx * yy), fit.RSquared, 1e-9);
    });

    [Fact]
    public void LinearFit_OfAnInfiniteValue_Throws() =>
        Assert.Throws<ArgumentException>(() => LinearFit.Of([1, 2], [1, double.PositiveInfinity]));
}
