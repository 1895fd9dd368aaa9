using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.25, 1.75)]
    [InlineData(0.5, 2.5)]
    [InlineData(1, 4)]
    public void Quantile_InterpolatesBetweenOrderStatistics(double q, double expected) =>
        Assert.Equal(expected, Statistics.Quantile([4, 1, 3, 2], q));

    [Fact]
    public void Quantile_LiesWithinTheValues() => Gen.Select(Gen.Double[-1, 1].Array[1, 20], Gen.Double[0, 1]).Sample((values, q) =>
        Assert.InRange(Statistics.Quantile(values, q), values.Min(), values.Max()));
}
