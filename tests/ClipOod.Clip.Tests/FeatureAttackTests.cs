using System.Text.Json;
using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class FeatureAttackTests : IDisposable
{
    private static readonly FeatureAttackOptions _short = new() { Steps = 30, LearningRate = 5e-3, BatchSize = 2 };

    private readonly ClipModel _model = ClipModel.Create(Words.Config, seed: 3);
    private readonly RgbImage[] _images = [.. Enumerable.Range(0, 5).Select(i => ClipEncodingTests.Noise(i, 16, 16))];
    private readonly RgbImage[] _targets = [.. Enumerable.Range(0, 5).Select(i => ClipEncodingTests.Noise(50 + i, 16, 16))];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void SmoothnessAndLoss_EqualTheGoldenValues()
    {
        JsonElement golden = References.Adversarial, inputs = golden.GetProperty("inputs"), expected = golden.GetProperty("expected");
        Graph graph = new("golden", ElementType.Double);
        Tensor perturbation = graph.Input("perturbation", ElementType.Double, "batch", 1, 3, 3);
        Tensor features = graph.Input("features", ElementType.Double, "pairs", 3), targets = graph.Input("targets", ElementType.Double, "pairs", 3);
        using Evaluator evaluator = new(
        [
            FeatureAttack.Smoothness(perturbation),
            FeatureAttack.Cosines(features, targets),
            FeatureAttack.Loss(features, targets, perturbation, inputs.GetProperty("lambda_smooth").GetDouble()),
            FeatureAttack.Loss(features, targets, perturbation, 0),
        ]);
        IReadOnlyList<TensorValue> values = evaluator.Run(
            ("perturbation", Numbers(inputs.GetProperty("perturbation"))),
            ("features", Numbers(inputs.GetProperty("feat_adv"))),
            ("targets", Numbers(inputs.GetProperty("feat_target"))));
        double[] cosines = Numbers(expected.GetProperty("cosines"));
        Assert.Equal(expected.GetProperty("smoothness").GetDouble(), values[0].ToDouble(), 1e-9);
        Assert.All(cosines.Zip(values[1].Values<double>()), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.Equal(expected.GetProperty("loss").GetDouble(), values[2].ToDouble(), 1e-7);
        Assert.Equal(-cosines.Average(), values[3].ToDouble(), 1e-9);
    }

    [Fact]
    public void Clamp_EqualsTheGoldenValues()
    {
        JsonElement golden = References.Adversarial, clamp = golden.GetProperty("inputs").GetProperty("clamp");
        Graph graph = new("golden", ElementType.Double);
        Tensor images = graph.Input("images", ElementType.Double, 4), perturbation = graph.Input("perturbation", ElementType.Double, 4);
        using Evaluator evaluator = new([FeatureAttack.Clamp(perturbation, images)]);
        double[] clamped = evaluator.Run(("images", Numbers(clamp.GetProperty("y"))), ("perturbation", Numbers(clamp.GetProperty("pert"))))[0].Values<double>();
        Assert.All(Numbers(golden.GetProperty("expected").GetProperty("clamped")).Zip(clamped), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }

    [Fact]
    public void Smoothness_HasTheGradientOfDifferences()
    {
        Graph graph = new("smoothness", ElementType.Double);
        Tensor perturbation = graph.Input("perturbation", ElementType.Double, "batch", 2, 3, 4);
        Tensor smoothness = FeatureAttack.Smoothness(perturbation);
        using Evaluator evaluator = new([smoothness, graph.Gradients(smoothness, perturbation)[0]]);
        Random random = new(1);
        double[] at = [.. Enumerable.Range(0, 48).Select(_ => random.NextDouble() - 0.5)];
        double[] gradient = evaluator.Run(("perturbation", at))[1].Values<double>();
        for (int i = 0; i < at.Length; i++)
        {
            double of(double step) => evaluator.Run(("perturbation", at.Select((value, j) => j == i ? value + step : value).ToArray()))[0].ToDouble();
            Assert.Equal((of(1e-4) - of(-1e-4)) / 2e-4, gradient[i], 1e-9);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_MovesFeaturesToTheirTargets(bool projected)
    {
        string before = _model.ModelHash;
        FeatureAttackResult result = FeatureAttack.Run(_model, _images, _targets, _short with { Projected = projected }, Stop);
        Assert.Equal((5, true), (result.Count, result.IsComplete));
        Assert.All(result.CosinesBefore.Zip(result.CosinesAfter), pair => Assert.True(pair.Second > pair.First + 0.02, $"{pair}"));
        Assert.All(result.Pixels, value => Assert.InRange(value, 0, 1));
        Assert.All(result.SquaredPerturbations, value => Assert.InRange(value, 1e-6, 0.15 * 0.15));
        Assert.Contains("5 images: mean cosine", result.ToString(), StringComparison.Ordinal);

        // The cosines are those of the model's own features, of the rounded images too.
        ClipEncoding encode(IReadOnlyList<RgbImage> images) => projected ? _model.EncodeImages(images, new() { Normalize = false }, Stop) : _model.EncodePooled(images, cancellation: Stop);
        ClipEncoding targets = encode(_targets), clean = encode(_images), rounded = encode([.. Enumerable.Range(0, 5).Select(result.Image)]);
        Assert.Equal(targets.Width, result.Width);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Cosine(clean.Row(i), targets.Row(i)), result.CosinesBefore[i], 1e-4);
            Assert.Equal(Cosine(rounded.Row(i), targets.Row(i)), result.CosinesRounded[i], 1e-4);
            Assert.Equal(Cosine(result.Features.AsSpan(i * result.Width, result.Width), targets.Row(i)), result.CosinesAfter[i], 1e-4);
        }

        _model.Refresh();
        Assert.Equal(before, _model.ModelHash);
    }

    [Fact]
    public void Run_EqualsAdamByHand()
    {
        // Two steps on one image, with the gradient of the model's own graph.
        FeatureAttackOptions options = new() { Steps = 2, LearningRate = 0.01, Smoothness = 3 };
        FeatureAttackResult start = FeatureAttack.Run(_model, _images[..1], _targets[..1], options with { Steps = 1, LearningRate = 1e-12 }, Stop);
        FeatureAttackResult result = FeatureAttack.Run(_model, _images[..1], _targets[..1], options, Stop);

        float[] clean = UnitPixels.Of(_images[..1], 16, "images");
        Tensor rgb = _model.Graph.Input("rgb", ElementType.Float, 1, 3, 16, 16), y = _model.Graph.Input("y", ElementType.Float, 1, 3, 16, 16), target = _model.Graph.Input("target", ElementType.Float, 1, 32);
        Tensor loss = FeatureAttack.Loss(_model.ImageTower.Pool(_model.ImageTower.Normalize(rgb)), target, rgb - y, options.Smoothness);
        using Evaluator gradient = new([_model.Graph.Gradients(loss, rgb)[0]]);
        float[] targetFeature = _model.EncodePooled(_targets[..1], cancellation: Stop).Values;
        double[] x = [.. start.Pixels.Select(value => (double)value)], m = new double[x.Length], v = new double[x.Length];
        for (int step = 1; step <= 2; step++)
        {
            float[] g = gradient.Run(("rgb", x.Select(value => (float)value).ToArray()), ("y", clean), ("target", targetFeature))[0].Values<float>();
            for (int i = 0; i < x.Length; i++)
            {
                m[i] = (0.9 * m[i]) + (0.1 * g[i]);
                v[i] = (0.999 * v[i]) + (0.001 * (double)g[i] * g[i]);
                x[i] = Math.Clamp(x[i] - (0.01 * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step))) + 1e-8)), 0, 1);
            }
        }

        // A gradient near 0 has a sign that rounding decides, and so a step of either sign.
        Assert.InRange(x.Zip(result.Pixels).Count(pair => Math.Abs(pair.First - pair.Second) > 1e-4), 0, x.Length / 100);
    }

    [Fact]
    public void Run_WithSmoothing_GivesSmootherPerturbations()
    {
        double roughness(FeatureAttackOptions options)
        {
            FeatureAttackResult result = FeatureAttack.Run(_model, _images, _targets, options, Stop);
            float[] clean = UnitPixels.Of(_images, 16, "images");
            float[] delta = [.. result.Pixels.Zip(clean, (a, b) => a - b)];
            return Enumerable.Range(0, delta.Length - 1).Where(i => i % 16 < 15).Average(i => Math.Pow(delta[i + 1] - delta[i], 2));
        }

        Assert.True(roughness(_short with { Smoothness = 5000 }) < roughness(_short) / 4);
    }

    [Fact]
    public void Run_WithTheSameSeed_GivesTheSameImages()
    {
        FeatureAttackOptions options = _short with { Steps = 3 };
        float[] first = FeatureAttack.Run(_model, _images, _targets, options, Stop).Pixels;
        Assert.Equal(first, FeatureAttack.Run(_model, _images, _targets, options, Stop).Pixels);
        Assert.NotEqual(first, FeatureAttack.Run(_model, _images, _targets, options with { Seed = 1 }, Stop).Pixels);
    }

    [Fact]
    public void Run_Cancelled_KeepsFinishedBatches()
    {
        FeatureAttackOptions options = _short with { Steps = 4 };
        List<FeatureAttackProgress> told = [];
        FeatureAttackResult whole = FeatureAttack.Run(_model, _images, _targets, options with { Progress = new Listener(told.Add) }, Stop);
        Assert.Equal(4 + 4 + 4, told.Count);
        Assert.Equal((5, 4), (told[^1].Done, told[^1].Step));
        Assert.Contains("5 of 5 images, step 4 of 4, loss", told[^1].ToString(), StringComparison.Ordinal);

        using CancellationTokenSource cancellation = new();
        FeatureAttackResult part = FeatureAttack.Run(
            _model, _images, _targets,
            options with { Progress = new Listener(step => { if (step is { Done: 2, Step: 1 }) { cancellation.Cancel(); } }) },
            cancellation.Token);
        Assert.Equal((2, 5, false), (part.Count, part.Total, part.IsComplete));
        Assert.Equal(whole.Pixels[..part.Pixels.Length], part.Pixels);
        Assert.StartsWith("cancelled: 2 of 5 images", part.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-0.01f)]
    [InlineData(1.5f)]
    [InlineData(float.NaN)]
    public void Run_OfValuesOutsideTheRange_NamesTheImage(float value)
    {
        float[] images = new float[2 * 3 * 16 * 16];
        images[800] = value;
        ArgumentException error = Assert.Throws<ArgumentException>("images", () => FeatureAttack.Run(_model, images, new float[images.Length], _short, Stop));
        Assert.Contains("Image 1 has the value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfBadInput_SaysWhatIsWrong()
    {
        RgbImage large = ClipEncodingTests.Noise(1, 20, 16);
        Assert.Contains("Image 0 has 20 x 16 pixels, expected 16 x 16", Assert.Throws<ArgumentException>("targets", () => FeatureAttack.Run(_model, _images[..1], [large], _short, Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("Got 1 targets for 2 images", Assert.Throws<ArgumentException>("targets", () => FeatureAttack.Run(_model, _images[..2], _targets[..1], _short, Stop)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("images", () => FeatureAttack.Run(_model, [], Array.Empty<RgbImage>(), _short, Stop));
        Assert.Throws<ArgumentOutOfRangeException>("Steps", () => FeatureAttack.Run(_model, _images, _targets, _short with { Steps = 0 }, Stop));
        Assert.Throws<ArgumentOutOfRangeException>("Smoothness", () => FeatureAttack.Run(_model, _images, _targets, _short with { Smoothness = -1 }, Stop));
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.CosineSimilarity(a, b);

    private static double[] Numbers(JsonElement array) =>
        [.. array.EnumerateArray().SelectMany(e => e.ValueKind == JsonValueKind.Array ? Numbers(e) : [e.GetDouble()])];

    private sealed class Listener(Action<FeatureAttackProgress> told) : IProgress<FeatureAttackProgress>
    {
        public void Report(FeatureAttackProgress value) => told(value);
    }
}
