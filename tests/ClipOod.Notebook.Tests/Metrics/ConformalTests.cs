namespace ClipOod.Notebook.Tests;

public sealed class ConformalTests
{
    [Fact]
    public void PValues_CountKnownImagesAsStrange()
    {
        IdScores known = new("s", [3, 1, 2, 2]);
        Assert.Equal([0.2, 0.4, 0.8, 1, 1], Conformal.PValues(known, new IdScores("s", [0, 1, 2, 3, 9])));
        Assert.Throws<ArgumentException>(() => Conformal.PValues(new IdScores("s", []), known));
    }

    [Theory]
    [InlineData(19, 0.05)]
    [InlineData(30, 0.1)]
    [InlineData(100, 0.1)]
    public void PValues_OfExchangeableImages_AreSmallNoMoreOftenThanTheySay(int known, double alpha)
    {
        var random = new Random(known);
        const int Trials = 4000;
        int small = Enumerable.Range(0, Trials).Count(_ =>
            Conformal.PValues(Draw(random, known), Draw(random, 1))[0] <= alpha);

        // ⌊α(n + 1)⌋/(n + 1) exactly; four standard errors beside it.
        double expected = Math.Floor((alpha * (known + 1)) + 1e-9) / (known + 1);
        Assert.InRange(small / (double)Trials, expected - (4 * Math.Sqrt(expected / Trials)), expected + (4 * Math.Sqrt(expected / Trials)));
    }

    // The worked example of Benjamini and Hochberg 1995, section 3.2: at 0.05 the first four of 15 are rejected.
    [Fact]
    public void BenjaminiHochberg_IsThePapersExample()
    {
        double[] p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1];
        Assert.Equal(Enumerable.Range(0, 15).Select(i => i < 4), Conformal.BenjaminiHochberg(p, 0.05));
        Assert.Equal(Enumerable.Range(0, 15).Select(i => i > 10), Conformal.BenjaminiHochberg([.. p.Reverse()], 0.05));
        Assert.Empty(Conformal.BenjaminiHochberg([], 0.05));
        Assert.Throws<ArgumentOutOfRangeException>(() => Conformal.BenjaminiHochberg(p, 0));
        Assert.Throws<ArgumentException>(() => Conformal.BenjaminiHochberg([double.NaN], 0.1));
    }

    [Theory]
    [InlineData(100, 136, 0.1, 14)]
    [InlineData(99, 10, 0.1, 1)]
    [InlineData(19, 4, 0.1, 2)]
    public void FewestListed_IsWhereALengthOfListsBegins(int known, int images, double rate, int fewest)
    {
        Assert.Equal(fewest, Conformal.FewestListed(known, images, rate));
        bool[] Listed(int strange) => Conformal.BenjaminiHochberg([.. Enumerable.Range(0, images).Select(i => i < strange ? 1.0 / (known + 1) : 1)], rate);
        Assert.Equal(fewest, Listed(fewest).Count(on => on));
        Assert.DoesNotContain(true, Listed(fewest - 1));
    }

    [Fact]
    public void Shift_SeesStrangers_AndRarelyOthers()
    {
        var random = new Random(1);
        int seen = Enumerable.Range(0, 500).Count(_ => Conformal.Shift(Draw(random, 60), Draw(random, 80)).PValue < 0.05);
        Assert.InRange(seen, 5, 45);
        IdScores known = Draw(random, 100), mixed = new("s", [.. Draw(random, 50), .. Draw(random, 50).Select(score => score - 6)]);
        ShiftTest shift = Conformal.Shift(known, mixed);
        Assert.InRange(shift.Distance, 0.4, 0.6);
        Assert.True(shift.PValue < 1e-6);
        Assert.InRange(shift.NewShare, 0.35, 0.65);
    }

    [Fact]
    public void Shift_ByHand()
    {
        // Distribution functions 1/2, 1 at 1, 2 and 0, 1/2, 1 at 1.5, 3: they differ most, by 1/2, at 1 and from 2 to 3.
        ShiftTest shift = Conformal.Shift(new IdScores("s", [1, 2]), new IdScores("s", [1.5, 3]));
        Assert.Equal(0.5, shift.Distance);
        Assert.InRange(shift.PValue, 0.7, 1);
    }

    private static IdScores Draw(Random random, int count) =>
        new("s", [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))]);
}
