using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipTrainerTests : IDisposable
{
    private const int Batch = 8;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Step_FromScratch_LearnsToTellEightPairsApart()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2, Words.Tokenizer);
        (float[] pixels, int[,] tokens, RgbImage[] images, string[] captions) = Pairs(model);
        using ClipTrainer trainer = new(model, new AdamW(2e-3));
        double first = trainer.Step(pixels, tokens);
        Assert.InRange(first, Math.Log(Batch) - 0.7, Math.Log(Batch) + 1.5);
        double last = first;
        for (int step = 0; step < 60; step++)
        {
            last = trainer.Step(pixels, tokens);
        }

        Assert.InRange(last, 0, 0.3);
        Assert.Equal(61, trainer.Updates);

        // Encoding sees what was learned.
        ClipEncoding image = model.EncodeImages(images, cancellation: TestContext.Current.CancellationToken);
        ClipEncoding text = model.EncodeTexts(captions, cancellation: TestContext.Current.CancellationToken);
        int[] best = [.. Enumerable.Range(0, Batch).Select(i => Enumerable.Range(0, Batch).MaxBy(j => Dot(image.Row(i), text.Row(j))))];
        Assert.Equal(Enumerable.Range(0, Batch), best);
    }

    [Fact]
    public void LoadCheckpoint_InANewTrainer_GoesOnWithTheSameLosses()
    {
        string path = Path.Combine(_folder.Path, "checkpoint.safetensors");
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        using ClipTrainer trainer = new(model, options: new() { Schedule = Schedule.Cosine(20, 3) });
        for (int step = 0; step < 4; step++)
        {
            trainer.Step(pixels, tokens);
        }

        trainer.SaveCheckpoint(path);
        double[] expected = [.. Enumerable.Range(0, 4).Select(_ => trainer.Step(pixels, tokens))];

        using ClipModel again = ClipModel.Create(Words.Config, seed: 9);
        using ClipTrainer resumed = new(again, options: new() { Schedule = Schedule.Cosine(20, 3) });
        resumed.LoadCheckpoint(path);
        Assert.Equal(4, resumed.Updates);
        double[] actual = [.. Enumerable.Range(0, 4).Select(_ => resumed.Step(pixels, tokens))];
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));

        // A checkpoint is a model, too.
        using ClipModel loaded = ClipModel.Load(path);
        Assert.Equal(Words.Config.Vision, loaded.Config.Vision);
        Assert.Equal(["checkpoint.safetensors"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void LoadCheckpoint_OfAnotherOptimizer_ListsWhatIsMissing()
    {
        string path = Path.Combine(_folder.Path, "checkpoint.safetensors");
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        using (ClipTrainer plain = new(model, new Sgd(0.1)))
        {
            plain.SaveCheckpoint(path);
        }

        using ClipModel again = ClipModel.Create(Words.Config, seed: 2);
        using ClipTrainer adam = new(again);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => adam.LoadCheckpoint(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("got nothing", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a cat", true)]
    [InlineData("the cat", false)]
    public void Step_PairsOfOneClass_GiveAnotherLossOnlyWhereTheirCaptionsDiffer(string third, bool isSame)
    {
        string[] captions = ["a cat", "a dog", third, "dog dog"];
        int[] classes = [0, 1, 0, 2];
        double[] losses(IReadOnlyList<int>? positives)
        {
            using ClipModel model = ClipModel.Create(Words.Config, seed: 2, Words.Tokenizer);
            (float[] pixels, _, _, _) = Pairs(model);
            int[,] tokens = Words.Tokenizer.EncodeRows(captions, model.ContextLength);
            using ClipTrainer trainer = new(model, new Sgd(0.01));
            return [.. Enumerable.Range(0, 4).Select(_ => trainer.Step(pixels.AsMemory(0, captions.Length * model.ImageProcessor.ValueCount), tokens, positives))];
        }

        // Equal losses after steps tell that gradients were equal too.
        double largest = losses(null).Zip(losses(classes), (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(largest, isSame ? 0 : 1e-3, isSame ? 1e-5 : 10);
    }

    [Fact]
    public void Step_HoldsTheLogitScaleAtLn100()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        model.LogitScale.Value = TensorValue.Of([9f]);
        using ClipTrainer trainer = new(model, new Sgd(1e-6));
        trainer.Step(pixels, tokens);
        Assert.Equal(Math.Log(100), model.LogitScale.Value.ToDouble(), 1e-6);
    }

    [Fact]
    public void Step_FrozenTower_StaysAsItIs()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        model.ImageTower.SetTrainable(false);
        float[] before = model.ImageTower.Weights["visual.proj"].Value.Values<float>();
        float[] text = model.TextTower.Weights["text_projection"].Value.Values<float>();
        using ClipTrainer trainer = new(model);
        trainer.Step(pixels, tokens);
        Assert.Equal(before, model.ImageTower.Weights["visual.proj"].Value.Values<float>());
        Assert.NotEqual(text, model.TextTower.Weights["text_projection"].Value.Values<float>());
    }

    [Fact]
    public void Contrastive_PairsOfOneClass_ShareTheTarget()
    {
        Graph graph = new("loss");
        Tensor logits = graph.Input("logits", ElementType.Float, 3, 3);
        Tensor classes = graph.Input("classes", ElementType.Int64, 3);
        using Evaluator evaluator = new([ClipLosses.Contrastive(logits, classes), ClipLosses.Contrastive(logits)]);
        float[] values = [2, 1, 0, -1, 3, 1, 0.5f, 0, 4];
        IReadOnlyList<TensorValue> losses = evaluator.Run(("logits", values), ("classes", new long[] { 7, 3, 7 }));

        double[,] shared = { { 0.5, 0, 0.5 }, { 0, 1, 0 }, { 0.5, 0, 0.5 } };
        double[,] own = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
        Assert.Equal(ByHand(values, shared), losses[0].ToDouble(), 1e-5);
        Assert.Equal(ByHand(values, own), losses[1].ToDouble(), 1e-5);
    }

    [Fact]
    public void Step_WithWrongCounts_SaysWhatDiffers()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        using ClipTrainer trainer = new(model);
        Assert.Contains("Got 2 classes for 8 captions", Assert.Throws<ArgumentException>(() => trainer.Step(pixels, tokens, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("pixel_values", Assert.Throws<ArgumentException>(() => trainer.Step(pixels.AsMemory(0, pixels.Length / 2), tokens)).Message, StringComparison.Ordinal);
        tokens[0, 0] = 9999;
        Assert.Contains("no token 9999", Assert.Throws<ArgumentException>(() => trainer.Step(pixels, tokens)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Clipn_AtTheStart_HasTheValuesOfEqualTowers()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        ClipNoTextTower no = ClipNoTextTower.CopyOf(model);
        Tensor mixture = model.Graph.Input("mixture", ElementType.Float, "batch", 16);
        ClipnLoss loss = ClipLosses.Clipn(model.ImageFeatures, model.TextFeatures, no.Encode(model.Ids, mixture), model.LogitScale);
        using Evaluator evaluator = new([loss.Matching, loss.Unrelated, loss.TextSemantics, loss.Total]);
        double[] values = [.. evaluator.Run(Feeds(model, pixels, tokens, no, 1)).Select(value => value.ToDouble())];
        Assert.Equal(Math.Log(2), values[0], 1e-5);
        Assert.Equal(Math.Log(2), values[1], 1e-5);
        Assert.Equal(1.99, values[2], 1e-3);
        Assert.Equal(0.5 * ((2 * Math.Log(2)) + 1.99), values[3], 1e-3);
    }

    [Fact]
    public void Clipn_TrainingTheNoTower_LearnsItAndNothingElse()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        (float[] pixels, int[,] tokens, _, _) = Pairs(model);
        ClipNoTextTower no = ClipNoTextTower.CopyOf(model);
        model.ImageTower.SetTrainable(false);
        model.TextTower.SetTrainable(false);
        model.LogitScale.Trainable = false;
        string before = model.ModelHash;
        Tensor mixture = model.Graph.Input("mixture", ElementType.Float, "batch", 16);
        ClipnLoss loss = ClipLosses.Clipn(model.ImageFeatures, model.TextFeatures, no.Encode(model.Ids, mixture), model.LogitScale);
        using Trainer trainer = new(loss.Total, new AdamW(3e-3, beta2: 0.98, epsilon: 1e-6));
        double[] losses = [.. Enumerable.Range(0, 30).Select(step => trainer.Step(Feeds(model, pixels, tokens, no, step)))];
        Assert.True(losses[^1] < 0.8 * losses[0], $"{losses[0]} to {losses[^1]}");
        Assert.Contains(no.Prompts.Value.Values<float>(), value => value != 0);
        model.Refresh();
        Assert.Equal(before, model.ModelHash);

        string path = Path.Combine(_folder.Path, "no.safetensors");
        no.Save(path);
        using ClipModel again = ClipModel.Create(Words.Config, seed: 2);
        ClipNoTextTower loaded = ClipNoTextTower.Load(again, path);
        Assert.Equal(no.Prompts.Value.Values<float>(), loaded.Prompts.Value.Values<float>());
        Assert.Equal(no.Tower.Weights["text_projection"].Value.Values<float>(), loaded.Tower.Weights["text_projection"].Value.Values<float>());
    }

    [Fact]
    public void DrawMixture_DrawsEveryPromptAndTheirMean()
    {
        using ClipModel model = ClipModel.Create(Words.Config, seed: 2);
        ClipNoTextTower no = ClipNoTextTower.CopyOf(model, prompts: 3);
        float[][] rows = [.. no.DrawMixture(400, new Random(1)).Chunk(3)];
        Assert.All(rows, row => Assert.Equal(1, row.Sum(), 1e-6));
        Assert.Equal(4, rows.Select(row => string.Join(' ', row)).Distinct().Count());
        Assert.InRange(rows.Count(row => row[0] is > 0 and < 1), 70, 130);
    }

    private static Feed[] Feeds(ClipModel model, float[] pixels, int[,] tokens, ClipNoTextTower no, int seed) =>
    [
        (model.Pixels.Name, pixels),
        (model.Ids.Name, tokens.Cast<int>().Select(id => (long)id).ToArray()),
        ("mixture", no.DrawMixture(Batch, new Random(seed))),
    ];

    private static (float[] Pixels, int[,] Tokens, RgbImage[] Images, string[] Captions) Pairs(ClipModel model)
    {
        RgbImage[] images = [.. Enumerable.Range(0, Batch).Select(i => ClipEncodingTests.Noise(i, 16, 16))];
        string[] captions = [.. Enumerable.Range(0, Batch).Select(i => $"{(char)('a' + i)} cat")];
        float[] pixels = [.. images.SelectMany(model.ImageProcessor.Process)];
        return (pixels, Words.Tokenizer.EncodeRows(captions, model.ContextLength), images, captions);
    }

    private static double ByHand(float[] logits, double[,] targets)
    {
        double sum = 0;
        for (int i = 0; i < 3; i++)
        {
            double row = Math.Log(Enumerable.Range(0, 3).Sum(j => Math.Exp(logits[(3 * i) + j])));
            double column = Math.Log(Enumerable.Range(0, 3).Sum(j => Math.Exp(logits[(3 * j) + i])));
            sum += Enumerable.Range(0, 3).Sum(j => targets[i, j] * (row - logits[(3 * i) + j] + column - logits[(3 * j) + i]));
        }

        return sum / 6;
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);
}
