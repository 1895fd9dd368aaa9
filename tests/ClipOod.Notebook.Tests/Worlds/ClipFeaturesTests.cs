namespace ClipOod.Notebook.Tests;

public sealed class ClipFeaturesTests
{
    private static readonly Lazy<World> _world = new(() => ClipFeatures.Open(Folder(), seed: 0));

    [Theory]
    [InlineData("A", 10, 10, 0.896)]
    [InlineData("B", 101, 22, 0.906)]
    [InlineData("C", 256, 162, 0.849)]
    public void ZeroShot_ReachesTheAccuracyTheFeaturesWereCheckedAt(string role, int classes, int textClasses, double accuracy)
    {
        Dataset dataset = OpenWorld().Datasets[role];
        Dataset zeroShot = dataset.ZeroShot();

        Assert.Equal((classes, textClasses), (dataset.NumClasses, zeroShot.NumClasses));
        Assert.Contains($"{textClasses} of {classes} classes", zeroShot.Note, StringComparison.Ordinal);
        // Of Caltech-256 the test file was checked; the others have only one file.
        Assert.Equal(accuracy, Accuracy(role == "C" ? zeroShot.Test : zeroShot.All, zeroShot.Text), 0.0005);
    }

    [Theory]
    [InlineData(0, 0.589)]
    [InlineData(1, 0.612)]
    public void ImageNet_ReachesTheAccuracyTheFeaturesWereCheckedAt(int prompt, double accuracy)
    {
        Dataset dataset = OpenWorld().Large;
        Assert.Equal(1000, dataset.NumClasses);
        Assert.Equal(4000, dataset.Test.Count);
        Assert.Equal(accuracy, Accuracy(dataset.Test, dataset.TextByPrompt.Values.ElementAt(prompt)), 0.0005);
    }

    [Fact]
    public void ImageNet_HasNoTrainingSide_AndSaysSo()
    {
        Dataset dataset = OpenWorld().Large;
        Assert.False(dataset.HasTrain);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => dataset.Train);
        Assert.Contains("all its 4000 images are in Test", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A")]
    [InlineData("B")]
    [InlineData("C")]
    public void Parts_AreDisjoint_AndHaveEveryClass(string role)
    {
        Dataset dataset = OpenWorld().Datasets[role];
        FeatureSet[] parts = [dataset.Train, dataset.Validation, dataset.Test];
        HashSet<string> rows = [];
        foreach (FeatureSet part in parts)
        {
            Assert.Equal(dataset.NumClasses, part.Labels.Distinct().Count());
            Assert.Equal(dataset.Classes, part.Classes);
            for (int i = 0; i < part.Count; i++)
            {
                // The first features are enough to tell images apart.
                rows.Add(string.Join(' ', part.Features[i][..32].ToArray()));
            }
        }

        Assert.Equal(parts.Sum(part => part.Count), rows.Count);
    }

    [Fact]
    public void Open_WithAnotherSeed_SplitsOtherwise()
    {
        string folder = Folder();
        Assert.Equal(ClipFeatures.Open(folder, 1).A.Test.Labels, ClipFeatures.Open(folder, 1).A.Test.Labels);
        Assert.NotEqual(ClipFeatures.Open(folder, 1).A.Test.Labels, ClipFeatures.Open(folder, 2).A.Test.Labels);
    }

    [Fact]
    public void Text_WhenSomeClassesHaveNone_PointsToZeroShot()
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => OpenWorld().B.Text);
        Assert.Contains("Only 22 of the 101 classes of Food-101", error.Message, StringComparison.Ordinal);
        Assert.Contains("ZeroShot()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_HasItsPixels()
    {
        FeatureSet test = OpenWorld().A.Test;
        Assert.Equal((test.Count, 32, 32), (test.Images!.Count, test.Images.Height, test.Images.Width));
    }

    [Fact]
    public void Cifar100Names_AgreeWithTheTextFeaturesOfTheSameNamesInLvis()
    {
        World world = OpenWorld();
        TextFeatures cifar = world.Text("cifar100");
        TextFeatures lvis = world.Text("words");
        // Other prompts shift the features, but a name's own feature stays the nearest among all names.
        int[] shared = [.. Enumerable.Range(0, cifar.Count).Where(i => lvis.Classes.Contains(cifar.Classes[i]))];
        int agreeing = shared.Count(i => lvis.Classes[Nearest(cifar.Features[i], lvis.Features)] == cifar.Classes[i]);
        Assert.True(shared.Length > 30 && agreeing >= 0.9 * shared.Length, $"{agreeing} of {shared.Length}");
    }

    [Fact]
    public void ToHtml_ShowsEverySetWithItsSize_AndWhatIsReduced()
    {
        World world = OpenWorld();
        string html = world.ToHtml();
        Assert.All(world.Datasets.Values, d => Assert.Contains(d.Name, html, StringComparison.Ordinal));
        Assert.All(world.Ood.Keys, name => Assert.Contains($">{name}</th>", html, StringComparison.Ordinal));
        Assert.Contains("each row is the mean of about 10 augmented crops", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenTheVariableIsUnset_SaysWhichWorldIsMissingAndHowToGetIt()
    {
        WorldNotFoundException error = Assert.Throws<WorldNotFoundException>(() => ClipFeatures.Open(null, 0));
        Assert.Contains("'clip-features' is missing: CLIPOOD_FEATURES is not set", error.Message, StringComparison.Ordinal);
        Assert.Contains("Get them with clipood fetch clip-features. Or set CLIPOOD_FEATURES to a folder with", error.Message, StringComparison.Ordinal);
        Assert.Contains("data/README.md says what they hold and how to make them", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenTheFolderIsMissing_NamesIt()
    {
        WorldNotFoundException error = Assert.Throws<WorldNotFoundException>(() => ClipFeatures.Open("no/such/folder", 0));
        Assert.Contains("names 'no/such/folder'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAFileIsMissing_NamesIt()
    {
        using TemporaryFolder folder = new();
        foreach (string file in ClipFeatures.Files.Where(file => !file.StartsWith("dtd", StringComparison.Ordinal)))
        {
            File.WriteAllText(folder.PathOf(file), "");
        }

        WorldNotFoundException error = Assert.Throws<WorldNotFoundException>(() => ClipFeatures.Open(folder.Path, 0));
        Assert.Contains("lacks dtd-test.safetensors, dtd-val.safetensors.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhenAFileIsBroken_NamesIt()
    {
        using TemporaryFolder folder = new();
        foreach (string file in ClipFeatures.Files)
        {
            File.WriteAllText(folder.PathOf(file), "");
        }

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipFeatures.Open(folder.Path, 0));
        Assert.Contains(".safetensors: has 0 bytes", error.Message, StringComparison.Ordinal);
    }

    private static string Folder()
    {
        string? folder = Environment.GetEnvironmentVariable(ClipFeatures.FolderVariable);
        Assert.SkipUnless(
            !string.IsNullOrEmpty(folder), $"{ClipFeatures.FolderVariable} is unset: it names the folder of the real CLIP features.");
        return folder!;
    }

    private static World OpenWorld()
    {
        Folder();
        return _world.Value;
    }

    /// <summary>Share of the images whose own class has the nearest text, by a plain double loop.</summary>
    private static double Accuracy(FeatureSet images, TextFeatures texts) =>
        (double)Enumerable.Range(0, images.Count).Count(i => Nearest(images.Features[i], texts.Features) == images.Labels[i]) / images.Count;

    private static int Nearest(ReadOnlySpan<float> feature, Embeddings texts)
    {
        int best = 0;
        double bestCosine = double.NegativeInfinity;
        for (int k = 0; k < texts.Rows; k++)
        {
            double cosine = System.Numerics.Tensors.TensorPrimitives.Dot(feature, texts[k]);
            (best, bestCosine) = cosine > bestCosine ? (k, cosine) : (best, bestCosine);
        }

        return best;
    }
}
