namespace ClipOod.Notebook.Tests;

/// <summary>A small world made by hand: what <see cref="World"/> and <see cref="Dataset"/> do needs no files.</summary>
public sealed class WorldTests
{
    private static readonly FeatureSet _images = new(
        "Shapes <1>", "test", Embeddings.FromRows([1, 0], [0, 1], [0.6, 0.8]), [0, 1, 2], ["disc", "square", "star"], "made by hand");

    private static readonly TextFeatures _text = new(Embeddings.FromRows([1, 0], [0, 1]), ["disc", "star"], "a {}", "made by hand");

    private static readonly Dataset _dataset = new("A", _images, _images, _images, [0, 2], [_text], "Tiny.");

    private static readonly World _world = new(
        "toy", "Made by hand.", "none", [_dataset], [("noise", _images, _images)], [("words", _text)]);

    [Fact]
    public void ZeroShot_KeepsTheClassesWithText_InEveryPart()
    {
        Dataset zeroShot = _dataset.ZeroShot();
        Assert.Equal(["disc", "star"], zeroShot.Classes);
        Assert.All(new[] { zeroShot.Train, zeroShot.Validation, zeroShot.Test }, part => Assert.Equal([0, 1], part.Labels));
        Assert.Equal(zeroShot.Classes, zeroShot.Text.Classes);
        Assert.Equal("Zero-shot: restricted to the 2 of 3 classes that have text features. Tiny.", zeroShot.Note);
    }

    [Fact]
    public void All_JoinsTheParts() => Assert.Equal(9, _dataset.All.Count);

    [Fact]
    public void UnknownNames_AreAnsweredWithThoseThereAre()
    {
        Assert.Contains("no OOD set 'near' in this world, there are: noise", Message(() => _world.Ood["near"]), StringComparison.Ordinal);
        Assert.Contains("no text set 'lvis' in this world, there are: words", Message(() => _world.Text("lvis")), StringComparison.Ordinal);
        Assert.Contains("no data set 'Large' in this world, there are: A", Message(() => _world.Large), StringComparison.Ordinal);
        Assert.Contains("no prompt 'the {}'", Message(() => _dataset.ZeroShot().TextByPrompt["the {}"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAnUnknownWorld_NamesTheKnownOnes()
    {
        WorldNotFoundException error = Assert.Throws<WorldNotFoundException>(() => World.Open("middle-earth", null, 0));
        Assert.Contains("'middle-earth', which is unknown. Known: pictograms, clip-features, clip-vit-b-32, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictograms_OfAWorldOfFeatures_SaysWhichWorldHasThem()
    {
        Assert.False(_world.CanDraw);
        Assert.Contains("world 'pictograms'", Assert.Throws<InvalidOperationException>(() => _world.Pictograms).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Published_InAWorldOfMechanism_KeepsTheEstimateAndTakesTheWord()
    {
        var verdict = Verdict.Judge("A < B", new Interval(0.1, 0.3, 0.2), 1200, 0.05, published: 0.034);
        var mechanism = new World("toy", "Made by hand.", "none", [_dataset], [("noise", _images, _images)], [("words", _text)], judgesClaims: false);

        Verdict judged = _world.Published("document A, slide 12", verdict), taught = mechanism.Published("document A, slide 12", verdict);

        Assert.Equal(
            ("document A, slide 12", VerdictWord.Holds, verdict.Evidence, verdict.Published, verdict.Tolerance),
            (judged.Source, judged.Word, judged.Evidence, judged.Published, judged.Tolerance));
        Assert.Equal(
            ("document A, slide 12", VerdictWord.CannotBeTold, verdict.Evidence, null, verdict.Tolerance),
            (taught.Source, taught.Word, taught.Evidence, taught.Published, taught.Tolerance));
        Assert.Equal(
            "A < B: cannot be told here (because the world toy teaches mechanism and judges no claim in print; as mechanism 0.2000 [0.1000, 0.3000], n = 1,200, smallest difference that matters 0.05; claim of document A, slide 12)",
            taught.ToString());
        Assert.Equal("nobody measured it", mechanism.Published("a paper", Verdict.CannotBeTold("A < B", "nobody measured it")).Because);
        Assert.Throws<ArgumentException>("source", () => _world.Published(" ", verdict));
    }

    [Fact]
    public void Open_WithoutFeatures_SaysWhichWorldIsMissing()
    {
        WorldNotFoundException error = Assert.Throws<WorldNotFoundException>(() => World.Open(ClipFeatures.WorldName, null, 0));
        Assert.Contains("'clip-features' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_EscapesNames() => Assert.Contains(">Shapes &lt;1&gt;</td>", _world.ToHtml(), StringComparison.Ordinal);

    [Fact]
    public void ToHtml_ShortensHashes()
    {
        string hash = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));
        TextFeatures text = new(_text.Features, _text.Classes, "a {}", $"Encoded by the CLIP model {hash}.");
        string html = new World("toy", "Made by hand.", "none", [_dataset], [("noise", _images, _images)], [("words", text)]).ToHtml();
        Assert.Contains("Encoded by the CLIP model 01234567….", html, StringComparison.Ordinal);
        Assert.DoesNotContain(hash, html, StringComparison.Ordinal);
    }

    private static string Message(Func<object> action) => Assert.Throws<KeyNotFoundException>(action).Message;
}
