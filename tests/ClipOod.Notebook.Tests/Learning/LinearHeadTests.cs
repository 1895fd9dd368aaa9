using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class LinearHeadTests
{
    private static readonly Golden _sgd = Golden.Get("sgd_momentum");
    private static readonly Golden _plp = Golden.Get("plp");

    [Fact]
    public void Train_WithSgd_EqualsTheGoldenSteps()
    {
        Golden input = _sgd["inputs"];
        int[] labels = input["y"].WholeNumbers;
        LinearHead initial = new(input["W0"].Matrix, input["b0"].Numbers);
        HeadOptions options = HeadOptions.Seminar with { BatchSize = labels.Length, Epochs = input["steps"].WholeNumber };
        AssertGolden(_sgd["expected"], LinearHead.Train(input["x"].Embeddings, labels, 3, options, initial: initial));
    }

    [Fact]
    public void Train_WithAdam_EqualsTheGoldenSteps()
    {
        Golden input = _plp["inputs"], adam = _plp["inputs", "adam"];
        Embeddings train = input["train"].Embeddings;
        PseudoLabels pseudo = PseudoLabels.From(_plp["expected", "pseudo_probs"].Matrix, input["filter"].Number);
        Embeddings standardized = Standardizer.Fit(train).Transform(train);
        LinearHead initial = new(input["W0"].Matrix, input["b0"].Numbers);
        HeadOptions options = HeadOptions.Plp with { Schedule = LearningRateSchedule.Constant, Epochs = adam["steps"].WholeNumber };
        LinearHead head = LinearHead.Train(standardized.Select(pseudo.Kept), pseudo.KeptLabels, 3, options, initial: initial);
        AssertGolden(_plp["expected", "adam_3_steps"], head);
        Golden.AssertClose(
            _plp["expected", "train_logits_after"].Matrix.Values.ToArray(), head.Logits(standardized).Values.ToArray(), Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Plp_HasTheOptionsOfTheSpecification()
    {
        Golden adam = _plp["inputs", "adam"];
        Assert.Equal(adam["lr"].Number, HeadOptions.Plp.LearningRate);
        Assert.Equal(adam["betas"].Numbers, new[] { HeadOptions.Plp.Beta1, HeadOptions.Plp.Beta2 });
        Assert.Equal(adam["eps"].Number, HeadOptions.Plp.Epsilon);
        Assert.Equal(adam["weight_decay"].Number, HeadOptions.Plp.WeightDecay);
        Assert.Equal(HeadOptions.WarmUpFraction, _plp["inputs", "schedule", "warmup_fraction"].Number);
    }

    [Fact]
    public void LearningRateAt_EqualsTheGoldenSchedule()
    {
        double[] expected = _plp["expected", "lr_schedule_20"].Numbers;
        double[] actual = [.. Enumerable.Range(0, expected.Length).Select(step => HeadOptions.Plp.LearningRateAt(step, expected.Length))];
        Golden.AssertClose(expected, actual, Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Train_WithWeightDecay_ShrinksTheSgdStepByIt()
    {
        // One step from the same weights: w' differs by lr · λ · w, and the bias too.
        Golden input = _sgd["inputs"];
        LinearHead initial = new(input["W0"].Matrix, input["b0"].Numbers);
        HeadOptions plain = HeadOptions.Seminar with { BatchSize = 6, Epochs = 1, LearningRate = 0.1 };
        LinearHead without = Train(plain), with = Train(plain with { WeightDecay = 0.5 });
        Golden.AssertClose(
            [.. initial.Weight.Values.ToArray().Zip(without.Weight.Values.ToArray(), (w0, w) => w - (0.1 * 0.5 * w0))],
            with.Weight.Values.ToArray(),
            1e-6);
        Golden.AssertClose([.. initial.Bias.Zip(without.Bias, (b0, b) => b - (0.1 * 0.5 * b0))], with.Bias, 1e-6);

        LinearHead Train(HeadOptions options) =>
            LinearHead.Train(input["x"].Embeddings, input["y"].WholeNumbers, 3, options, initial: initial);
    }

    [Theory]
    [InlineData(HeadOptimizer.Sgd)]
    [InlineData(HeadOptimizer.Adam)]
    public void Train_InBatches_EqualsAReferenceInDoubles(HeadOptimizer optimizer)
    {
        // 23 rows in batches of 5 leave a last batch of 3; the reference repeats the order from the seed.
        const int Rows = 23, Width = 4, Classes = 3;
        (Embeddings x, int[] y) = Blobs(Rows, Width, Classes, seed: 1);
        HeadOptions options = HeadOptions.Plp with
        {
            Optimizer = optimizer,
            BatchSize = 5,
            Epochs = 3,
            LearningRate = 0.05,
            WeightDecay = 0.01,
            Seed = 9,
        };
        LinearHead initial = LinearHead.Initial(Width, Classes, 2);
        LinearHead head = LinearHead.Train(x, y, Classes, options, initial: initial);
        (double[] weight, double[] losses) = Reference(x, y, initial, options);
        Golden.AssertClose(weight, [.. Enumerable.Range(0, Classes).SelectMany(c => head.Weight[c].ToArray().Append(head.Bias[c]))], 1e-5);
        Golden.AssertClose(losses, head.History, 1e-5);
    }

    [Fact]
    public void Train_OnSeparableBlobs_LearnsThem()
    {
        (Embeddings x, int[] y) = Blobs(300, 8, 3, seed: 5);
        List<EpochReport> reports = [];
        LinearHead head = LinearHead.Train(x, y, 3, HeadOptions.Seminar, reports.Add);
        double correct = head.Logits(x).ArgMax().Zip(y, (a, b) => a == b).Count(same => same) / (double)y.Length;
        Assert.True(correct > 0.98, $"accuracy {correct}");
        Assert.Equal(Enumerable.Range(1, 10), reports.Select(report => report.Epoch));
        Assert.Equal(head.History, reports.Select(report => report.MeanLoss));
        Assert.True(head.History[^1] < head.History[0] / 2);
        Assert.Equal(head.Weight.Values, reports[^1].Head.Weight.Values);
        Assert.False(head.Weight.Values.SequenceEqual(reports[0].Head.Weight.Values));
    }

    [Fact]
    public void Train_WithTheSameSeed_GivesTheSameHead() => Gen.Int[0, 1000].Sample(seed =>
    {
        (Embeddings x, int[] y) = Blobs(40, 5, 3, seed: 5);
        HeadOptions options = HeadOptions.Seminar with { Epochs = 2, Seed = seed };
        LinearHead first = LinearHead.Train(x, y, 3, options), second = LinearHead.Train(x, y, 3, options);
        LinearHead other = LinearHead.Train(x, y, 3, options with { Seed = seed + 1 });
        return first.Weight.Values.SequenceEqual(second.Weight.Values) && first.Bias.SequenceEqual(second.Bias)
            && !first.Weight.Values.SequenceEqual(other.Weight.Values);
    }, iter: 5);

    [Fact]
    public void Train_WhenTheGarbageCollectorMovesObjects_GivesTheSameHead()
    {
        // ONNX Runtime holds plain pointers into managed arrays, which must stay where they are.
        (Embeddings x, int[] y) = Blobs(40, 5, 3, seed: 5);
        LinearHead expected = LinearHead.Train(x, y, 3, HeadOptions.Plp with { BatchSize = 7, Epochs = 20 });
        LinearHead actual = LinearHead.Train(
            new Embeddings(40, 5, x.Values.ToArray()), y, 3, HeadOptions.Plp with { BatchSize = 7, Epochs = 20 }, _ => MoveObjects());
        Assert.Equal(expected.Weight.Values, actual.Weight.Values);
        Assert.Equal(expected.History, actual.History);

        static void MoveObjects()
        {
            for (int i = 0; i < 1000; i++)
            {
                GC.KeepAlive(new float[i % 50]);
            }

            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        }
    }

    [Fact]
    public void Initial_IsUniformWithinOneOverRootOfTheWidth()
    {
        LinearHead head = LinearHead.Initial(100, 50, 3);
        double[] values = [.. head.Weight.Values, .. head.Bias];
        Assert.All(values, value => Assert.InRange(value, -0.1, 0.1));
        Assert.InRange(values.Average(), -0.005, 0.005);
        Assert.InRange(values.Max() - values.Min(), 0.195, 0.2);
    }

    [Fact]
    public void Train_WhenALabelIsOutOfRange_NamesIt() => AssertRefused("Label 2 is 3, expected 0 to 2 for 3 classes", [0, 1, 3, 1]);

    [Fact]
    public void Train_WhenLabelsAreMissing_SaysHowMany() => AssertRefused("Got 3 labels for 4 rows of features", [0, 1, 2]);

    [Fact]
    public void Train_WhenThereIsOneClassOnly_SaysWhich() => AssertRefused("All 4 labels are 1, expected at least two classes", [1, 1, 1, 1]);

    [Fact]
    public void Train_WhenAFeatureIsNaN_NamesItsRow()
    {
        Embeddings x = new(2, 2, new[] { 1f, 2, 3, float.NaN });
        ArgumentException error = Assert.Throws<ArgumentException>(() => LinearHead.Train(x, [0, 1], 2, HeadOptions.Seminar));
        Assert.Contains("Row 1 of 2 holds NaN or infinity", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_OnNoRows_Throws() =>
        Assert.Throws<ArgumentException>(() => LinearHead.Train(new Embeddings(0, 2, default), [], 2, HeadOptions.Seminar));

    [Fact]
    public void Train_WhenAnOptionIsOutOfRange_NamesIt()
    {
        (Embeddings x, int[] y) = Blobs(6, 2, 2, seed: 1);
        ArgumentException error = Assert.Throws<ArgumentException>(() => LinearHead.Train(x, y, 2, HeadOptions.Seminar with { Momentum = 1 }));
        Assert.Contains("Momentum is 1, expected from 0 up to 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenTheLossDiverges_SaysWhatToDo()
    {
        Embeddings x = new(2, 2, new[] { 1e30f, 1, -1e30f, 1 });
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => LinearHead.Train(x, [0, 1], 2, HeadOptions.Seminar with { LearningRate = 1e9 }));
        Assert.Contains("Training diverged in epoch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenTheInitialHeadHasAnotherShape_Throws()
    {
        (Embeddings x, int[] y) = Blobs(6, 2, 2, seed: 1);
        Assert.Throws<ArgumentException>(() => LinearHead.Train(x, y, 2, HeadOptions.Seminar, initial: LinearHead.Initial(3, 2, 0)));
    }

    [Fact]
    public void Logits_WhenTheWidthDiffers_SaysBoth()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => LinearHead.Initial(512, 3, 0).Logits(SimilarityTests.UnitRows(1, 768, 1)));
        Assert.Contains("Features have 768 columns but the head was made for 512", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Rows around one corner per class, far apart.</summary>
    internal static (Embeddings Features, int[] Labels) Blobs(int rows, int width, int classes, int seed)
    {
        Random random = new(seed);
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i % classes)];
        float[] values = new float[rows * width];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(random.NextDouble() - 0.5) + (i % width == labels[i / width] ? 2 : 0);
        }

        return (new Embeddings(rows, width, values), labels);
    }

    private static void AssertGolden(Golden expected, LinearHead head)
    {
        Golden.AssertClose(expected["weight"].Matrix.Values.ToArray(), head.Weight.Values.ToArray(), Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["bias"].Numbers, head.Bias, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["losses"].Numbers, head.History, Golden.ToleranceOfSingles);
    }

    private static void AssertRefused(string message, int[] labels)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => LinearHead.Train(SimilarityTests.UnitRows(4, 2, 1), labels, 3, HeadOptions.Seminar));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static (double[] Weight, double[] Losses) Reference(Embeddings x, int[] y, LinearHead initial, HeadOptions options)
    {
        int d = x.Width + 1, classes = initial.NumClasses, step = 0;
        double[] w = [.. Enumerable.Range(0, classes).SelectMany(c => initial.Weight[c].ToArray().Append(initial.Bias[c]))];
        double[] v = new double[w.Length], s = new double[w.Length];
        Random random = new(options.Seed);
        long[] order = [.. Enumerable.Range(0, y.Length).Select(i => (long)i)];
        List<double> losses = [];
        int total = options.Epochs * (int)Math.Ceiling(y.Length / (double)options.BatchSize);
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            random.Shuffle(order);
            double loss = 0;
            foreach (long[] batch in order.Chunk(options.BatchSize))
            {
                double[] g = [.. w.Select(value => options.WeightDecay * value)];
                foreach (int row in batch.Select(i => (int)i))
                {
                    double[] input = [.. x[row].ToArray().Select(value => (double)value), 1];
                    double[] e = [.. Enumerable.Range(0, classes).Select(c => Math.Exp(input.Select((value, j) => value * w[(c * d) + j]).Sum()))];
                    loss -= Math.Log(e[y[row]] / e.Sum());
                    for (int i = 0; i < g.Length; i++)
                    {
                        g[i] += ((e[i / d] / e.Sum()) - (i / d == y[row] ? 1 : 0)) * input[i % d] / batch.Length;
                    }
                }

                double rate = options.LearningRateAt(step++, total);
                for (int i = 0; i < w.Length; i++)
                {
                    bool adam = options.Optimizer == HeadOptimizer.Adam;
                    v[i] = adam ? (options.Beta1 * v[i]) + ((1 - options.Beta1) * g[i]) : (options.Momentum * v[i]) + g[i];
                    s[i] = (options.Beta2 * s[i]) + ((1 - options.Beta2) * g[i] * g[i]);
                    double mean = v[i] / (1 - Math.Pow(options.Beta1, step)), square = s[i] / (1 - Math.Pow(options.Beta2, step));
                    w[i] -= rate * (adam ? mean / (Math.Sqrt(square) + options.Epsilon) : v[i]);
                }
            }

            losses.Add(loss / y.Length);
        }

        return (w, [.. losses]);
    }
}
