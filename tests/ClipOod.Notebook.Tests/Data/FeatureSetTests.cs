using ClipOod.Autodiff;
using ClipOod.Clip;
using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class FeatureSetTests
{
    [Fact]
    public void Save_ThenLoad_GivesTheSameSet()
    {
        using TemporaryFolder folder = new();
        FeatureSet set = Make(labels: [0, 1, 2, 1], withImages: true);
        set.Save(folder.PathOf("set.safetensors"));
        FeatureSet loaded = FeatureSet.Load(folder.PathOf("set.safetensors"));

        Assert.Equal((set.Name, set.Split), (loaded.Name, loaded.Split));
        Assert.Equal(set.Features.Values.ToArray(), loaded.Features.Values.ToArray());
        Assert.Equal(set.Labels, loaded.Labels);
        Assert.Equal(set.Classes, loaded.Classes);
        Assert.Equal(set.Images!.Pixels.ToArray(), loaded.Images!.Pixels.ToArray());
        Assert.Equal("set.safetensors; made by hand.", loaded.Provenance);
    }

    [Fact]
    public void Precision_IsKeptByAllParts_AndTwoAreNotMixed()
    {
        using TemporaryFolder folder = new();
        FeatureSet plain = Make(labels: [0, 1, 2, 1], withImages: false);
        FeatureSet set = new(plain.Name, plain.Split, plain.Features, plain.Labels, plain.Classes, plain.Provenance) { Precision = "INT8" };
        set.Save(folder.PathOf("set.safetensors"));
        (FeatureSet first, FeatureSet second) = set.SplitStratified(0.5, seed: 0);
        Assert.Equal("FP32", plain.Precision);
        Assert.All(
            [FeatureSet.Load(folder.PathOf("set.safetensors")), set.Select([0]), set.WithSplit("other"), set.WithClasses([1]), first, second, set.Append(set), set.WithImages(null), FeatureSet.Union("u", "all", [set, set])],
            part => Assert.Equal("INT8", part.Precision));
        Assert.Contains("in INT8, ", Assert.Throws<ArgumentException>(() => plain.Append(set)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => FeatureSet.Union("u", "all", [plain, set]));
        Bench bench = ToyWorld.Make().Bench("A");
        FeatureSet near = bench.Ood["near"].Images;
        FeatureSet codes = new(near.Name, near.Split, near.Features, near.Labels, near.Classes, near.Provenance) { Precision = "INT8" };
        Assert.Contains("features of two precisions do not compare", Assert.Throws<ArgumentException>(() => bench.Score(DetectorCatalog.Of("mcm"), codes)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => bench.Clean("other", codes));
    }

    [Fact]
    public void Load_WithoutClassNames_NumbersThem()
    {
        using TemporaryFolder folder = new();
        Write(folder.PathOf("x.safetensors"), [1, 0, 0, 1], [2, 0]);
        Assert.Equal(["class 0", "class 1", "class 2"], FeatureSet.Load(folder.PathOf("x.safetensors")).Classes);
    }

    [Theory]
    [InlineData(float.NaN, 0, "row 0 holds NaN")]
    [InlineData(float.PositiveInfinity, 0, "row 0 holds NaN or an infinite feature")]
    [InlineData(2f, 0, "row 0 has norm 2, expected 1")]
    [InlineData(0f, 0, "row 0 has norm 0, expected 1")]
    [InlineData(1f, -1, "label -1 of row 0 is out of range")]
    [InlineData(1f, int.MaxValue, "label 2147483647 of row 0 is out of range")]
    public void Load_OfInvalidContent_NamesTheFileAndTheRow(float feature, int label, string reason)
    {
        using TemporaryFolder folder = new();
        string path = folder.PathOf("x.safetensors");
        Write(path, [feature, 0, 0, 1], [label, 0]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => FeatureSet.Load(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithFeaturesOfAnotherShape_SaysSo()
    {
        using TemporaryFolder folder = new();
        string path = folder.PathOf("x.safetensors");
        Safetensors.Write(path,
            [SafetensorsTensor.FromSingles("image_features", [2], [1, 0]), SafetensorsTensor.FromInt32s("labels", [2], [0, 0])]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => FeatureSet.Load(path));
        Assert.Contains("tensor 'image_features' has shape [2], expected [rows, width]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithBrokenClassNames_SaysSo()
    {
        using TemporaryFolder folder = new();
        string path = folder.PathOf("x.safetensors");
        Write(path, [1, 0, 0, 1], [0, 0], new Dictionary<string, string> { ["classes"] = "cat, dog" });
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => FeatureSet.Load(path));
        Assert.Contains("metadata 'classes' is not a JSON list", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WhenCountsDiffer_SaysBoth()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => new FeatureSet("X", "test", Embeddings.FromRows([1, 0]), [0, 0], ["a"], ""));
        Assert.Contains("X test: got 1 rows of features, 2 labels", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithClasses_KeepsTheirRows_AndNumbersThemAnew()
    {
        FeatureSet kept = Make(labels: [0, 1, 2, 1], withImages: true).WithClasses([2, 1]);
        Assert.Equal(["c", "b"], kept.Classes);
        Assert.Equal([1, 0, 1], kept.Labels);
        Assert.Equal(["b", "c", "b"], Enumerable.Range(0, 3).Select(kept.ClassOf));
        Assert.Equal(3, kept.Images!.Count);
        Assert.Equal(Make(labels: [0, 1, 2, 1], withImages: true).Images![2].ToArray(), kept.Images[1].ToArray());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 3)]
    [InlineData(0, -1)]
    public void WithClasses_OfARepeatedOrUnknownNumber_Throws(int first, int second)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Make([0, 1, 2]).WithClasses([first, second]));
        Assert.Contains($"class {second} at position 1, expected distinct numbers from 0 to 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutClasses_LeavesTheOthersInTheirOrder()
    {
        FeatureSet rest = Make([0, 1, 2, 1]).WithoutClasses(["b"]);
        Assert.Equal(["a", "c"], rest.Classes);
        Assert.Equal([0, 1], rest.Labels);
    }

    [Fact]
    public void WithoutClasses_OfAnUnknownName_Throws()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Make([0, 1]).WithoutClasses(["dog"]));
        Assert.Contains("has no class 'dog'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SplitStratified_DividesEveryClass_IntoDisjointParts() =>
        Gen.Select(Gen.Int[0, 2].Array[1, 40], Gen.Double[0.05, 0.95], Gen.Int[0, 100]).Sample((labels, fraction, seed) =>
        {
            FeatureSet set = Make(labels);
            (FeatureSet first, FeatureSet second) = set.SplitStratified(fraction, seed);
            // Feature 0 tells rows apart.
            Assert.Equal(Keys(set).Order(), Keys(first).Concat(Keys(second)).Order());
            for (int c = 0; c < 3; c++)
            {
                int all = labels.Count(l => l == c);
                int taken = first.Labels.Count(l => l == c);
                Assert.True(Math.Abs(taken - (all * fraction)) <= 0.5 + 1e-9 || (all > 1 && taken is 1 || taken == all - 1), $"{taken} of {all}");
                Assert.True(all < 2 || (taken > 0 && taken < all));
            }
        });

    [Fact]
    public void SplitStratified_WithTheSameSeed_IsTheSame()
    {
        FeatureSet set = Make([.. Enumerable.Repeat(0, 30)]);
        Assert.Equal(Keys(set.SplitStratified(0.5, 7).First), Keys(set.SplitStratified(0.5, 7).First));
        Assert.NotEqual(Keys(set.SplitStratified(0.5, 7).First), Keys(set.SplitStratified(0.5, 8).First));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void SplitStratified_WithNoShare_Throws(double fraction) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Make([0, 1]).SplitStratified(fraction, 0));

    [Fact]
    public void Append_JoinsRowsAndImages()
    {
        FeatureSet set = Make([0, 1, 2], withImages: true);
        FeatureSet both = set.Append(set.Select([1]).WithSplit("more"));
        Assert.Equal([0, 1, 2, 1], both.Labels);
        Assert.Equal(4, both.Images!.Count);
        Assert.Equal("test + more", both.Split);
    }

    [Fact]
    public void Append_OfOtherClasses_Throws() =>
        Assert.Throws<ArgumentException>(() => Make([0, 1]).Append(Make([0, 1]).WithClasses([0])));

    [Fact]
    public void ToHtml_EscapesWhatTheDataSay()
    {
        FeatureSet set = new("<b>", "test", Embeddings.FromRows([1, 0]), [0], ["a"], "x & y");
        Assert.Equal("<p>&lt;b&gt; test: 1 images, 1 classes, 2 features. x &amp; y</p>", set.ToHtml());
    }

    [Fact]
    public void TextFeatures_WhenCountsDiffer_SayAll()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => new TextFeatures(Embeddings.FromRows([1, 0]), ["a", "b"], "a {}", ""));
        Assert.Contains("1 rows of text features, 2 classes and 2 encoded names", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextFeatures_Select_KeepsRowsAndNamesTogether()
    {
        TextFeatures text = new(Embeddings.FromRows([1, 0], [0, 1]), ["a", "b"], "a {}", "", ["LVIS: a", "LVIS: b"]);
        TextFeatures selected = text.Select([1]);
        Assert.Equal([0f, 1f], selected.Features.Values.ToArray());
        Assert.Equal(("b", "LVIS: b"), (selected.Classes[0], selected.EncodedNames[0]));
    }

    private static float[] Keys(FeatureSet set) => [.. Enumerable.Range(0, set.Count).Select(i => set.Features[i][0])];

    /// <summary>Unit rows, each another one, of the classes a, b and c.</summary>
    private static FeatureSet Make(int[] labels, bool withImages = false)
    {
        double[][] rows = [.. labels.Select((_, i) => new[] { Math.Cos(0.01 * i), Math.Sin(0.01 * i) })];
        ImageBatch? images = withImages ? new ImageBatch(labels.Length, 1, 2, [.. Enumerable.Range(0, labels.Length * 6).Select(i => (byte)i)]) : null;
        return new FeatureSet("Made", "test", Embeddings.FromRows(rows), labels, ["a", "b", "c"], "made by hand", images);
    }

    private static void Write(string path, float[] features, int[] labels, Dictionary<string, string>? metadata = null) => Safetensors.Write(
        path,
        [SafetensorsTensor.FromSingles("image_features", [labels.Length, 2], features), SafetensorsTensor.FromInt32s("labels", [labels.Length], labels)],
        metadata);
}

public sealed class ImageBatchTests
{
    [Fact]
    public void ToPng_HoldsTheImage()
    {
        ImageBatch images = new(1, 2, 1, [255, 0, 0, 0, 0, 255]);
        RgbImage read = ImageDecoder.Decode(images.ToPng(0), "png");
        Assert.Equal((1, 2), (read.Width, read.Height));
        Assert.Equal(images.Pixels, read.Pixels);
    }

    [Fact]
    public void Of_PicturesOfOneSize_KeepsThem()
    {
        RgbImage one = new(1, 2, [1, 2, 3, 4, 5, 6]), other = new(1, 2, [7, 8, 9, 10, 11, 12]);
        ImageBatch batch = ImageBatch.Of([one, other]);
        Assert.Equal((2, 2, 1), (batch.Count, batch.Height, batch.Width));
        Assert.Equal([one.Pixels, other.Pixels], batch.ToRgbImages().Select(image => image.Pixels));
        Assert.Throws<ArgumentException>(() => ImageBatch.Of([]));
        Assert.Contains(
            "1x2 and of 2x1", Assert.Throws<ArgumentException>(() => ImageBatch.Of([one, new(2, 1, new byte[6])])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongCounts_AreRefused() => Assert.Throws<ArgumentException>(() => new ImageBatch(1, 2, 2, new byte[11]));
}
