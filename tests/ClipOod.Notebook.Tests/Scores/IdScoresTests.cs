namespace ClipOod.Notebook.Tests;

public sealed class IdScoresTests
{
    [Fact]
    public void FromOodHigh_NegatesEachValue() =>
        Assert.Equal([-0.5, 2], IdScores.FromOodHigh("distance", [0.5, -2]).ToArray());

    [Fact]
    public void Constructor_WhenAScoreIsNaN_NamesItsPosition()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new IdScores("MSP", [0.1, double.NaN]));
        Assert.Contains("score 1 of 2 is NaN", error.Message, StringComparison.Ordinal);
    }
}
