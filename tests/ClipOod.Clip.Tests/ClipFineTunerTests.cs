namespace ClipOod.Clip.Tests;

public sealed class ClipFineTunerTests : IDisposable
{
    private const int Classes = 3;

    private static readonly FineTuneOptions _short = new() { Epochs = 20, BatchSize = 8, LearningRate = 2e-3, LabelSmoothing = 0 };

    private readonly ClipModel _model = ClipModel.Create(Words.Config, seed: 3, Words.Tokenizer);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Train_OnColours_LearnsThemAndLeavesTheModelAsItIs()
    {
        (RgbImage[] images, int[] labels) = Colours(30, seed: 1);
        string before = _model.ModelHash;
        float[] features = _model.EncodePooled(images, cancellation: Stop).Values;
        List<FineTuneEpoch> told = [];
        using FineTunedClip tuned = ClipFineTuner.Train(_model, images, labels, Classes, _short, told.Add, Stop);

        Assert.Equal(Enumerable.Range(1, 20), tuned.History.Select(epoch => epoch.Epoch));
        Assert.Equal(tuned.History, told);
        Assert.InRange(tuned.History[0].MeanLoss, 0.5, 1.8);
        Assert.InRange(tuned.History[^1].MeanLoss, 0, 0.2);
        Assert.Equal(1, tuned.History[^1].Accuracy);
        (RgbImage[] others, int[] expected) = Colours(30, seed: 2);
        Assert.Equal(expected, Best(tuned.EncodeLogits(others, cancellation: Stop)));

        _model.Refresh();
        Assert.Equal(before, _model.ModelHash);
        Assert.Equal(features, _model.EncodePooled(images, cancellation: Stop).Values);
        Assert.NotEqual(before, tuned.Model.ModelHash);
        Assert.NotEqual(features, tuned.EncodePooled(images, cancellation: Stop).Values);
    }

    [Fact]
    public void Train_LearnsTheWholeTowerButNoText()
    {
        (RgbImage[] images, int[] labels) = Colours(9, seed: 1);
        using FineTunedClip tuned = ClipFineTuner.Train(_model, images, labels, Classes, _short with { Epochs = 2 }, cancellation: Stop);
        foreach ((string name, Autodiff.Weight weight) in _model.ImageTower.Weights)
        {
            float[] after = tuned.Model.ImageTower.Weights[name].Value.Values<float>();
            Assert.Equal(name == "visual.proj", weight.Value.Values<float>().SequenceEqual(after));
        }

        Assert.Equal(_model.EncodeTexts(["a cat"], cancellation: Stop).Values, tuned.Model.EncodeTexts(["a cat"], cancellation: Stop).Values);

        // The result is a model like any other and can be trained on.
        using ClipTrainer trainer = new(tuned.Model);
        float[] pixels = [.. images[..2].SelectMany(_model.ImageProcessor.Process)];
        Assert.True(double.IsFinite(trainer.Step(pixels, Words.Tokenizer.EncodeRows(["a cat", "dog"], _model.ContextLength))));
    }

    [Fact]
    public void Train_TheFirstLoss_IsThatOfTheStartWithSmoothing()
    {
        // At the start: logits of the pooled features under N(0, 0.02) weights; one step at rate 0 tells their loss.
        (RgbImage[] images, int[] labels) = Colours(8, seed: 1);
        FineTuneOptions options = new() { Epochs = 1, WarmUpFraction = 0.99, LearningRate = 1e-12, FinalLearningRate = 0, LabelSmoothing = 0.3, WeightDecay = 0 };
        using FineTunedClip tuned = ClipFineTuner.Train(_model, images, labels, Classes, options, cancellation: Stop);
        ClipEncoding logits = tuned.EncodeLogits(images, cancellation: Stop);
        double expected = Enumerable.Range(0, 8).Average(i =>
        {
            double[] z = [.. logits.Row(i).ToArray().Select(value => (double)value)];
            double total = Math.Log(z.Sum(Math.Exp));
            return Enumerable.Range(0, Classes).Sum(k => (0.1 + (k == labels[i] ? 0.7 : 0)) * (total - z[k]));
        });
        Assert.Equal(expected, tuned.History[0].MeanLoss, 1e-4);
        Assert.Equal(labels.Zip(Best(logits), (a, b) => a == b).Count(same => same) / 8.0, tuned.History[0].Accuracy);
    }

    [Fact]
    public void Train_WithTheSameSeed_GivesTheSameWeights()
    {
        (RgbImage[] images, int[] labels) = Colours(10, seed: 1);
        FineTuneOptions options = _short with { Epochs = 2 };
        using FineTunedClip first = ClipFineTuner.Train(_model, images, labels, Classes, options, cancellation: Stop);
        using FineTunedClip second = ClipFineTuner.Train(_model, images, labels, Classes, options, cancellation: Stop);
        using FineTunedClip other = ClipFineTuner.Train(_model, images, labels, Classes, options with { Seed = 1 }, cancellation: Stop);
        Assert.Equal(first.Weight.ToArray(), second.Weight.ToArray());
        Assert.Equal(first.Model.ModelHash, second.Model.ModelHash);
        Assert.NotEqual(first.Weight.ToArray(), other.Weight.ToArray());
    }

    [Fact]
    public void Train_Cancelled_Stops()
    {
        (RgbImage[] images, int[] labels) = Colours(10, seed: 1);
        using CancellationTokenSource cancellation = new();
        int epochs = 0;
        Assert.Throws<OperationCanceledException>(() => ClipFineTuner.Train(_model, images, labels, Classes, _short, _ => { epochs++; cancellation.Cancel(); }, cancellation.Token));
        Assert.Equal(1, epochs);
    }

    [Fact]
    public void Train_OfBadInput_SaysWhatIsWrong()
    {
        (RgbImage[] images, int[] labels) = Colours(3, seed: 1);
        Assert.Contains("Got 2 labels for 3 images", Message(() => ClipFineTuner.Train(_model, images, labels[..2], Classes, cancellation: Stop)), StringComparison.Ordinal);
        Assert.Contains("Label 2 is 2, expected 0 to 1", Message(() => ClipFineTuner.Train(_model, images, labels, 2, cancellation: Stop)), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("LabelSmoothing", () => ClipFineTuner.Train(_model, images, labels, Classes, new() { LabelSmoothing = 1 }, cancellation: Stop));

        static string Message(Func<object> train) => Assert.Throws<ArgumentException>(train).Message;
    }

    [Fact]
    public void Logits_OfNormalisedFeatures_AreRefused()
    {
        (RgbImage[] images, int[] labels) = Colours(3, seed: 1);
        using FineTunedClip tuned = ClipFineTuner.Train(_model, images, labels, Classes, _short with { Epochs = 1 }, cancellation: Stop);
        Assert.Contains("normalised features of width 16, expected 32", Assert.Throws<ArgumentException>(() => tuned.Logits(_model.EncodeImages(images, cancellation: Stop))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EncodePooled_TimesTheProjection_IsTheImageFeature()
    {
        RgbImage[] images = [.. Enumerable.Range(0, 5).Select(i => ClipEncodingTests.Noise(i, 20, 24))];
        ClipEncoding pooled = _model.EncodePooled(images, new() { BatchSize = 2 }, Stop);
        ClipEncoding features = _model.EncodeImages(images, new() { Normalize = false }, Stop);
        Assert.Equal((5, 32, false), (pooled.Count, pooled.Width, pooled.IsNormalized));
        float[] projection = _model.ImageTower.Weights["visual.proj"].Value.Values<float>();
        for (int i = 0; i < 5; i++)
        {
            for (int j = 0; j < features.Width; j++)
            {
                double expected = Enumerable.Range(0, 32).Sum(k => (double)pooled.Row(i)[k] * projection[(k * features.Width) + j]);
                Assert.Equal(expected, features.Row(i)[j], 1e-4);
            }
        }
    }

    [Fact]
    public void EncodePooled_OfFilesThatFail_ReportsThem()
    {
        ClipEncoding pooled = _model.EncodePooled(["gone.png"], cancellation: Stop);
        Assert.Equal((0, 32), (pooled.Count, pooled.Width));
        Assert.Equal("gone.png", Assert.Single(pooled.Failures).Path);
    }

    [Fact]
    public void Copy_IsAModelOfItsOwn()
    {
        using ClipModel copy = _model.Copy();
        Assert.Equal(_model.ModelHash, copy.ModelHash);
        Autodiff.Weight bias = copy.ImageTower.Weights["visual.ln_post.bias"];
        bias.Value = Autodiff.TensorValue.Of(new float[bias.Count], bias.Count);
        copy.ImageTower.Weights["visual.ln_post.weight"].Value = bias.Value;
        copy.Refresh();
        Assert.NotEqual(_model.ModelHash, copy.ModelHash);
        Assert.All(copy.EncodePooled([ClipEncodingTests.Noise(1, 16, 16)], cancellation: Stop).Values, value => Assert.Equal(0, value));
    }

    private static int[] Best(ClipEncoding logits) =>
        [.. Enumerable.Range(0, logits.Count).Select(i => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits.Row(i)))];

    /// <summary>Noisy pictures that are reddish, greenish or bluish.</summary>
    private static (RgbImage[] Images, int[] Labels) Colours(int count, int seed)
    {
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        return ([.. labels.Select((label, i) =>
        {
            byte[] pixels = ClipEncodingTests.Noise((seed * 1000) + i, 16, 16).Pixels;
            return new RgbImage(16, 16, [.. pixels.Select((value, j) => j % 3 == label ? (byte)(128 + (value / 2)) : value)]);
        })], labels);
    }
}
