using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ScoreKeysTests
{
    private static readonly Gen<double> _scores = Gen.OneOf(
        Gen.Double.Where(v => !double.IsNaN(v)),
        Gen.Int[-5, 5].Select(v => (double)v),
        Gen.OneOf(double.NegativeInfinity, double.PositiveInfinity, -0.0, 0.0, double.Epsilon, -double.Epsilon, 1e-310, double.MaxValue));

    [Fact]
    public void RadixSort_OrdersScoresAsArraySortDoes() => _scores.Array[0, 300].Sample(scores =>
    {
        ulong[] keys = Array.ConvertAll(scores, ScoreKeys.Of);
        ScoreKeys.RadixSort(keys);
        double[] expected = [.. scores.Select(v => v + 0.0)];
        Array.Sort(expected);
        Assert.Equal(expected, Array.ConvertAll(keys, ScoreKeys.ToScore));
    });

    [Theory]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(100_000)]
    public void Sort_OfAnyLength_EqualsArraySort(int length)
    {
        var random = new Random(length);
        ulong[] keys = [.. Enumerable.Range(0, length).Select(_ => ScoreKeys.Of(random.NextDouble() - 0.5))];
        ulong[] expected = [.. keys.Order()];
        ScoreKeys.Sort(keys);
        Assert.Equal(expected, keys);
    }

    [Fact]
    public void SortedAfterZero_OfSortedAndUnsortedScores_IsTheSame() => _scores.Array[0, 50].Sample(scores =>
    {
        ulong[] keys = ScoreKeys.SortedAfterZero(scores);
        Assert.Equal(0UL, keys[0]);
        Assert.Equal(scores.Select(ScoreKeys.Of).Order(), keys.Skip(1));
        Assert.Equal(keys, ScoreKeys.SortedAfterZero([.. scores.OrderBy(ScoreKeys.Of)]));
    });

    [Fact]
    public void Of_ZerosOfEitherSign_IsTheSameKey() => Assert.Equal(ScoreKeys.Of(0.0), ScoreKeys.Of(-0.0));
}
