using static ClipOod.Autodiff.Tests.GradientCheck;

namespace ClipOod.Autodiff.Tests;

/// <summary>Trainers against the rules written out step by step in double precision.</summary>
public sealed class TrainerTests
{
    private const int Steps = 7;
    private static readonly double[] _start = [1.5, -0.7, 0.3];

    /// <summary>Gradient of the loss Σ (w + c/2) w c at batch c, whose mean over a batch of one it is.</summary>
    private static double[] Gradient(double[] w, double[] c) => [.. w.Zip(c, (x, y) => (2 * x * y) + (y * y / 2))];

    private static double[] Batch(int step) => Between(0.2, 2, step, 3).Values;

    private static (Trainer Trainer, Weight Weight) Create(Optimizer optimizer, TrainerOptions? options = null)
    {
        Graph graph = new("quadratic", ElementType.Double);
        Tensor c = graph.Input("c", ElementType.Double, 3);
        Weight w = graph.Weight("w", [3], Initial.Values((double[])[.. _start]));
        return (new Trainer(((w + (c / 2)) * w * c).Sum(), optimizer, options), w);
    }

    private static double[] Train(Optimizer optimizer, TrainerOptions? options = null, int steps = Steps)
    {
        (Trainer trainer, Weight w) = Create(optimizer, options);
        using (trainer)
        {
            for (int step = 0; step < steps; step++)
            {
                trainer.Step(("c", Batch(step)));
            }

            return w.Value.Values<double>();
        }
    }

    private static void AssertClose(double[] expected, double[] actual) => Assert.Equal(expected, actual, (a, b) => Math.Abs(a - b) <= 1e-12);

    [Theory]
    [InlineData(0, false, 0)]
    [InlineData(0.9, false, 0)]
    [InlineData(0.9, true, 0)]
    [InlineData(0.9, true, 0.1)]
    [InlineData(0, false, 0.1)]
    public void Sgd_OverSteps_FollowsItsRule(double momentum, bool nesterov, double weightDecay)
    {
        double[] w = [.. _start];
        double[] v = new double[3];
        for (int step = 0; step < Steps; step++)
        {
            double[] g = Gradient(w, Batch(step));
            for (int i = 0; i < 3; i++)
            {
                double d = g[i] + (weightDecay * w[i]);
                v[i] = (momentum * v[i]) + d;
                w[i] -= 0.05 * (nesterov ? d + (momentum * v[i]) : v[i]);
            }
        }

        AssertClose(w, Train(new Sgd(0.05, momentum, nesterov, weightDecay)));
    }

    /// <summary>Adam (coupled decay) and AdamW as their papers and PyTorch write them, with unscaled means.</summary>
    private static double[] AdamReference(double decay, bool decoupled, Func<int, double> rate, Func<double[], double[]>? change = null)
    {
        (double beta1, double beta2, double epsilon) = (0.9, 0.98, 1e-6);
        double[] w = [.. _start];
        double[] m = new double[3];
        double[] v = new double[3];
        for (int step = 0; step < Steps; step++)
        {
            double[] g = Gradient(w, Batch(step));
            g = change?.Invoke(g) ?? g;
            for (int i = 0; i < 3; i++)
            {
                double d = decoupled ? g[i] : g[i] + (decay * w[i]);
                m[i] = (beta1 * m[i]) + ((1 - beta1) * d);
                v[i] = (beta2 * v[i]) + ((1 - beta2) * d * d);
                double mean = m[i] / (1 - Math.Pow(beta1, step + 1));
                double square = v[i] / (1 - Math.Pow(beta2, step + 1));
                w[i] = (decoupled ? w[i] * (1 - (rate(step) * decay)) : w[i]) - (rate(step) * mean / (Math.Sqrt(square) + epsilon));
            }
        }

        return w;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void AdamAndAdamW_OverSteps_FollowTheirRules(double decay)
    {
        AssertClose(AdamReference(decay, false, _ => 0.1), Train(new Adam(0.1, 0.9, 0.98, 1e-6, decay)));
        AssertClose(AdamReference(decay, true, _ => 0.1), Train(new AdamW(0.1, 0.9, 0.98, 1e-6, decay)));
    }

    [Fact]
    public void Schedule_InATraining_ScalesEachStep()
    {
        Func<long, double> schedule = Schedule.Cosine(total: 10, warmup: 3);
        AssertClose(
            AdamReference(0.2, true, step => 0.1 * schedule(step)),
            Train(new AdamW(0.1, 0.9, 0.98, 1e-6, 0.2), new TrainerOptions { Schedule = schedule }));
    }

    [Fact]
    public void PerParameterOptions_OfDecayAndRate_ReplaceTheOptimizers()
    {
        AssertClose(
            AdamReference(0, true, _ => 0.05),
            Train(new AdamW(0.1, 0.9, 0.98, 1e-6, 0.2), new TrainerOptions { WeightDecay = p => p.Rank < 2 ? 0 : 0.2, LearningRateScale = _ => 0.5 }));
    }

    [Fact]
    public void MaxGradientNorm_WhenExceeded_ScalesAllGradients()
    {
        double[] limited(double[] g)
        {
            double norm = Math.Sqrt(g.Sum(x => x * x));
            return [.. g.Select(x => x * Math.Min(1, 0.8 / (norm + 1e-6)))];
        }

        AssertClose(AdamReference(0, true, _ => 0.1, limited), Train(new AdamW(0.1, 0.9, 0.98, 1e-6, 0), new TrainerOptions { MaxGradientNorm = 0.8 }));
        (Trainer trainer, _) = Create(new Sgd(0.1), new TrainerOptions { MaxGradientNorm = 0.8 });
        using (trainer)
        {
            trainer.Step(("c", Batch(0)));
            Assert.Equal(Math.Sqrt(Gradient(_start, Batch(0)).Sum(x => x * x)), trainer.GradientNorm!.Value, 1e-12);
        }
    }

    [Fact]
    public void Accumulation_OfThreeBatches_UpdatesOnceWithTheirMean()
    {
        double[] w = [.. _start];
        for (int update = 0; update < 2; update++)
        {
            double[] g = new double[3];
            for (int i = 0; i < 3; i++)
            {
                double[] part = Gradient(w, Batch((3 * update) + i));
                g = [.. g.Zip(part, (a, b) => a + (b / 3))];
            }

            double norm = Math.Sqrt(g.Sum(x => x * x));
            w = [.. w.Zip(g, (x, d) => x - (0.05 * d * Math.Min(1, 1 / (norm + 1e-6))))];
        }

        TrainerOptions options = new() { AccumulationSteps = 3, MaxGradientNorm = 1 };
        AssertClose(w, Train(new Sgd(0.05), options, steps: 6));

        // A batch more waits for its update.
        AssertClose(w, Train(new Sgd(0.05), options, steps: 7));
    }

    [Fact]
    public void State_TakenAndSetInANewTrainer_GoesOnAlike()
    {
        AdamW optimizer = new(0.1, 0.9, 0.98, 1e-6, 0.2);
        TrainerOptions options = new() { Schedule = Schedule.Cosine(10, 2) };
        double[] whole = Train(optimizer, options, steps: 7);
        (Trainer first, _) = Create(optimizer, options);
        (Trainer second, Weight w) = Create(optimizer, options);
        using (first)
        using (second)
        {
            for (int step = 0; step < 4; step++)
            {
                first.Step(("c", Batch(step)));
            }

            IReadOnlyDictionary<string, TensorValue> state = first.GetState();
            Assert.Equal(["updates", "w", "w.gradients", "w.squares"], state.Keys);
            second.SetState(state);
            Assert.Equal(4, second.Updates);
            for (int step = 4; step < 7; step++)
            {
                second.Step(("c", Batch(step)));
            }

            AssertClose(whole, w.Value.Values<double>());
            ArgumentException error = Assert.Throws<ArgumentException>(() => second.SetState(new Dictionary<string, TensorValue> { ["w"] = TensorValue.Of([1.0], 1) }));
            Assert.Contains("'w': expected Double (3), got Double (1)", error.Message, StringComparison.Ordinal);
            Assert.Contains("'w.squares': expected Double (3), got nothing", error.Message, StringComparison.Ordinal);
            AssertClose(whole, w.Value.Values<double>());
        }
    }

    [Fact]
    public void Step_WithANotFiniteLoss_ChangesNothing()
    {
        (Trainer trainer, Weight w) = Create(new Sgd(0.1, momentum: 0.9));
        using (trainer)
        {
            trainer.Step(("c", Batch(0)));
            double[] before = w.Value.Values<double>();
            ArithmeticException error = Assert.Throws<ArithmeticException>(() => trainer.Step(("c", new[] { 1, double.NaN, 1 })));
            Assert.Contains("NaN after 1 updates", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, w.Value.Values<double>());
            Assert.Equal(1, trainer.Updates);
            trainer.Step(("c", Batch(1)));
            Assert.All(w.Value.Values<double>(), value => Assert.True(double.IsFinite(value)));
        }
    }

    [Fact]
    public void Parameter_SetBetweenSteps_IsUsed()
    {
        (Trainer trainer, Weight w) = Create(new Sgd(0.1));
        using (trainer)
        {
            trainer.Step(("c", Batch(0)));
            trainer.Step(("c", Batch(1)));
            w.Value = TensorValue.Of([.. _start], 3);
            trainer.Step(("c", Batch(2)));
            double[] g = Gradient(_start, Batch(2));
            AssertClose([.. _start.Zip(g, (x, d) => x - (0.1 * d))], w.Value.Values<double>());
            Assert.Throws<ArgumentException>(() => w.Value = TensorValue.Of(new float[3], 3));
        }
    }

    [Fact]
    public void Parameter_AfterItsTrainerIsGone_KeepsWhatWasLearned()
    {
        (Trainer trainer, Weight w) = Create(new Sgd(0.1, momentum: 0.9));
        trainer.Step(("c", Batch(0)));
        trainer.Step(("c", Batch(1)));
        double[] learned = w.Value.Values<double>();
        trainer.Dispose();
        Assert.Equal(learned, w.Value.Values<double>());
        Assert.Equal(learned, Program.Fetch(w.Current).Values<double>());
        Assert.NotEqual(_start, learned);
    }

    [Fact]
    public void Training_WithDropoutAndTheSameSeed_Repeats()
    {
        double[] losses(int seed)
        {
            Graph graph = new("dropout");
            Tensor x = graph.Input("x", ElementType.Float, "batch", 20);
            Tensor hidden = x.MatMul(graph.Weight("a", [20, 30], Initial.Normal(0.2, 1))).Sigmoid().Dropout(0.4, seed);
            using Trainer trainer = new(hidden.MatMul(graph.Weight("b", [30, 1], Initial.Normal(0.2, 2))).Pow(2).Mean(), new Adam(0.01));
            float[] values = [.. Random(5, 8, 20).Values.Select(v => (float)v)];
            return [.. Enumerable.Range(0, 5).Select(_ => trainer.Step(("x", values)))];
        }

        Assert.Equal(losses(1), losses(1));
        Assert.NotEqual(losses(1), losses(2));
    }

    [Fact]
    public void Dropout_InTraining_DropsAtItsRateAndKeepsTheMean()
    {
        Graph graph = new("dropout");
        Tensor x = graph.Input("x", ElementType.Float, "n");
        Tensor y = x.Dropout(0.25, seed: 3);
        Tensor gradient = graph.Gradients(y.Sum(), x)[0];
        float[] ones = new float[20_000];
        Array.Fill(ones, 1);
        using Evaluator training = new([y, gradient], training: true);
        float[] dropped = training.Run(("x", ones))[0].Values<float>();
        Assert.InRange(dropped.Count(v => v == 0) / 20_000.0, 0.24, 0.26);
        Assert.All(dropped, v => Assert.True(v == 0 || Math.Abs(v - (1 / 0.75)) < 1e-6));

        // The gradient passes where the elements passed, and masks differ from run to run.
        IReadOnlyList<TensorValue> again = training.Run(("x", ones));
        Assert.Equal(again[0].Values<float>(), again[1].Values<float>(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.NotEqual(dropped, again[0].Values<float>());

        using Evaluator evaluation = new([y, gradient]);
        Assert.All(evaluation.Run(("x", ones)), result => Assert.Equal(ones, result.Values<float>()));
    }

    [Fact]
    public void Schedules_AtTheirMarks_HaveTheirValues()
    {
        Func<long, double> cosine = Schedule.Cosine(total: 20, warmup: 4, final: 0.1);
        Assert.Equal([0, 0.5, 1, 0.55, 0.1, 0.1], [cosine(0), cosine(2), cosine(4), Math.Round(cosine(12), 12), Math.Round(cosine(20), 12), Math.Round(cosine(30), 12)]);
        ArgumentOutOfRangeException tooShort = Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.Cosine(total: 4, warmup: 5));
        Assert.Contains("4 steps", tooShort.Message, StringComparison.Ordinal);
        Assert.Contains("warm-up of 5", tooShort.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.Cosine(total: 4, warmup: 4));
    }

    [Fact]
    public void Trainers_WithSettingsOutOfRange_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(0.1, momentum: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW(0.1, beta2: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(double.NaN));
        Assert.Throws<ArgumentException>(() => Create(new Sgd(0.1), new TrainerOptions { AccumulationSteps = 0 }));
        Graph graph = new("frozen");
        Weight frozen = graph.Weight("w", [2], Initial.Constant(1), trainable: false);
        Assert.Contains("no trainable", Assert.Throws<ArgumentException>(() => new Trainer(frozen.Sum(), new Sgd(0.1))).Message, StringComparison.Ordinal);
        graph.Weight("unused", [2], Initial.Constant(1));
        Assert.Contains("'unused'", Assert.Throws<ArgumentException>(() => new Trainer(frozen.Sum(), new Sgd(0.1))).Message, StringComparison.Ordinal);
    }
}
