using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipnTrainerTests : IDisposable
{
    private const int Batch = 8;

    private static readonly string[] _names = [.. Enumerable.Range(0, Batch).Select(i => $"{(char)('a' + i)} cat")];
    private static readonly string[] _templates = ["a {}", "the {} dog"];

    private readonly TemporaryFolder _folder = new();
    private readonly ClipModel _model = ClipModel.Create(Words.Config, seed: 2, Words.Tokenizer);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Step_First_HasTheLossesOfEqualTowers()
    {
        using ClipnTrainer trainer = new(_model);
        ClipnLossValues first = trainer.Step(Features(), _names);
        Assert.Equal(2 * Math.Log(2), first.Itbo, 1e-4);
        Assert.Equal(1.99, first.Tso, 1e-3);
        Assert.Equal(0.5 * (first.Itbo + first.Tso), first.Total, 1e-12);
        Assert.Equal(1, trainer.Updates);
    }

    [Fact]
    public void Train_LearnsTheNoTowerAndNothingElse()
    {
        string before = _model.ModelHash;
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 3e-3, Seed = 1 });
        List<long> steps = [];
        IReadOnlyList<ClipnLossValues> history = trainer.Train(Features(), _names, 40, 4, (step, _) => steps.Add(step), TestContext.Current.CancellationToken);
        Assert.Equal(41, history.Count);
        Assert.Equal(2 * Math.Log(2), history[0].Itbo, 1e-4);
        Assert.True(history[^1].Total < 0.8 * history[0].Total, $"{history[0]} to {history[^1]}");
        Assert.Equal(Enumerable.Range(0, 80).Select(step => (long)step), steps);
        Assert.Equal(0, trainer.LearningRate, 1e-12);
        Assert.Contains("TotalSteps", Assert.Throws<InvalidOperationException>(
            () => trainer.Train(Features(), _names, 1, 4, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains(trainer.NoTower.Prompts.Value.Values<float>(), value => value != 0);
        _model.Refresh();
        Assert.Equal(before, _model.ModelHash);
    }

    [Fact]
    public void Train_WithTheSameSeed_LearnsTheSame()
    {
        double[] Losses(int seed)
        {
            using ClipModel model = ClipModel.Create(Words.Config, seed: 2, Words.Tokenizer);
            using ClipnTrainer trainer = new(model, options: new() { LearningRate = 3e-3, Seed = seed });
            return [.. trainer.Train(Features(), _names, 3, 4, cancellation: TestContext.Current.CancellationToken).Select(losses => losses.Total)];
        }

        double[] first = Losses(5);
        Assert.All(first.Zip(Losses(5)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        Assert.NotEqual(first[^1], Losses(6)[^1], 1e-6);
    }

    [Fact]
    public void StepPixels_GivesTheLossesOfTheirFeatures()
    {
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 0 });
        Assert.Equal(trainer.Step(Features(), _names).Total, trainer.StepPixels(Pixels(), _names).Total, 1e-4);
    }

    [Fact]
    public void Step_WithNegatedTemplates_LearnsTheTowerAlone()
    {
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 3e-3, Templates = [new("a {}", "no {}"), new("the {}", "the no {}")] });
        ClipnLossValues first = trainer.Step(Features(), _names);
        ClipnLossValues last = first;
        for (int step = 0; step < 40; step++)
        {
            last = trainer.Step(Features(), _names);
        }

        Assert.True(last.Total < 0.8 * first.Total, $"{first} to {last}");
        Assert.All(trainer.NoTower.Prompts.Value.Values<float>(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Step_WithKeywords_LearnsTheirPlacesAlone()
    {
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 3e-3, Templates = [new("a {}", "a dog {}", "dog"), new("a {}", "b dog {}", "dog")] });
        for (int step = 0; step < 5; step++)
        {
            trainer.Step(Features(), _names);
        }

        // The start token, one token before the keyword, and the one of "dog".
        int width = Words.Config.Text.Width;
        float[] prompts = trainer.NoTower.Prompts.Value.Values<float>();
        int[] learned = [.. Enumerable.Range(0, prompts.Length).Where(i => prompts[i] != 0).Select(i => i / width % _model.ContextLength).Distinct()];
        Assert.Equal([2], learned);
    }

    [Fact]
    public void EncodeNoClasses_BeforeTraining_GivesTheClassesOfTheTextTower()
    {
        ClipNoTextTower no = ClipNoTextTower.CopyOf(_model, prompts: 3);
        ClipEncoding yes = _model.EncodeClasses(_names, _templates, cancellation: TestContext.Current.CancellationToken);
        foreach (ClipnPromptAveraging averaging in Enum.GetValues<ClipnPromptAveraging>())
        {
            ClipEncoding encoded = no.EncodeNoClasses(_names, _templates, averaging, cancellation: TestContext.Current.CancellationToken);
            Close(yes.Values, encoded.Values);
            Assert.True(encoded.IsNormalized);
            Assert.Equal(_names, encoded.Sources);
            Assert.NotEqual(yes.ModelHash, encoded.ModelHash);
        }
    }

    [Fact]
    public void EncodeNoClasses_OfLearnedPrompts_AveragesWhereItIsTold()
    {
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 1e-2 });
        trainer.Train(Features(), _names, 20, Batch, cancellation: TestContext.Current.CancellationToken);

        // By hand, on whole rows: every template's feature, then the ensemble of the two.
        ClipNoTextTower no = trainer.NoTower;
        string[] texts = [.. PromptTemplates.FillAll(_templates, _names)];
        long[] ids = [.. Words.Tokenizer.EncodeRows(texts, _model.ContextLength).Cast<int>().Select(id => (long)id)];
        Tensor mixture = _model.Graph.Input("by hand", ElementType.Float, "batch", 16);
        using Evaluator evaluator = new([no.Encode(_model.Ids, mixture), no.Encode(_model.Ids)]);
        float[] after = new float[texts.Length * _model.Width];
        float[] before = [];
        for (int prompt = 0; prompt < 16; prompt++)
        {
            float[] weights = new float[texts.Length * 16];
            for (int row = 0; row < texts.Length; row++)
            {
                weights[(row * 16) + prompt] = 1;
            }

            IReadOnlyList<TensorValue> values = evaluator.Run((_model.Ids.Name, ids), (mixture.Name, weights));
            before = values[1].Values<float>();
            after = [.. after.Zip(values[0].Values<float>(), (sum, value) => sum + (value / 16))];
        }

        Close(Ensemble(before), Encoded(ClipnPromptAveraging.BeforeEncoder));
        Close(Ensemble(after), Encoded(ClipnPromptAveraging.AfterEncoder));
        Assert.NotEqual(Encoded(ClipnPromptAveraging.BeforeEncoder), Encoded(ClipnPromptAveraging.AfterEncoder));

        float[] Encoded(ClipnPromptAveraging averaging) =>
            no.EncodeNoClasses(_names, _templates, averaging, new() { BatchSize = 3 }, TestContext.Current.CancellationToken).Values;
    }

    [Fact]
    public void Save_OfTheTrainedTower_LoadsWithTheSameClasses()
    {
        string path = Path.Combine(_folder.Path, "no.safetensors");
        float[] expected;
        using (ClipnTrainer trainer = new(_model, options: new() { LearningRate = 1e-2 }))
        {
            trainer.Train(Features(), _names, 5, Batch, cancellation: TestContext.Current.CancellationToken);
            trainer.NoTower.Save(path);
            expected = trainer.NoTower.EncodeNoClasses(_names, _templates, cancellation: TestContext.Current.CancellationToken).Values;
        }

        using ClipModel again = ClipModel.Create(Words.Config, seed: 2, Words.Tokenizer);
        ClipNoTextTower loaded = ClipNoTextTower.Load(again, path);
        Close(expected, loaded.EncodeNoClasses(_names, _templates, cancellation: TestContext.Current.CancellationToken).Values);
    }

    [Fact]
    public void Train_AfterTraining_PrefersYesForItsOwnAndNoForOthers()
    {
        // Features that lie apart, as a trained image tower's do; those of the random tower hardly differ.
        using ClipnTrainer trainer = new(_model, options: new() { LearningRate = 3e-3 });
        Random random = new(4);
        float[] features = [.. Enumerable.Range(0, Batch * _model.Width).Select(_ => (float)(random.NextDouble() - 0.5))];
        trainer.Train(features, _names, 150, Batch, cancellation: TestContext.Current.CancellationToken);
        string[] plain = ["{}"];
        ClipEncoding yes = _model.EncodeClasses(_names, plain, cancellation: TestContext.Current.CancellationToken);
        ClipEncoding no = trainer.NoTower.EncodeNoClasses(_names, plain, cancellation: TestContext.Current.CancellationToken);
        int right = 0;
        for (int i = 0; i < Batch; i++)
        {
            ReadOnlySpan<float> image = features.AsSpan(i * _model.Width, _model.Width);
            for (int j = 0; j < Batch; j++)
            {
                right += Dot(image, no.Row(j)) > Dot(image, yes.Row(j)) == (i != j) ? 1 : 0;
            }
        }

        Assert.InRange(right, 61, 64);
    }

    [Fact]
    public void Constructor_WithWhatDoesNotFit_SaysWhat()
    {
        using ClipModel silent = ClipModel.Create(Words.Config, seed: 2);
        Assert.Contains("no tokenizer", Assert.Throws<ArgumentException>(() => new ClipnTrainer(silent)).Message, StringComparison.Ordinal);
        Assert.Contains("another model", Assert.Throws<ArgumentException>(() => new ClipnTrainer(_model, ClipNoTextTower.CopyOf(silent))).Message, StringComparison.Ordinal);
        Assert.Contains("in all of them or in none", Templates(new("{}", "no {}", "no"), new("{}", "no {}")).Message, StringComparison.Ordinal);
        Assert.Contains("before {}", Templates(new ClipnTemplate("{}", "no {}", "without")).Message, StringComparison.Ordinal);
        Assert.Contains("exactly once", Templates(new ClipnTemplate("a", "no {}")).Message, StringComparison.Ordinal);
        Assert.Contains("expected one place", Templates(new("{}", "no {}", "no"), new("{}", "a no {}", "no")).Message, StringComparison.Ordinal);

        ArgumentException Templates(params ClipnTemplate[] templates) =>
            Assert.Throws<ArgumentException>(() => new ClipnTrainer(_model, options: new() { Templates = templates }));
    }

    [Fact]
    public void Step_WithTooFewImages_SaysBothCounts()
    {
        using ClipnTrainer trainer = new(_model);
        Assert.Contains("expected 8 captions x 16", Assert.Throws<ArgumentException>(() => trainer.Step(new float[32], _names)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "a batch of 9", Assert.Throws<ArgumentException>(() => trainer.Train(Features(), _names, 1, 9, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private float[] Pixels() =>
        [.. Enumerable.Range(0, Batch).SelectMany(i => _model.ImageProcessor.Process(ClipEncodingTests.Noise(i, 16, 16)))];

    private float[] Features()
    {
        RgbImage[] images = [.. Enumerable.Range(0, Batch).Select(i => ClipEncodingTests.Noise(i, 16, 16))];
        return _model.EncodeImages(images, cancellation: TestContext.Current.CancellationToken).Values;
    }

    /// <summary>Pairs of rows normalised, summed, normalised.</summary>
    private float[] Ensemble(float[] features)
    {
        double[][] unit = [.. features.Chunk(_model.Width).Select(row => Unit([.. row.Select(value => (double)value)]))];
        return [.. unit.Chunk(2).SelectMany(pair => Unit([.. pair[0].Zip(pair[1], (a, b) => a + b)])).Select(value => (float)value)];
    }

    private static double[] Unit(double[] row)
    {
        double norm = Math.Sqrt(row.Sum(value => value * value));
        return [.. row.Select(value => value / norm)];
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-5f));
    }
}
