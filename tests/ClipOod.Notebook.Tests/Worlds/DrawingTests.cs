using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

/// <summary>Pictures: the same from the same seed, and shifted as the shift says.</summary>
public sealed class DrawingTests
{
    // Edges may differ by rasteriser version; the mean of a quarter of the picture hardly does.
    private const double PlatformTolerance = 2;

    public static TheoryData<ShiftKind> Kinds => [.. Enum.GetValues<ShiftKind>()];

    [Fact]
    public void Draw_FromTheSameSeed_GivesTheSamePixels_OnAnyArtist()
    {
        using PictogramArtist one = new(), other = new();
        Assert.All(Concepts.All, concept => Assert.Equal(one.Draw(concept, 7).Pixels, other.Draw(concept, 7).Pixels));
    }

    [Fact]
    public void Draw_FromOtherSeeds_GivesOtherPictures()
    {
        using PictogramArtist artist = new();
        Concept cat = Concepts.Named("cat");
        Assert.Equal(50, Enumerable.Range(0, 50).Select(seed => Convert.ToHexString(artist.Draw(cat, seed).Pixels)).Distinct().Count());
    }

    /// <summary>Mean red, green and blue of the four quarters of three pictures, recorded on Linux x64 with SkiaSharp 4.154.</summary>
    [Theory]
    [InlineData("cat", "227.3 217.1 200.0 226.3 214.0 194.7 213.3 197.3 174.3 225.8 212.4 191.8")]
    [InlineData("stripes", "251.2 216.0 138.3 251.3 216.1 136.4 251.6 216.9 130.1 251.6 216.8 129.9")]
    [InlineData("guitar", "130.1 122.5 132.9 132.8 124.5 134.8 137.2 130.5 140.0 109.2 105.5 112.6")]
    public void Draw_GivesThePicturesOfEveryPlatform(string name, string recorded)
    {
        using PictogramArtist artist = new();
        RgbImage image = artist.Draw(Concepts.Named(name), PictogramSeed.Of("platform", name, 0));
        double[] means = [.. from quarter in Enumerable.Range(0, 4) from channel in Enumerable.Range(0, 3) select Mean(image, quarter, channel)];
        Assert.Equal(recorded.Split(' ').Length, means.Length);
        Assert.All(
            recorded.Split(' ').Select(text => double.Parse(text, null)).Zip(means),
            pair => Assert.InRange(pair.Second, pair.First - PlatformTolerance, pair.First + PlatformTolerance));
    }

    [Fact]
    public void Seeds_AreTheSameForEver_AndUnlikeForNeighbours()
    {
        Assert.Equal(1160642961, PictogramSeed.Of("train", "cat", 0));
        Assert.Equal(3000, (from name in new[] { "cat", "dog", "hot dog" } from i in Enumerable.Range(0, 1000) select PictogramSeed.Of("train", name, i)).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Shift_OfSeverityZero_ChangesNothing(ShiftKind kind)
    {
        using PictogramArtist artist = new();
        Concept ship = Concepts.Named("ship");
        Assert.Equal(artist.Draw(ship, 3).Pixels, artist.Draw(ship, 3, new Shift(kind, 0)).Pixels);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Shift_MovesPicturesFurther_WithItsSeverity(ShiftKind kind)
    {
        using PictogramArtist artist = new();
        double Moved(int severity) => (
            from concept in Concepts.All.Where(concept => concept.Set == "A")
            from seed in Enumerable.Range(0, 4)
            select Distance(artist.Draw(concept, seed), artist.Draw(concept, seed, new Shift(kind, severity)))).Average();
        double[] moved = [.. Enumerable.Range(1, Shift.MaxSeverity).Select(Moved)];
        Assert.InRange(moved[0], 1e-3, double.PositiveInfinity);
        Assert.True(moved[4] > moved[0], $"{kind}: {string.Join(", ", moved)}");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(6)]
    public void Shift_OfAnotherSeverity_IsRefused(int severity) => Assert.Contains(
        "0 to 5", Assert.Throws<ArgumentOutOfRangeException>(() => new Shift(ShiftKind.Blur, severity)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Style_OfAnotherDifficulty_IsRefused(double difficulty) => Assert.Contains(
        "above 0 and at most 1",
        Assert.Throws<ArgumentOutOfRangeException>(() => PictogramStyle.Random(Concepts.Named("cat"), new Random(0), difficulty)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Noise_HasFourKinds_ThatDiffer()
    {
        Assert.Equal(NoisePictures.Kinds.Count, Enumerable.Range(0, NoisePictures.Kinds.Count).Select(kind => Convert.ToHexString(NoisePictures.Draw(kind, 1).Pixels)).Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => NoisePictures.Draw(NoisePictures.Kinds.Count, 0));
    }

    private static double Mean(RgbImage image, int quarter, int channel)
    {
        const int half = PictogramArtist.Side / 2;
        return (
            from y in Enumerable.Range(quarter / 2 * half, half)
            from x in Enumerable.Range(quarter % 2 * half, half)
            select (double)image.Pixels[(((y * PictogramArtist.Side) + x) * 3) + channel]).Average();
    }

    private static double Distance(RgbImage a, RgbImage b) => a.Pixels.Zip(b.Pixels, (x, y) => (double)Math.Abs(x - y)).Average();
}
