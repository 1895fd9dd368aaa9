namespace ClipOod.Notebook.Tests;

/// <summary>Every detector of the catalogue on a bench small enough to look at: three ID classes, one near class, noise.</summary>
public sealed class DetectorTests
{
    private static readonly Lazy<World> _world = new(() => ToyWorld.Make());

    public static TheoryData<string> Keys => [.. DetectorCatalog.All.Select(detector => detector.Card.Key)];

    [Theory]
    [MemberData(nameof(Keys))]
    public void EveryDetector_ScoresIdAboveNoise_OrSaysWhatItNeeds(string key)
    {
        Bench bench = _world.Value.Bench("A");
        Detector detector = DetectorCatalog.Of(key);
        if (detector.Missing(bench.Known) is string missing)
        {
            Assert.Contains("needs", missing, StringComparison.Ordinal);
            Assert.Contains("world 'toy'", missing, StringComparison.Ordinal);
            Assert.Equal(missing, Assert.Throws<DetectorUnavailableException>(() => bench.Score(detector, "noise")).Message);
            Assert.True((detector.Card.Needs & (DetectorInputs.Pixels | DetectorInputs.PatchTokens | DetectorInputs.NoText)) != 0, missing);
            return;
        }

        (IdScores id, IdScores ood) = bench.Score(detector, "noise");
        Assert.Equal((bench.Test.Count, bench.Ood["noise"].Images.Count), (id.Count, ood.Count));
        Assert.All(id.Concat(ood), score => Assert.True(double.IsFinite(score), $"{key}: {score}"));
        Assert.Equal(detector.Card.Name, id.Name);
        // A head that saw 36 images may be sure of noise; that is the head's, not the detector's.
        if (detector.Card.Family != DetectorFamily.Trained)
        {
            Assert.InRange(Metrics.Auroc(id, ood), 0.55, 1);
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void EveryDetector_GivesTheSameScoresTwice_AndDoesNotTouchItsInputs(string key)
    {
        Detector detector = DetectorCatalog.Of(key);
        World first = ToyWorld.Make(), second = ToyWorld.Make();
        if (detector.Missing(first.Bench("A").Known) is not null)
        {
            return;
        }

        float[] before = first.A.Train.Features.Values.ToArray();
        Assert.Equal(first.Bench("A").Score(detector, "noise").Ood, second.Bench("A").Score(detector, "noise").Ood);
        Assert.Equal(before, first.A.Train.Features.Values.ToArray());
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void EveryDetector_RefusesFeaturesOfAnotherWidth(string key)
    {
        Bench bench = _world.Value.Bench("A");
        Detector detector = DetectorCatalog.Of(key);
        FeatureSet narrow = new("Narrow", "test", Embeddings.FromRows([1, 0], [0, 1]), [0, 0], ["thing"], "made by hand");
        Assert.ThrowsAny<Exception>(() => bench.Score(detector, narrow));
        if (detector is ImageDetector image && detector.Missing(bench.Known) is null)
        {
            ArgumentException error = Assert.Throws<ArgumentException>(() => image.Fit(bench.Known).Score(narrow));
            Assert.Contains($"2 features, and {detector.Card.Name} was fitted on {ToyWorld.Width}", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void NoDetector_EverSeesFeaturesThatAreNotFinite(float value)
    {
        Assert.Throws<ArgumentException>(() => new FeatureSet("Broken", "test", Embeddings.FromRows([1, value]), [0], ["thing"], ""));
        Assert.Throws<ArgumentException>(() => new TextFeatures(Embeddings.FromRows([1, value]), ["thing"], "{}", ""));
    }

    [Fact]
    public void ADetectorWithoutTrainingImages_SaysWhichBenchLacksThem()
    {
        World world = ToyWorld.Make(train: false);
        Assert.Equal(
            "1-NN needs ID training images, and Shapes has no training side in the world 'toy'. Take a bench that has one.",
            DetectorCatalog.Of("1-nn").Missing(world.Bench("A").Known));
    }

    [Fact]
    public void AVariant_DiffersFromTheDetector()
    {
        Bench bench = _world.Value.Bench("A");
        Assert.NotEqual(bench.Score(DetectorCatalog.Of("mcm"), "noise").Id, bench.Score(DetectorCatalog.Of("mcm[temperature=0.01]"), "noise").Id);
    }

    [Fact]
    public void Bench_LeavesOutWhatTheIdSetKnows_AndSaysWhy()
    {
        OodSet near = _world.Value.Bench("A").Ood["near"];
        Assert.Equal(["star"], near.Images.Classes);
        Assert.Equal([new ClassPair("airplane", "plane", near.LeftOut[0].Reason)], near.LeftOut);
        Assert.Equal(ToyWorld.PerClass, near.LeftOutImages);
        Assert.Equal((OodKind.Near, OodKind.Far), (near.Kind, _world.Value.Bench("A").Ood["noise"].Kind));
        Assert.Contains("Left out of Near: plane (one word", _world.Value.Bench("A").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_WhoseOodSetIsEmptyAfterCleaning_IsRefused()
    {
        Bench bench = _world.Value.Bench("A");
        Assert.True(bench.KnowsAll(bench.Test));
        Assert.False(bench.KnowsAll(bench.Ood["near"].Images));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => bench.Clean("again", bench.Test));
        Assert.Contains("Nothing is OOD for Shapes in Shapes: it knows all 3 classes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_KeepsClassesWithoutText_WhereAsked()
    {
        World world = ToyWorld.Make(texts: 2);
        Assert.Equal(["airplane", "disc"], world.Bench("A").Known.Classes);
        Bench all = world.Bench("A", allClasses: true);
        Assert.Equal(["airplane", "disc", "square"], all.Known.Classes);
        Assert.Contains("ZeroShot()", Assert.Throws<InvalidOperationException>(() => all.Known.Text).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_HoldNoNameOfAClass_NorOfAnOodClass()
    {
        Bench bench = _world.Value.Bench("A");
        Assert.Equal(3, bench.Known.WordsLeftOut);
        Assert.DoesNotContain("plane", bench.Known.Words.Classes);
        Assert.Equal(["star"], bench.WordsNamingOod);
        Assert.DoesNotContain("star", bench.Known.Words.Classes);
        Assert.Equal(_world.Value.Text("words").Count, bench.Known.Words.Count + 3 + 1);
    }

    [Fact]
    public void AListThatIsEmptyAfterCleaning_IsSaid()
    {
        World world = ToyWorld.Make(words: 4);
        Assert.Equal(0, world.Bench("A").Known.Words.Count);
        Assert.Equal(
            "NegLabel needs words that name neither a class of Shapes nor an OOD class, and none is left in the world 'toy'. Give the world a longer list.",
            DetectorCatalog.Of("neglabel").Missing(world.Bench("A").Known));
    }

    [Fact]
    public void Bench_WithText_HasTheSameSetsAndScoresOfItsOwn()
    {
        Bench bench = _world.Value.Bench("A"), moved = bench.WithText("moved on", bench.Known.Text.Select([1, 2, 0]));
        Assert.Equal("A, moved on", moved.Role);
        Assert.Same(bench.Test, moved.Test);
        Assert.Same(bench.Ood, moved.Ood);
        Assert.Same(bench.Known.Words, moved.Known.Words);
        int[] Classes(Bench of) => Plp.Fit(of.Known).PseudoLabels!.Labels.ToArray();
        Assert.Equal(Classes(bench).Select(k => (k + 2) % 3), Classes(moved));
        Assert.Contains("2 names, expected one for each of the 3", Assert.Throws<ArgumentException>(() => bench.WithText("few", bench.Known.Text.Select([0, 1]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_WithTrain_FitsOnTheseImages()
    {
        Bench bench = _world.Value.Bench("A"), few = bench.WithTrain("one", bench.Known.Train.Select([0]));
        Assert.Equal("A, one", few.Role);
        Assert.Equal(1, few.Known.Train.Count);
        Detector nearest = DetectorCatalog.Of("1-nn");
        Assert.True(few.ScoresOf(nearest, few.Test).Zip(bench.ScoresOf(nearest, bench.Test)).All(pair => pair.First <= pair.Second));
        Assert.Contains("expected the 3 classes of Shapes", Assert.Throws<ArgumentException>(() => bench.WithTrain("other", bench.Ood["near"].Images)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ScoresOf_IsWhatScoreGives_AndNotForStreams()
    {
        Bench bench = _world.Value.Bench("A");
        Detector mcm = DetectorCatalog.Of("mcm");
        Assert.Same(bench.ScoresOf(mcm, bench.Test), bench.Score(mcm, "noise").Id);
        Assert.Contains("as one stream", Assert.Throws<ArgumentException>(() => bench.ScoresOf(DetectorCatalog.Of("adaneg"), bench.Test)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plp_OfADetector_IsFittedOnce_AndOneOfSeedOrFilterIsAnother()
    {
        Bench bench = ToyWorld.Make().Bench("A");
        Plp plp = Plp.Fit(bench.Known);
        Assert.Same(plp, Plp.Fit(bench.Known));
        Assert.NotSame(plp, Plp.Fit(bench.Known, seed: 1));
        Assert.Equal(bench.Known.Train.Count, Plp.Fit(bench.Known, minProbability: 0).TrainCount);
        Assert.Equal(plp.Msp(bench.Test.Features), bench.ScoresOf(DetectorCatalog.Of("plp-msp"), bench.Test));
        Assert.Contains("Features before the projection need the model", Assert.Throws<DetectorUnavailableException>(() =>
            bench.Score(DetectorCatalog.Of("plp-msp[pooled=1]"), "noise")).Message, StringComparison.Ordinal);
    }
}
