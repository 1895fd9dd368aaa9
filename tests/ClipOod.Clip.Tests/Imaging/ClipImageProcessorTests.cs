using System.Security.Cryptography;
using System.Text.Json;
using CsCheck;

namespace ClipOod.Clip.Tests;

public sealed class ClipImageProcessorTests
{
    public static TheoryData<string> ReferenceImages => new(
        "alpha.png", "caltech-1.jpg", "caltech-2.jpg", "caltech-gray.jpg", "cifar-10.png", "cmyk.jpg", "food-1.jpg", "food-2.jpg",
        "palette.png", "progressive.jpg", "sixteen-bit-gray.png");

    public static TheoryData<string, int> GoldenCases => new(
        ((string[])["small", "large"]).SelectMany(set =>
            Enumerable.Range(0, References.Preprocess.GetProperty(set).GetArrayLength()).Select(i => (set, i))));

    /// <summary>The formula of the golden file's pictures: v[y,x,c] = (37y + 59x + 83c + 11xy) mod 256.</summary>
    private static RgbImage Pattern(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        for (int i = 0; i < pixels.Length; i++)
        {
            int c = i % 3;
            int x = i / 3 % width;
            int y = i / 3 / width;
            pixels[i] = (byte)(37 * y + 59 * x + 83 * c + 11 * x * y);
        }

        return new RgbImage(width, height, pixels);
    }

    private static RgbImage Noise(int width, int height, int seed)
    {
        var pixels = new byte[3 * width * height];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    [Theory, MemberData(nameof(GoldenCases))]
    public void ResizeAndCrop_GoldenPattern_EqualsPillowByteForByte(string set, int index)
    {
        JsonElement expected = References.Preprocess.GetProperty(set)[index];
        int height = expected.GetProperty("height").GetInt32();
        int width = expected.GetProperty("width").GetInt32();
        var processor = new ClipImageProcessor(expected.GetProperty("size").GetInt32());

        (long resizedWidth, long resizedHeight) = processor.ResizedSides(width, height);
        Assert.Equal(expected.GetProperty("resized_hw").Integers(), new[] { (int)resizedHeight, (int)resizedWidth });
        Assert.Equal(expected.GetProperty("crop_top_left").Integers(), new[] { (int)processor.CropStart(resizedHeight), (int)processor.CropStart(resizedWidth) });

        RgbImage crop = processor.ResizeAndCrop(Pattern(width, height));
        float[] values = processor.Process(Pattern(width, height));
        if (expected.TryGetProperty("cropped_uint8_hwc", out JsonElement pixels))
        {
            Assert.Equal(pixels.EnumerateArray().SelectMany(r => r.EnumerateArray()).SelectMany(p => p.Integers()).Select(v => (byte)v), crop.Pixels);
            double[] normalised = [.. expected.GetProperty("normalised_chw").EnumerateArray()
                .SelectMany(c => c.EnumerateArray()).SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble())];
            Assert.Equal(normalised.Length, values.Length);
            for (int i = 0; i < values.Length; i++)
            {
                Assert.Equal(normalised[i], values[i], 1e-5 * Math.Max(1, Math.Abs(normalised[i])));
            }
        }
        else
        {
            Assert.Equal(expected.GetProperty("sha256_uint8_hwc").GetString(), Convert.ToHexStringLower(SHA256.HashData(crop.Pixels)));
            for (int channel = 0; channel < 3; channel++)
            {
                double mean = values.AsSpan(channel * crop.Width * crop.Height, crop.Width * crop.Height).ToArray().Average(v => (double)v);
                Assert.Equal(expected.GetProperty("normalised_mean")[channel].GetDouble(), mean, 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("coefficients_7_to_4", 7, 4)]
    [InlineData("coefficients_3_to_8", 3, 8)]
    public void Taps_GoldenSides_EqualPillows(string name, int from, int to)
    {
        Resampler.Taps taps = Resampler.Prepare(from, to, 0, to, ResizeFilter.Bicubic);
        JsonElement expected = References.Preprocess.GetProperty(name);
        Assert.Equal(to, expected.GetArrayLength());
        for (int i = 0; i < to; i++)
        {
            Assert.Equal(expected[i].GetProperty("first").GetInt32(), taps.Starts[i]);
            int[] weights = [.. expected[i].GetProperty("weights").EnumerateArray().Select(w => (int)Math.Round(w.GetDouble() * (1 << 22), MidpointRounding.AwayFromZero))];
            Assert.Equal(weights, taps.WeightsOf(i).ToArray());
        }
    }

    [Theory, MemberData(nameof(ReferenceImages))]
    public void ResizeAndCrop_ReferenceImage_EqualsPillowByteForByte(string name)
    {
        string path = References.ClipGolden(Path.Combine("images", name));
        var processor = new ClipImageProcessor();
        RgbImage crop = processor.ResizeAndCrop(ImageDecoder.Decode(path));
        // Skia and Pillow decode these eleven files to the same pixels, so not even a JPEG's crop may differ.
        Assert.Equal(References.Pillow(name, "uint8").Values, crop.Pixels);

        var values = new float[processor.ValueCount];
        processor.ProcessFile(path, values);
        Assert.Equal(processor.Process(ImageDecoder.Decode(path)), values);
    }

    [Fact]
    public void Resize_AnySides_EqualsAPlainLoop()
    {
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 60], Gen.Int[1, 40], Gen.Enum<ResizeFilter>(), Gen.Int[0, 1000]).Sample((width, height, size, filter, seed) =>
        {
            RgbImage image = Noise(width, height, seed);
            Assert.Equal(PlainCrop(image, size, filter), new ClipImageProcessor(size, filter).ResizeAndCrop(image).Pixels);
        }, iter: 300);
    }

    /// <summary>The recipe of METHODS 1.1 on the whole image, without vectors, and cropped at the end.</summary>
    private static byte[] PlainCrop(RgbImage image, int size, ResizeFilter filter)
    {
        var processor = new ClipImageProcessor(size, filter);
        (long width, long height) = processor.ResizedSides(image.Width, image.Height);
        byte[] narrow = PlainPass(image.Pixels, image.Height, image.Width, (int)width, 3, filter);
        byte[] both = PlainPass(narrow, 1, image.Height, (int)height, 3 * (int)width, filter);
        int left = (int)processor.CropStart(width);
        int top = (int)processor.CropStart(height);
        return [.. Enumerable.Range(0, size).SelectMany(y => both.AsSpan(3 * ((y + top) * (int)width + left), 3 * size).ToArray())];
    }

    /// <summary>Resizes the middle axis of outer × length × inner bytes.</summary>
    private static byte[] PlainPass(byte[] pixels, int outer, int length, int newLength, int inner, ResizeFilter filter)
    {
        var result = new byte[outer * newLength * inner];
        Resampler.Taps taps = Resampler.Prepare(length, newLength, 0, newLength, filter);
        for (int at = 0; at < result.Length; at++)
        {
            int o = at / inner / newLength;
            int i = at / inner % newLength;
            int sum = 1 << 21;
            for (int j = 0; j < taps.Counts[i]; j++)
            {
                sum += taps.WeightsOf(i)[j] * pixels[(o * length + taps.Starts[i] + j) * inner + at % inner];
            }

            result[at] = (byte)Math.Clamp(sum >> 22, 0, 255);
        }

        return result;
    }

    [Fact]
    public void Taps_AnySides_SumToOneWithinTheSource()
    {
        Gen.Select(Gen.Int[1, 3000], Gen.Int[1, 500], Gen.Enum<ResizeFilter>()).Sample((from, to, filter) =>
        {
            Resampler.Taps taps = Resampler.Prepare(from, to, 0, to, filter);
            for (int i = 0; i < to; i++)
            {
                Assert.InRange(taps.Starts[i], 0, from - 1);
                Assert.InRange(taps.Starts[i] + taps.Counts[i], 1, from);
                Assert.InRange(Math.Abs(taps.WeightsOf(i).ToArray().Sum() - (1 << 22)), 0, taps.Counts[i]);
            }
        }, iter: 200);
    }

    [Fact]
    public void ResizeAndCrop_OneColour_KeepsIt()
    {
        Gen.Select(Gen.Int[1, 300], Gen.Int[1, 300], Gen.Byte).Sample((width, height, value) =>
        {
            var pixels = new byte[3 * width * height];
            Array.Fill(pixels, value);
            Assert.All(new ClipImageProcessor(32).ResizeAndCrop(new RgbImage(width, height, pixels)).Pixels, p => Assert.Equal(value, p));
        }, iter: 100);
    }

    [Fact]
    public void ResizeAndCrop_AlreadyOfTheSize_LeavesThePixels()
    {
        RgbImage image = Noise(224, 224, 1);
        Assert.Equal(image.Pixels, new ClipImageProcessor().ResizeAndCrop(image).Pixels);
    }

    [Fact]
    public void ResizeAndCrop_MirroredImage_GivesTheMirroredCrop()
    {
        // Sides chosen so that nothing is left over on one side only.
        RgbImage image = Noise(96, 60, 3);
        RgbImage crop = new ClipImageProcessor(30).ResizeAndCrop(image);
        Assert.Equal(Mirror(crop).Pixels, new ClipImageProcessor(30).ResizeAndCrop(Mirror(image)).Pixels);
    }

    private static RgbImage Mirror(RgbImage image) =>
        new(image.Width, image.Height,
            [.. from i in Enumerable.Range(0, image.Pixels.Length)
                let x = i / 3 % image.Width
                select image.Pixels[i + 3 * (image.Width - 1 - 2 * x)]]);

    [Theory]
    [InlineData(1, 5000)]
    [InlineData(5000, 1)]
    [InlineData(1, 1)]
    [InlineData(1, 20_000_000)]
    public void Process_LineOfPixels_GivesFiniteValues(int width, int height)
    {
        float[] values = new ClipImageProcessor().Process(new RgbImage(width, height, new byte[3 * width * height]));
        float black = (0f - (float)ClipImageProcessor.ClipMean[0]) / (float)ClipImageProcessor.ClipStandardDeviation[0];
        Assert.All(values[..(224 * 224)], v => Assert.Equal(black, v));
    }

    [Fact]
    public void Process_OwnMeanAndDeviation_AreUsed()
    {
        var processor = new ClipImageProcessor(2, ResizeFilter.Bilinear, [0.5, 0.5, 0.25], [0.5, 0.25, 0.5]);
        float[] values = processor.Process(new RgbImage(1, 1, [255, 255, 0]));
        Assert.Equal([1f, 1f, 1f, 1f, 2f, 2f, 2f, 2f, -0.5f, -0.5f, -0.5f, -0.5f], values);
    }

    [Fact]
    public void Process_ManyThreads_GivesTheSameValues()
    {
        var processor = new ClipImageProcessor(64);
        RgbImage[] images = [.. Enumerable.Range(0, 40).Select(i => Noise(50 + 7 * i, 300 - 5 * i, i))];
        float[][] expected = [.. images.Select(processor.Process)];
        var actual = new float[images.Length][];
        Parallel.For(0, images.Length, i => actual[i] = processor.Process(images[i]));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Constructor_BadArguments_SaysWhatItExpects()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClipImageProcessor(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClipImageProcessor(filter: (ResizeFilter)9));
        Assert.Contains("three finite numbers", Assert.Throws<ArgumentException>(() => new ClipImageProcessor(mean: [0.5, 0.5])).Message, StringComparison.Ordinal);
        Assert.Contains("above 0", Assert.Throws<ArgumentException>(() => new ClipImageProcessor(standardDeviation: [1, 0, 1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Process_RoomOfAnotherLength_Throws()
    {
        var error = Assert.Throws<ArgumentException>(() => new ClipImageProcessor(8).Process(Noise(4, 4, 0), new float[100]));
        Assert.Contains("192", error.Message, StringComparison.Ordinal);
        Assert.Contains("100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RgbImage_PixelsThatDoNotFit_Throws()
    {
        Assert.Contains("2x3", Assert.Throws<ArgumentException>(() => new RgbImage(2, 3, new byte[17])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RgbImage(0, 3, []));
    }
}
