using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipEncodingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ClipModel _model = ClipModel.Create(Words.Config, seed: 5, Words.Tokenizer);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void EncodeImages_AFolderWithACorruptFile_ReportsItAndEncodesTheRest()
    {
        byte[] png = TinyPng();
        string[] paths = [.. Enumerable.Range(0, 11).Select(i => _folder.Write($"{i}.png", i == 4 ? png[..(png.Length / 2)] : png)), Path.Combine(_folder.Path, "gone.png")];
        ClipEncoding encoding = _model.EncodeImages(paths, new() { BatchSize = 3 }, Stop);
        Assert.Equal([0, 1, 2, 3, 5, 6, 7, 8, 9, 10], encoding.Indices);
        Assert.Equal(10, encoding.Count);
        Assert.Equal([4, 11], encoding.Failures.Select(failure => failure.Index));
        Assert.Equal(paths[4], encoding.Failures[0].Path);
        Assert.Contains(paths[4], encoding.Failures[0].Message, StringComparison.Ordinal);
        Assert.Contains("2 of 12 images failed", encoding.ToString(), StringComparison.Ordinal);
        Assert.Equal(_model.ModelHash, encoding.ModelHash);
        Assert.StartsWith("resize 16 Bicubic, centre crop, mean 0.481", encoding.Preprocessing, StringComparison.Ordinal);
        Assert.All(Enumerable.Range(1, 9), row => Assert.True(encoding.Row(row).SequenceEqual(encoding.Row(0)) || Distance(encoding, row, 0) < 1e-6));
    }

    [Fact]
    public void EncodeImages_WithThumbnails_KeepsASmallPictureOfEachRow()
    {
        byte[] png = TinyPng();
        string[] paths = [_folder.Write("0.png", png), _folder.Write("1.png", png[..(png.Length / 2)]), _folder.Write("2.png", png)];
        ClipEncoding encoding = _model.EncodeImages(paths, new() { BatchSize = 2, ThumbnailSide = 5 }, Stop);
        RgbImage expected = new ClipImageProcessor(5).ResizeAndCrop(ImageDecoder.Decode(paths[0]));
        Assert.Equal([expected.Pixels, expected.Pixels], encoding.Thumbnails.Select(image => image.Pixels));
        Assert.Equal(expected.Pixels, _model.EncodeImages([ImageDecoder.Decode(paths[0])], new() { ThumbnailSide = 5 }, Stop).Thumbnails[0].Pixels);
        Assert.Empty(_model.EncodeImages(paths, cancellation: Stop).Thumbnails);
        Assert.Throws<ArgumentOutOfRangeException>(() => _model.EncodeImages(paths, new() { ThumbnailSide = 0 }, Stop));
    }

    [Fact]
    public void EncodeImages_InInt8_IsNearSinglePrecision_SaysSo_AndDoesNotDependOnTheBatch()
    {
        RgbImage[] images = [.. Enumerable.Range(0, 9).Select(i => Noise(seed: i, width: 20 + i, height: 30 - i))];
        ClipEncoding single = _model.EncodeImages(images, cancellation: Stop), texts = _model.EncodeTexts(["a cat"], cancellation: Stop);
        _model.Precision = ClipPrecision.Int8;
        ClipEncoding codes = _model.EncodeImages(images, new() { BatchSize = 4 }, Stop), alone = _model.EncodeImages(images[5..6], cancellation: Stop);
        Assert.Equal("FP32", single.Precision);
        Assert.StartsWith("INT8", codes.Precision, StringComparison.Ordinal);
        Assert.Equal(single.ModelHash, codes.ModelHash);
        Assert.All(Enumerable.Range(0, 9), row => Assert.InRange(Cosine(single.Row(row), codes.Row(row)), 0.99, 0.9999999));
        Assert.InRange(Cosine(codes.Row(5), alone.Row(0)), 0.999999, 1.000001);
        Assert.Equal(_model.Width * 9, codes.Values.Length);

        // Texts stay as they are, and all is as it was when it is set back.
        Assert.Equal(texts.Values, _model.EncodeTexts(["a cat"], cancellation: Stop).Values);
        _model.Precision = ClipPrecision.Single;
        Assert.Equal(single.Values, _model.EncodeImages(images, cancellation: Stop).Values);
        Assert.Throws<ArgumentOutOfRangeException>(() => _model.Precision = (ClipPrecision)7);

        static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(a, b);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void EncodeImages_InBatchesOfAnySize_GivesTheRowsOfTheGraph(int batchSize)
    {
        RgbImage[] images = [.. Enumerable.Range(0, 9).Select(i => Noise(seed: i, width: 20 + i, height: 30 - i))];
        ClipEncoding encoding = _model.EncodeImages(images, new() { BatchSize = batchSize, Normalize = false }, Stop);
        float[] pixels = [.. images.SelectMany(_model.ImageProcessor.Process)];
        using Evaluator evaluator = new([_model.ImageFeatures]);
        float[] expected = evaluator.Run((_model.Pixels.Name, pixels))[0].Values<float>();
        Assert.All(expected.Zip(encoding.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal("image 8", encoding.Sources[8]);
    }

    [Fact]
    public void EncodeImages_Normalized_GivesRowsOfLengthOne()
    {
        ClipEncoding encoding = _model.EncodeImages([Noise(1, 16, 16), Noise(2, 16, 16)], cancellation: Stop);
        Assert.True(encoding.IsNormalized);
        Assert.All(Enumerable.Range(0, 2), row => Assert.Equal(1, encoding.Row(row).ToArray().Sum(v => (double)v * v), 1e-5));
    }

    [Fact]
    public void EncodeImages_TellsProgressAfterEveryBatch()
    {
        List<ClipProgress> told = [];
        _model.EncodeImages([.. Enumerable.Range(0, 5).Select(i => Noise(i, 16, 16))], new() { BatchSize = 2, Progress = new Listener(told.Add) }, Stop);
        Assert.Equal([2, 4, 5], told.Select(progress => progress.Done));
        Assert.All(told, progress => Assert.Equal(5, progress.Total));
        Assert.True(told[0].PerSecond > 0);
        Assert.True(told[0].Left > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, told[2].Left);
        Assert.Contains("5 of 5", told[2].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void EncodeImages_Cancelled_StopsAndCanStartAgain()
    {
        using CancellationTokenSource cancellation = new();
        RgbImage[] images = [.. Enumerable.Range(0, 50).Select(i => Noise(i, 16, 16))];
        int batches = 0;
        ClipEncodingOptions options = new()
        {
            BatchSize = 1,
            Progress = new Listener(_ =>
            {
                batches++;
                cancellation.Cancel();
            }),
        };
        Assert.ThrowsAny<OperationCanceledException>(() => _model.EncodeImages(images, options, cancellation.Token));
        Assert.InRange(batches, 1, 2);
        Assert.Equal(3, _model.EncodeImages(images[..3], cancellation: Stop).Count);
    }

    [Fact]
    public void EncodeImages_None_GivesNoRows()
    {
        Assert.Equal(0, _model.EncodeImages(Array.Empty<string>(), cancellation: Stop).Count);
        Assert.Equal(0, _model.EncodeTexts([], cancellation: Stop).Count);
    }

    [Fact]
    public void EncodeTexts_InAnyOrderAndBatch_GivesTheRowOfEachText()
    {
        string[] texts = ["a cat", "a b c d e f", "dog", "", "a photo of a cat", "the cat"];
        ClipEncoding all = _model.EncodeTexts(texts, new() { BatchSize = 2 }, Stop);
        Assert.Equal(texts, all.Sources);
        for (int i = 0; i < texts.Length; i++)
        {
            ClipEncoding one = _model.EncodeTexts([texts[i]], cancellation: Stop);
            Assert.All(all.Row(i).ToArray().Zip(one.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }
    }

    [Fact]
    public void EncodeTexts_TooLong_TruncatesOrThrows()
    {
        string text = string.Join(' ', Enumerable.Repeat("x", 30));
        Assert.Equal(1, _model.EncodeTexts([text], cancellation: Stop).Count);
        ArgumentException error = Assert.Throws<ArgumentException>(() => _model.EncodeTexts([text], new() { Overflow = OverflowMode.Throw }, Stop));
        Assert.Contains("30 tokens, but 10 fit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EncodeTexts_WithoutATokenizer_SaysWhatToDo()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 1);
        Assert.Contains("no tokenizer", Assert.Throws<InvalidOperationException>(() => model.EncodeTexts(["a"], cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(519)]
    public void EncodeTokens_ATokenOutOfRange_IsNamed(int id)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => _model.EncodeTokens(new[,] { { 1, 2 }, { 3, id } }, cancellation: Stop));
        Assert.Contains($"Row 1 has the token {id} at place 1, expected 0 to 518", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EncodeClasses_IsTheEnsembleOfThePrompts()
    {
        string[] templates = ["a photo of a {}.", "a {}."];
        ClipEncoding classes = _model.EncodeClasses(["cat", "dog"], templates, cancellation: Stop);
        ClipEncoding prompts = _model.EncodeTexts(["a photo of a dog.", "a dog."], cancellation: Stop);
        float[] mean = [.. prompts.Row(0).ToArray().Zip(prompts.Row(1).ToArray(), (a, b) => a + b)];
        double norm = Math.Sqrt(mean.Sum(v => (double)v * v));
        Assert.All(mean.Zip(classes.Row(1).ToArray()), pair => Assert.Equal(pair.First / norm, pair.Second, 1e-5));
        Assert.Equal("a photo of a {}. | a {}.", classes.Prompt);
        Assert.Equal(["cat", "dog"], classes.Sources);
    }

    [Fact]
    public void EncodeImages_ABatchBeyondMemory_SaysWhichSizeFits()
    {
        RgbImage[] images = [.. Enumerable.Range(0, 20).Select(i => Noise(i, 4, 4))];
        using SmallMemory encoder = new(fits: 7);
        InsufficientMemoryException error = Assert.Throws<InsufficientMemoryException>(() => encoder.EncodeImages(images, new() { BatchSize = 20 }, Stop));
        Assert.Equal("A batch of 20 does not fit into memory, a batch of 5 does: set BatchSize to it.", error.Message);
        Assert.Equal(20, encoder.EncodeImages(images, new() { BatchSize = 5 }, Stop).Count);

        using SmallMemory none = new(fits: 0);
        Assert.Contains("Not even one", Assert.Throws<InsufficientMemoryException>(() => none.EncodeImages(images, cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EncodeImages_ABatchBeyondAnyArray_SaysWhichSizeFits()
    {
        using SmallMemory encoder = new(fits: 1, imageSize: 16_000);
        string[] paths = [.. Enumerable.Repeat("image.png", 5)];
        Assert.Contains("a batch of 2 does", Assert.Throws<InsufficientMemoryException>(() => encoder.EncodeImages(paths, cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    internal static RgbImage Noise(int seed, int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    private static double Distance(ClipEncoding encoding, int a, int b) =>
        encoding.Row(a).ToArray().Zip(encoding.Row(b).ToArray(), (x, y) => Math.Abs(x - y)).Max();

    private static byte[] TinyPng()
    {
        using SkiaSharp.SKBitmap bitmap = new(24, 20);
        bitmap.Erase(SkiaSharp.SKColors.CornflowerBlue);
        using SkiaSharp.SKData data = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private sealed class Listener(Action<ClipProgress> told) : IProgress<ClipProgress>
    {
        public void Report(ClipProgress value) => told(value);
    }

    /// <summary>An encoder that runs out of memory above some batch size.</summary>
    private sealed class SmallMemory(int fits, int imageSize = 4) : ClipEncoder(new ClipImageProcessor(imageSize), null, width: 1, contextLength: 2, vocabularySize: null)
    {
        public override string ModelHash => "small";

        public override void Dispose()
        {
        }

        private protected override float[] EncodePixels(Memory<float> pixels, int count) =>
            count <= fits ? new float[count] : throw new InsufficientMemoryException();

        private protected override float[] EncodeIds(long[] ids, int count, int length) => new float[count];
    }
}
