namespace ClipOod.Notebook;

/// <summary>The update rule of a <see cref="LinearHead"/>.</summary>
public enum HeadOptimizer
{
    /// <summary>Stochastic gradient descent with momentum, no dampening: v ← μ·v + g, w ← w − lr·v.</summary>
    Sgd,

    /// <summary>Adam with bias correction (Kingma and Ba 2015).</summary>
    Adam,
}

/// <summary>How the learning rate goes over the steps of a training.</summary>
public enum LearningRateSchedule
{
    /// <summary>The same rate at every step.</summary>
    Constant,

    /// <summary>
    /// PLP's: linear from 0 to the peak over the first tenth of the steps, both ends included, then half a cosine towards 0.
    /// </summary>
    WarmUpHalfCosine,
}

/// <summary>How a <see cref="LinearHead"/> is trained. Start from <see cref="Seminar"/> or <see cref="Plp"/>.</summary>
public sealed record HeadOptions
{
    /// <summary>Share of the steps that <see cref="LearningRateSchedule.WarmUpHalfCosine"/> warms up for.</summary>
    public const double WarmUpFraction = 0.1;

    /// <summary>The seminar's fine-tuned head: SGD, rate 0.001, momentum 0.99, batches of 16, 10 epochs.</summary>
    public static HeadOptions Seminar { get; } = new();

    /// <summary>
    /// PLP's probe: Adam with coupled weight decay 0.001, peak rate 0.001 with warm-up and half cosine, batches of 256,
    /// 100 epochs, seed 42.
    /// </summary>
    public static HeadOptions Plp { get; } = new()
    {
        Optimizer = HeadOptimizer.Adam,
        WeightDecay = 1e-3,
        BatchSize = 256,
        Epochs = 100,
        Schedule = LearningRateSchedule.WarmUpHalfCosine,
        Seed = 42,
    };

    /// <summary>The update rule. Defaults to SGD.</summary>
    public HeadOptimizer Optimizer { get; init; } = HeadOptimizer.Sgd;

    /// <summary>The (peak) learning rate, above 0. Defaults to 0.001.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>How the rate goes over the steps. Defaults to constant.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant;

    /// <summary>Momentum μ of SGD, 0 up to 1. Defaults to 0.99.</summary>
    public double Momentum { get; init; } = 0.99;

    /// <summary>Decay of Adam's mean of gradients, 0 up to 1. Defaults to 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of Adam's mean of squared gradients, 0 up to 1. Defaults to 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>What Adam adds to the root of the mean of squares. Defaults to 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Coupled weight decay λ: λ·w is added to the gradient, of the bias too. Defaults to 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Images per step, at least 1; the last batch of an epoch may be smaller. Defaults to 16.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Passes over the training set, at least 1. Defaults to 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Seed of the first weights and of the order of the images.</summary>
    public int Seed { get; init; }

    /// <summary>Steps of one epoch: batches of <see cref="BatchSize"/>, the last one perhaps smaller.</summary>
    /// <param name="images">Number of training images, at least 1.</param>
    public int StepsPerEpoch(int images)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        return ((images - 1) / BatchSize) + 1;
    }

    /// <summary>The learning rate of one step.</summary>
    /// <param name="step">0 to <paramref name="totalSteps"/> − 1.</param>
    /// <param name="totalSteps">Number of steps of the whole training.</param>
    internal double LearningRateAt(int step, int totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, totalSteps);
        if (Schedule == LearningRateSchedule.Constant)
        {
            return LearningRate;
        }

        int warmUp = (int)(WarmUpFraction * totalSteps);
        return step < warmUp
            ? LearningRate * step / Math.Max(1, warmUp - 1)
            : LearningRate * 0.5 * (1 + Math.Cos(Math.PI * (step - warmUp) / (totalSteps - warmUp)));
    }

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of its range.</summary>
    internal void Validate(string parameter)
    {
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "above 0");
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "from 0 up to 1");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 up to 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 up to 1");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "at least 0");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");

        void Require(bool holds, string name, double value, string expected)
        {
            if (!holds)
            {
                throw new ArgumentException(FormattableString.Invariant($"{name} is {value}, expected {expected}."), parameter);
            }
        }
    }
}
