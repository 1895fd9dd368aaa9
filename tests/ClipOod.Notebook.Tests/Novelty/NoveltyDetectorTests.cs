namespace ClipOod.Notebook.Tests.Novelty;

public sealed class NoveltyDetectorTests : IDisposable
{
    private const int Width = 24;

    private static readonly string[] _names = ["cat", "dog", "cow", "hen"];
    private static readonly FeatureSet _known = Images([0, 1, 2, 3], each: 25, seed: 1);
    private static readonly NoveltyDetector _detector = NoveltyDetector.Fit(
        _known, new() { Model = "toy", ModelHash = "abc", Files = [.. Enumerable.Range(0, 100).Select(i => $"{_names[i / 25]}/{i}.png")] });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Strangers_AreCalledNew_AndKnownImagesHardlyEver()
    {
        NoveltyReport report = _detector.Judge(Images([0, 1, 2, 3, 7, 8], each: 20, seed: 2).Features);
        Assert.Equal(120, report.Verdicts.Count);
        Assert.InRange(report.Verdicts.Take(80).Count(row => row.PValue <= 0.05), 0, 11);
        Assert.InRange(report.Verdicts.Skip(80).Count(row => row.Listed), 36, 40);
        Assert.InRange(report.Verdicts.Take(80).Count(row => row.Listed), 0, 8);
        Assert.True(report.Shift.PValue < 0.001);
        Assert.InRange(report.Shift.NewShare, 0.2, 0.5);
        Assert.Equal(report.Verdicts.Min(row => row.Score), report.StrangestFirst[0].Score);
        Assert.All(Enumerable.Range(0, 80), i => Assert.Equal(_names[i / 20], report.Verdicts[i].Class));
        Assert.All(report.Verdicts.Take(80), row => Assert.StartsWith(row.Class, row.Nearest, StringComparison.Ordinal));
        Assert.All(report.Verdicts, row => Assert.Equal(_known.ClassOf(row.NearestRow), row.Nearest!.Split('/')[0]));
        Assert.Contains("100 known images: the smallest p-value is 0.0099", report.Price, StringComparison.Ordinal);
    }

    [Fact]
    public void StrangersOfOneKind_MakeACluster()
    {
        NoveltyReport report = _detector.Judge(Images([0, 7, 8], each: 30, seed: 3).Features);
        Assert.All(report.Clusters, cluster => Assert.Single(cluster.Images.Select(row => row / 30).Distinct()));
        Assert.Equal([1, 2], report.Clusters.Take(2).Select(cluster => cluster.Images[0] / 30).Order());
        Assert.InRange(report.Clusters[0].Images.Count, 15, 30);
        Assert.All(report.Clusters.SelectMany((cluster, k) => cluster.Images.Select(row => (row, k))), pair => Assert.Equal(pair.k, report.Verdicts[pair.row].Cluster));
    }

    [Fact]
    public void TheSelfTest_FindsEachForgottenClass()
    {
        Assert.Equal(_names, _detector.Forgotten.Select(entry => entry.Name));
        Assert.All(_detector.Forgotten, entry => Assert.True(entry.Caught > 0.9 && entry.Auroc > 0.95, $"{entry}"));
        Assert.True(_detector.Accuracy > 0.98);
        Assert.Equal(0.25, _detector.Chance);
        Assert.Contains(_detector.Scores, score => score.Used);
        Assert.Equal(4, _detector.SelfTestTable().Rows);
    }

    [Fact]
    public void HeldOutScores_KeepThePromise_OnManyDraws()
    {
        int alarms = 0, images = 0;
        for (int seed = 10; seed < 20; seed++)
        {
            NoveltyDetector detector = NoveltyDetector.Fit(Images([0, 1, 2, 3], each: 10, seed));
            NoveltyReport report = detector.Judge(Images([0, 1, 2, 3], each: 50, 100 + seed).Features);
            alarms += report.Verdicts.Count(row => row.PValue <= 0.1);
            images += report.Verdicts.Count;
        }

        Assert.InRange(alarms / (double)images, 0.02, 0.13);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SavedAndLoaded_SaysTheSame(bool features)
    {
        NoveltyDetector saved = features ? _detector : _detector.WithoutFeatures();
        string path = _folder.PathOf("detector.json");
        saved.Save(path);
        NoveltyDetector loaded = NoveltyDetector.Load(path);
        FeatureSet images = Images([0, 3, 7], each: 10, seed: 4);
        Assert.Equal(saved.Judge(images.Features).Verdicts, loaded.Judge(images.Features).Verdicts);
        Assert.Equal(saved.Explain(), loaded.Explain());
        Assert.Equal(saved.Forgotten, loaded.Forgotten);
        Assert.Equal(features, loaded.Known is not null);
        Assert.Equal(features, loaded.Judge(images.Features).Verdicts[0].Nearest is not null);
        Assert.Equal(!features, File.ReadAllText(path).Contains("class statistics of the known images", StringComparison.Ordinal));
        Assert.Equal(features, File.ReadAllText(path).Contains("cat/0.png", StringComparison.Ordinal));
    }

    [Fact]
    public void WithoutFeatures_StillFindsStrangers_ButTakesNoClasses()
    {
        NoveltyDetector detector = _detector.WithoutFeatures();
        NoveltyReport report = detector.Judge(Images([0, 7], each: 20, seed: 6).Features);
        Assert.True(report.Verdicts.Skip(20).Average(row => row.PValue) < 0.05);
        Assert.Equal(["rmd"], detector.Scores.Select(score => score.Key));
        Assert.Contains("without the known images' features", Assert.Throws<NoveltyException>(() => detector.WithoutClass("cat")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddingAndRemovingAClass_IsFittingAnew()
    {
        FeatureSet hens = Images([3], each: 25, seed: 1), three = _known.WithClasses([0, 1, 2]);
        NoveltyDetector fitted = NoveltyDetector.Fit(three, _detector.Options with { Files = [.. _detector.Options.Files!.Take(75)] });
        Embeddings images = Images([0, 3, 7], each: 10, seed: 4).Features;
        Assert.Equal(fitted.Judge(images).Verdicts, _detector.WithoutClass("hen").Judge(images).Verdicts);
        FeatureSet known = _known.Select([.. Enumerable.Range(75, 25)]);
        Assert.Equal(_detector.Judge(images).Verdicts, fitted.WithClass("hen", known.Features, [.. _detector.Options.Files!.Skip(75)]).Judge(images).Verdicts);
        Assert.Contains("already", Assert.Throws<NoveltyException>(() => fitted.WithClass("Cat", hens.Features)).Message, StringComparison.Ordinal);
        Assert.Contains("cat, dog, cow", Assert.Throws<NoveltyException>(() => fitted.WithoutClass("hen")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelThatDoesNotSortTheKnownImages_IsRefused()
    {
        int[] labels = [.. _known.Labels];
        new Random(0).Shuffle(labels);
        string message = Assert.Throws<NoveltyException>(() => NoveltyDetector.Fit(
            new FeatureSet("known", "", _known.Features, labels, _names, ""), new() { Model = "blind" })).Message;
        Assert.Contains("The model blind sorts", message, StringComparison.Ordinal);
        Assert.Contains("where chance is 25 %; below 44 % no verdict is given", message, StringComparison.Ordinal);
    }

    [Fact]
    public void TooFewImages_OrAnotherModel_AreToldByName()
    {
        FeatureSet one = _known.Select([.. Enumerable.Range(0, 51)]);
        Assert.Contains("'cow' has 1 known image", Assert.Throws<NoveltyException>(() => NoveltyDetector.Fit(one.WithClasses([0, 1, 2]))).Message, StringComparison.Ordinal);
        Assert.Contains("model toy (abc)", Assert.Throws<NoveltyException>(() => _detector.RequireModel("def")).Message, StringComparison.Ordinal);
        _detector.RequireModel("abc");
        Assert.Contains("24", Assert.Throws<ArgumentException>(() => _detector.Judge(Embeddings.FromRows([1, 0, 0]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void FewClasses_AreJudgedToo_WithoutASelfTest(int classes)
    {
        int[] own = [.. Enumerable.Range(0, classes)];
        NoveltyDetector detector = NoveltyDetector.Fit(Images(own, each: 30, seed: 1));
        Assert.Empty(detector.Forgotten);
        NoveltyReport report = detector.Judge(Images([0, 7], each: 20, seed: 2).Features);
        Assert.True(report.Verdicts.Skip(20).Average(row => row.PValue) < 0.1);
        Assert.True(report.Verdicts.Take(20).Average(row => row.PValue) > 0.3);
    }

    [Fact]
    public void WithTextsAndWords_NamesHelp_AndClustersGetWords()
    {
        NoveltyOptions options = new() { Text = Texts(_names, [0, 1, 2, 3]), Words = Texts([.. Enumerable.Range(0, 40).Select(i => $"word {i}")], [.. Enumerable.Range(5, 40)]) };
        NoveltyDetector detector = NoveltyDetector.Fit(_known, options);
        Assert.Equal(["1-nn", "rmd", "mcm", "neglabel"], detector.Scores.Select(score => score.Key));
        Assert.Equal(["rmd", "mcm", "neglabel"], detector.WithoutFeatures().Scores.Select(score => score.Key));

        // NegLabel is 1 for every image here: a score that does not vary says nothing and is not used.
        double best = detector.Scores.Where(score => score.Deviation > 0).Max(score => score.SelfTest);
        Assert.All(detector.Scores, score => Assert.Equal(score.Deviation > 0 && score.SelfTest >= best - 0.02, score.Used));
        NoveltyReport report = detector.Judge(Images([0, 7], each: 30, seed: 3).Features);
        Assert.All(report.Clusters.Take(1), cluster => Assert.Equal("word 2", cluster.Words[0]));
        Assert.NotEmpty(report.Clusters);
        string path = _folder.PathOf("detector.json");
        detector.Save(path);
        Assert.Equal(report.Verdicts, NoveltyDetector.Load(path).Judge(Images([0, 7], each: 30, seed: 3).Features).Verdicts);
        Assert.Equal(_names[..3], detector.WithoutClass("hen").Options.Text!.Classes);
        Assert.Contains("3 names", Assert.Throws<ArgumentException>(() => NoveltyDetector.Fit(_known, options with { Text = Texts(_names[..3], [0, 1, 2]) })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("{", "no whole JSON")]
    [InlineData("{\"format\": \"else\"}", "JSON of another kind")]
    [InlineData("{\"format\": \"clipood detector\", \"version\": 9}", "version 9, expected 1. A later ClipOod wrote it")]
    [InlineData("{\"format\": \"clipood detector\", \"version\": 1}", "a damaged detector")]
    public void FilesThatAreNoDetector_SayWhat(string text, string what)
    {
        string path = _folder.Write("d.json", text);
        string message = Assert.Throws<InvalidDataException>(() => NoveltyDetector.Load(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedDetector_IsRefused_WhateverByteIsLost()
    {
        string path = _folder.PathOf("detector.json");
        NoveltyDetector.Fit(Images([0, 1, 2], each: 6, seed: 1)).Save(path);
        byte[] whole = File.ReadAllBytes(path);
        var random = new Random(0);
        for (int i = 0; i < 60; i++)
        {
            int start = random.Next(whole.Length), length = random.Next(1, 200);
            File.WriteAllBytes(path, [.. whole[..start], .. whole[Math.Min(whole.Length, start + length)..]]);
            try
            {
                NoveltyDetector.Load(path);
            }
            catch (InvalidDataException error)
            {
                Assert.Contains(path, error.Message, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Images around one random direction per class.</summary>
    private static FeatureSet Images(int[] classes, int each, int seed)
    {
        var random = new Random(seed);
        List<double[]> rows = [];
        foreach (int k in classes)
        {
            double[] centre = Centre(k);
            rows.AddRange(Enumerable.Range(0, each).Select(_ => centre.Select(value => value + (0.5 * Normal(random))).ToArray()));
        }

        return new FeatureSet(
            "toys", "", Embeddings.FromRows([.. rows]).Normalized(), [.. classes.SelectMany((_, k) => Enumerable.Repeat(k, each))],
            [.. classes.Select(k => k < _names.Length ? _names[k] : $"class {k}")], "drawn");
    }

    /// <summary>Texts that lie where the images of classes do.</summary>
    private static TextFeatures Texts(string[] names, int[] classes) =>
        new(Embeddings.FromRows([.. classes.Select(Centre)]).Normalized(), names, "a photo of a {}.", "drawn");

    private static double[] Centre(int k)
    {
        var own = new Random(1000 + k);
        return [.. Enumerable.Range(0, Width).Select(_ => Normal(own))];
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
