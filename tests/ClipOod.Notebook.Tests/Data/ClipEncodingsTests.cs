using ClipOod.Clip;

namespace ClipOod.Notebook.Tests.Data;

public sealed class ClipEncodingsTests : IDisposable
{
    private static readonly ClipTokenizer _tokenizer = ClipTokenizer.FromMerges(["a t</w>", "c at</w>", "o g</w>", "d og</w>"]);
    private static readonly string[] _classes = ["cat", "dog"];
    private readonly ClipModel _model = ClipModel.Create(
        new()
        {
            EmbeddingWidth = 16,
            ImageSize = 16,
            PatchSize = 8,
            Vision = new(32, 1, 2, 64),
            ContextLength = 12,
            VocabularySize = _tokenizer.VocabularySize,
            Text = new(32, 1, 2, 64),
            Activation = ClipActivation.Gelu,
        },
        seed: 1,
        _tokenizer);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void ToFeatureSet_OfFilesOneOfThemBroken_KeepsLabelsAndPicturesOfTheRest()
    {
        ImageBatch pictures = Noise(4);
        using TemporaryFolder folder = new();
        string[] paths = [.. Enumerable.Range(0, 4).Select(i => Path.Combine(folder.Path, $"{i}.png"))];
        for (int i = 0; i < paths.Length; i++)
        {
            File.WriteAllBytes(paths[i], i == 1 ? [1, 2, 3] : pictures.ToPng(i));
        }

        ClipEncoding encoding = _model.EncodeImages(paths, cancellation: Stop);
        FeatureSet set = encoding.ToFeatureSet("drawings", "test", [0, 1, 0, 1], _classes, pictures);
        Assert.Equal([0, 0, 1], set.Labels);
        Assert.Equal(encoding.Values, set.Features.Values.ToArray());
        Assert.Equal(pictures[3].ToArray(), set.Images![2].ToArray());
        Assert.Contains(_model.ModelHash, set.Provenance, StringComparison.Ordinal);
        Assert.Contains("resize 16 Bicubic", set.Provenance, StringComparison.Ordinal);
        Assert.EndsWith(" 1 of 4 images failed.", set.Provenance, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageFolder_Encode_GivesThumbnailsAndTellsWhatItCannotRead()
    {
        using TemporaryFolder folder = new();
        ImageBatch pictures = Noise(2);
        string[] names = ["cat/0.png", "cat/1.heic", "dog/0.ppm"];
        byte[][] files =
        [
            pictures.ToPng(0), [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0],
            [.. System.Text.Encoding.ASCII.GetBytes($"P6 {pictures.Width} {pictures.Height} 255\n"), .. pictures[1]],
        ];
        foreach ((string name, byte[] file) in names.Zip(files))
        {
            string path = Path.Combine(folder.Path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, file);
        }

        File.WriteAllBytes(Path.Combine(folder.Path, "dog", "1.png"), pictures.ToPng(1)[..100]);
        ImageFolder opened = ImageFolder.Open(folder.Path);
        EncodedFolder encoded = opened.Encode(_model, "mine");
        Assert.Equal([0, 1], encoded.Set.Labels);
        Assert.Equal(["0.png", "0.ppm"], encoded.Files.Select(Path.GetFileName));
        Assert.Equal("1.png", Path.GetFileName(Assert.Single(encoded.Failures).Path));
        Assert.Contains("HEIC, as phones write it", Assert.Single(opened.LeftOut).Reason, StringComparison.Ordinal);
        Assert.Equal((2, 96, 96), (encoded.Set.Images!.Count, encoded.Set.Images.Height, encoded.Set.Images.Width));
        Assert.Equal(new ClipImageProcessor(96).ResizeAndCrop(pictures.ToRgbImages()[1]).Pixels, encoded.Set.Images[1].ToArray());
    }

    [Fact]
    public void ToFeatureSet_SavedAndLoaded_KeepsItsProvenance()
    {
        FeatureSet set = EncodeNoise(2).ToFeatureSet("drawings", "test", [0, 1], _classes);
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "drawings.safetensors");
        set.Save(path);
        Assert.Contains(_model.ModelHash, FeatureSet.Load(path).Provenance, StringComparison.Ordinal);
    }

    [Fact]
    public void ToTextFeatures_OfClasses_KeepsTheTemplates()
    {
        TextFeatures texts = _model.EncodeClasses(_classes, ["a photo of a {}.", "a {}."], cancellation: Stop).ToTextFeatures();
        Assert.Equal(_classes, texts.Classes);
        Assert.Equal("a photo of a {}. | a {}.", texts.Prompt);
        Assert.Contains(_model.ModelHash, texts.Provenance, StringComparison.Ordinal);
        Assert.Equal(2, Similarity.Cosines(EncodeNoise(3).ToFeatureSet("drawings", "", [0, 0, 1], _classes).Features, texts.Features).Columns);
    }

    [Fact]
    public void ToTextFeatures_OfTexts_NamesClassesForReadersAndKeepsWhatWasEncoded()
    {
        TextFeatures texts = _model.EncodeTexts(["a dog", "a cat"], cancellation: Stop).ToTextFeatures(["Dog", "Cat"]);
        Assert.Equal(["Dog", "Cat"], texts.Classes);
        Assert.Equal(["a dog", "a cat"], texts.EncodedNames);
        Assert.Equal("{}", texts.Prompt);
    }

    [Fact]
    public void Conversions_OfTheOtherKindOrUnnormalised_SayWhatToUse()
    {
        ClipEncoding images = EncodeNoise(1), texts = _model.EncodeTexts(["a dog"], cancellation: Stop);
        Assert.Contains("use ToFeatureSet", Assert.Throws<ArgumentException>(() => images.ToTextFeatures()).Message, StringComparison.Ordinal);
        Assert.Contains("use ToTextFeatures", Assert.Throws<ArgumentException>(() => texts.ToFeatureSet("d", "", [0], _classes)).Message, StringComparison.Ordinal);
        Assert.Contains("Normalize", Assert.Throws<ArgumentException>(() => (texts with { IsNormalized = false }).ToTextFeatures()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToFeatureSet_WithoutALabelOrPictureForEachImage_Throws()
    {
        ClipEncoding encoding = EncodeNoise(2);
        Assert.Contains("Got 1 labels for 2 images", Assert.Throws<ArgumentException>(() => encoding.ToFeatureSet("d", "", [0], _classes)).Message, StringComparison.Ordinal);
        Assert.Contains("Got 3 pictures", Assert.Throws<ArgumentException>(() => encoding.ToFeatureSet("d", "", [0, 1], _classes, Noise(3))).Message, StringComparison.Ordinal);
    }

    private ClipEncoding EncodeNoise(int count) => _model.EncodeImages(Noise(count).ToRgbImages(), cancellation: Stop);

    private static ImageBatch Noise(int count)
    {
        byte[] pixels = new byte[count * 20 * 24 * 3];
        new Random(2).NextBytes(pixels);
        return new ImageBatch(count, 20, 24, pixels);
    }
}
