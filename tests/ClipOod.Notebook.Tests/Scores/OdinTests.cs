using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

public sealed class OdinTests
{
    private static readonly ClipConfig _config = new()
    {
        EmbeddingWidth = 16,
        ImageSize = 16,
        PatchSize = 8,
        Vision = new(32, 2, 2, 128),
        ContextLength = 12,
        VocabularySize = 600,
        Text = new(32, 2, 2, 128),
        Activation = ClipActivation.Gelu,
    };

    [Fact]
    public void Gradient_OfARandomModel_EqualsFiniteDifferences()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        AssertGradient(model);
    }

    [Fact]
    public void Gradient_OfTheReferenceModel_EqualsFiniteDifferences()
    {
        string? folder = Environment.GetEnvironmentVariable("CLIPOOD_CLIP_GOLDEN");
        Assert.SkipUnless(folder is not null, "CLIPOOD_CLIP_GOLDEN is unset: it names the folder of reference values for CLIP itself (clip-golden).");

        // The tokenizer beside it is of another model.
        using TemporaryFolder own = new();
        string path = Path.Combine(own.Path, "tiny-openai.safetensors");
        File.Copy(Path.Combine(folder!, "tiny-openai.safetensors"), path);
        using ClipModel model = ClipModel.Load(path, ClipActivation.QuickGelu);
        AssertGradient(model);
    }

    [Fact]
    public void Perturb_MovesEachPixelDownItsGradientByEpsilonOverTheDeviation()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        using Odin odin = new(model, Texts(16), new() { Epsilon = 0.01, BatchSize = 2 });
        float[] pixels = Pixels(model, 3);
        float[] moved = odin.Perturb(pixels);
        float[] gradient = odin.Gradient(pixels).Gradient;
        int plane = 16 * 16;
        for (int i = 0; i < pixels.Length; i++)
        {
            double step = 0.01 / _config.ImageStandardDeviation[i / plane % 3];
            Assert.Equal(pixels[i] - (step * Math.Sign(gradient[i])), moved[i], 1e-5);
        }
    }

    [Fact]
    public void Score_AfterTheStep_IsHigherThanWithoutIt()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        float[] pixels = Pixels(model, 5);
        using Odin odin = new(model, Texts(16), new() { Temperature = 10, BatchSize = 2 });
        using Odin still = new(model, Texts(16), new() { Temperature = 10, Epsilon = 0 });
        IdScores with = odin.Score(pixels);
        IdScores without = still.Score(pixels);
        Assert.Equal(5, with.Count);
        Assert.All(with.Zip(without), pair => Assert.True(pair.First > pair.Second));
    }

    [Fact]
    public void Score_OfPictures_IsThatOfTheirPixels_WhateverTheBatch()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        RgbImage[] images = [.. Enumerable.Range(0, 5).Select(Picture)];
        float[] pixels = [.. images.SelectMany(model.ImageProcessor.Process)];
        using Odin small = new(model, Texts(16), new() { Temperature = 10, BatchSize = 2 });
        using Odin large = new(model, Texts(16), new() { Temperature = 10 });
        Golden.AssertClose(large.Score(pixels).ToArray(), small.Score(images).ToArray(), 1e-6);
    }

    [Fact]
    public void Score_WithoutAStep_IsMcmAtTheTemperatureOverTheScale()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        RgbImage[] images = [.. Enumerable.Range(0, 4).Select(Picture)];
        Embeddings features = new(4, 16, model.EncodeImages(images, cancellation: TestContext.Current.CancellationToken).Values);
        using Odin odin = new(model, Texts(16), new() { Epsilon = 0 });
        double[] expected = Scores.Mcm(Similarity.Cosines(features, Texts(16)), 10).ToArray();
        Golden.AssertClose(expected, odin.Score(images).ToArray(), 1e-6);
        Golden.AssertClose(expected, Odin.ScoreFeatures(features, Texts(16), new() { Epsilon = 0 }).ToArray(), 1e-6);
    }

    [Fact]
    public void ScoreFeatures_MovesTheFeatureDownTheLoss()
    {
        Embeddings images = Rows(6, 16, seed: 8);
        Embeddings texts = Texts(16);
        OdinOptions options = new() { Temperature = 10, Epsilon = 0.01 };
        IdScores moved = Odin.ScoreFeatures(images, texts, options);
        Assert.Contains("substitute", moved.Name, StringComparison.Ordinal);
        Assert.All(moved.Zip(Odin.ScoreFeatures(images, texts, options with { Epsilon = 0 })), pair => Assert.True(pair.First > pair.Second));

        // The sign of each component, by finite differences of the loss through the normalisation.
        double Loss(double[] f)
        {
            Matrix cosines = Similarity.Cosines(Embeddings.FromRows(f).Normalized(), texts);
            return -Math.Log(Scores.Msp(cosines.Scale(10)).Single());
        }

        double[] first = [.. images[0].ToArray().Select(v => (double)v)];
        double[] stepped = [.. first.Select((value, d) =>
        {
            double up = Loss([.. first.Select((v, j) => j == d ? v + 0.01 : v)]);
            double down = Loss([.. first.Select((v, j) => j == d ? v - 0.01 : v)]);
            return value - (0.01 * Math.Sign(up - down));
        })];
        Assert.Equal(Math.Exp(-Loss(stepped)), moved[0], 1e-5);
    }

    [Fact]
    public void Odin_OfWhatDoesNotFit_SaysWhat()
    {
        using ClipModel model = ClipModel.Create(_config, seed: 4);
        Assert.Contains("width 8, expected 16", Assert.Throws<ArgumentException>(() => new Odin(model, Texts(8))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Odin(model, Texts(16), new() { Epsilon = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Odin(model, Texts(16), new() { Temperature = 0 }));
        using Odin odin = new(model, Texts(16));
        Assert.Contains("3 x 16 x 16", Assert.Throws<ArgumentException>(() => odin.Score(new float[100])).Message, StringComparison.Ordinal);
    }

    /// <summary>Directional derivatives along random directions, and along the step itself, against differences of the loss.</summary>
    private static void AssertGradient(ClipModel model)
    {
        using Odin odin = new(model, Texts(model.Width), new() { Temperature = 10 });
        float[] pixels = Pixels(model, 2);
        (float[] gradient, double loss) = odin.Gradient(pixels);
        Assert.True(loss > 0);
        double norm = Math.Sqrt(gradient.Sum(value => (double)value * value));
        Assert.True(norm > 1e-3, $"gradient of norm {norm}");
        Random random = new(11);
        for (int trial = 0; trial < 6; trial++)
        {
            double[] direction = [.. gradient.Select(value => trial == 0 ? Math.Sign(value) : (random.NextDouble() - 0.5) + (value / norm))];
            double length = Math.Sqrt(direction.Sum(value => value * value));
            double expected = gradient.Zip(direction, (g, d) => g * d / length).Sum();
            const double Step = 0.02;
            double up = odin.Gradient(Moved(Step)).Loss;
            double down = odin.Gradient(Moved(-Step)).Loss;
            Assert.Equal(expected, (up - down) / (2 * Step), 0.01 * norm);

            float[] Moved(double step) => [.. pixels.Zip(direction, (p, d) => (float)(p + (step * d / length)))];
        }
    }

    private static float[] Pixels(ClipModel model, int count)
    {
        Random random = new(7);
        return [.. Enumerable.Range(0, count * model.ImageProcessor.ValueCount).Select(_ => (float)((4 * random.NextDouble()) - 2))];
    }

    private static RgbImage Picture(int seed)
    {
        byte[] values = new byte[3 * 16 * 16];
        new Random(seed).NextBytes(values);
        return new RgbImage(16, 16, values);
    }

    private static Embeddings Texts(int width) => Rows(5, width, seed: 9);

    private static Embeddings Rows(int rows, int width, int seed)
    {
        Random random = new(seed);
        return new Embeddings(rows, width, Enumerable.Range(0, rows * width).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray()).Normalized();
    }
}
