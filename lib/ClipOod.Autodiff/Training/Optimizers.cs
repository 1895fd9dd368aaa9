namespace ClipOod.Autodiff;

/// <summary>
/// A rule that updates weights from gradients. Its nodes become part of the training graph, its state stays with
/// the weights on the device.
/// </summary>
public abstract record Optimizer
{
    private protected Optimizer(double learningRate, double weightDecay)
    {
        RequireRange(learningRate, double.IsFinite(learningRate) && learningRate >= 0, nameof(learningRate), "at least 0");
        RequireRange(weightDecay, double.IsFinite(weightDecay) && weightDecay >= 0, nameof(weightDecay), "at least 0");
        (LearningRate, WeightDecay) = (learningRate, weightDecay);
    }

    /// <summary>Learning rate, which a schedule multiplies.</summary>
    public double LearningRate { get; }

    /// <summary>Weight decay, for weights for which <see cref="TrainerOptions.WeightDecay"/> says nothing else.</summary>
    public double WeightDecay { get; }

    /// <summary>Names of the tensors that it keeps for each weight, all of the weight's shape and 0 at first.</summary>
    internal abstract IReadOnlyList<string> States { get; }

    /// <summary>The numbers that change from step to step: fed as scalars, in the order <see cref="Update"/> takes them.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="learningRate">Learning rate of the step.</param>
    internal abstract double[] Scalars(long step, double learningRate);

    /// <summary>Adds the nodes of one update.</summary>
    /// <returns>The new value and the new states.</returns>
    internal abstract (Tensor Value, Tensor[] States) Update(Tensor value, Tensor gradient, Tensor[] states, Tensor[] scalars, double weightDecay, double rateScale);

    private protected static void RequireRange(double value, bool holds, string name, string expected)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"Expected {expected}.");
        }
    }

    private protected static Tensor Scaled(Tensor tensor, double factor) => factor == 1 ? tensor : tensor * factor;
}

/// <summary>
/// Stochastic gradient descent: g ← g + λw, v ← μv + g, w ← w − ηv, or with Nesterov's rule w ← w − η(g + μv); as
/// PyTorch's SGD without dampening.
/// </summary>
public sealed record Sgd : Optimizer
{
    /// <summary>The rule.</summary>
    /// <param name="learningRate">η, at least 0.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <param name="nesterov">Whether to look ahead by Nesterov's rule.</param>
    /// <param name="weightDecay">λ, at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Sgd(double learningRate, double momentum = 0, bool nesterov = false, double weightDecay = 0)
        : base(learningRate, weightDecay)
    {
        RequireRange(momentum, momentum >= 0 && momentum < 1, nameof(momentum), "0 to below 1");
        (Momentum, Nesterov) = (momentum, nesterov);
    }

    /// <summary>Momentum μ.</summary>
    public double Momentum { get; }

    /// <summary>Whether it looks ahead by Nesterov's rule.</summary>
    public bool Nesterov { get; }

    internal override IReadOnlyList<string> States => Momentum == 0 ? [] : ["velocity"];

    internal override double[] Scalars(long step, double learningRate) => [learningRate];

    internal override (Tensor Value, Tensor[] States) Update(
        Tensor value, Tensor gradient, Tensor[] states, Tensor[] scalars, double weightDecay, double rateScale)
    {
        Tensor rate = Scaled(scalars[0], rateScale);
        Tensor g = weightDecay == 0 ? gradient : gradient + (value * weightDecay);
        if (Momentum == 0)
        {
            return (value - (g * rate), []);
        }

        Tensor velocity = (states[0] * Momentum) + g;
        Tensor direction = Nesterov ? g + (velocity * Momentum) : velocity;
        return (value - (direction * rate), [velocity]);
    }
}

/// <summary>
/// Adam (Kingma and Ba 2015) with bias correction, and with weight decay added to the gradient, as PyTorch's Adam.
/// </summary>
public record Adam : Optimizer
{
    /// <summary>The rule.</summary>
    /// <param name="learningRate">η, at least 0.</param>
    /// <param name="beta1">Decay of the mean of gradients, in [0, 1).</param>
    /// <param name="beta2">Decay of the mean of their squares, in [0, 1).</param>
    /// <param name="epsilon">ε, added to the root of the corrected mean of squares.</param>
    /// <param name="weightDecay">λ, at least 0, added to the gradient as λw.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Adam(double learningRate, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(learningRate, weightDecay)
    {
        RequireRange(beta1, beta1 >= 0 && beta1 < 1, nameof(beta1), "0 to below 1");
        RequireRange(beta2, beta2 >= 0 && beta2 < 1, nameof(beta2), "0 to below 1");
        RequireRange(epsilon, epsilon > 0, nameof(epsilon), "above 0");
        (Beta1, Beta2, Epsilon) = (beta1, beta2, epsilon);
    }

    /// <summary>Decay of the mean of gradients.</summary>
    public double Beta1 { get; }

    /// <summary>Decay of the mean of squared gradients.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added to the root of the corrected mean of squares.</summary>
    public double Epsilon { get; }

    // The states are m / (1 - beta1) and v / (1 - beta2): a pass over memory less for each.
    internal override IReadOnlyList<string> States => ["gradients", "squares"];

    internal override double[] Scalars(long step, double learningRate)
    {
        double mean = (1 - Beta1) / (1 - Math.Pow(Beta1, step));
        double root = Math.Sqrt((1 - Beta2) / (1 - Math.Pow(Beta2, step)));
        return [learningRate * mean / root, Epsilon / root, learningRate];
    }

    internal override (Tensor Value, Tensor[] States) Update(
        Tensor value, Tensor gradient, Tensor[] states, Tensor[] scalars, double weightDecay, double rateScale)
    {
        Tensor g = Coupled(value, gradient, weightDecay);
        Tensor gradients = (states[0] * Beta1) + g;
        Tensor squares = (states[1] * Beta2) + (g * g);
        Tensor step = gradients / (squares.Sqrt() + scalars[1]) * Scaled(scalars[0], rateScale);
        return (Decayed(value, Scaled(scalars[2], rateScale), weightDecay) - step, [gradients, squares]);
    }

    private protected virtual Tensor Coupled(Tensor value, Tensor gradient, double weightDecay) =>
        weightDecay == 0 ? gradient : gradient + (value * weightDecay);

    private protected virtual Tensor Decayed(Tensor value, Tensor rate, double weightDecay) => value;
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): Adam with decoupled weight decay, w ← (1 − ηλ) w before the step, as PyTorch's.
/// </summary>
public sealed record AdamW : Adam
{
    /// <summary>The rule.</summary>
    /// <param name="learningRate">η, at least 0.</param>
    /// <param name="beta1">Decay of the mean of gradients, in [0, 1).</param>
    /// <param name="beta2">Decay of the mean of their squares, in [0, 1).</param>
    /// <param name="epsilon">ε, added to the root of the corrected mean of squares.</param>
    /// <param name="weightDecay">λ, at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public AdamW(double learningRate, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0.01)
        : base(learningRate, beta1, beta2, epsilon, weightDecay)
    {
    }

    private protected override Tensor Coupled(Tensor value, Tensor gradient, double weightDecay) => gradient;

    private protected override Tensor Decayed(Tensor value, Tensor rate, double weightDecay) =>
        weightDecay == 0 ? value : value * (1 - (rate * weightDecay));
}
