namespace ClipOod.Clip;

/// <summary>How far a <see cref="FeatureAttack"/> is.</summary>
/// <param name="Done">Images whose batch is finished.</param>
/// <param name="Total">Images in all.</param>
/// <param name="Step">Steps made of the present batch.</param>
/// <param name="Steps">Steps of a batch.</param>
/// <param name="Loss">The loss of the present batch before its last step.</param>
/// <param name="Elapsed">Time since the start.</param>
public readonly record struct FeatureAttackProgress(int Done, int Total, int Step, int Steps, double Loss, TimeSpan Elapsed)
{
    /// <summary>For example "16 of 48 images, step 20 of 250, loss -0.8123, 9 s".</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Done} of {Total} images, step {Step} of {Steps}, loss {Loss:0.0000}, {Elapsed.TotalSeconds:0} s");
}

/// <summary>How a <see cref="FeatureAttack"/> perturbs. The defaults are those of the document.</summary>
public sealed record FeatureAttackOptions
{
    /// <summary>Without a penalty: perturbations become patchy.</summary>
    public static FeatureAttackOptions Patchy { get; } = new();

    /// <summary>Steps of Adam for each batch, at least 1. Defaults to 250.</summary>
    public int Steps { get; init; } = 250;

    /// <summary>Learning rate of Adam, above 0, in the unit of pixels on [0, 1]. Defaults to 0.001.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>λ, at least 0: the weight of the perturbation's squared differences between neighbouring pixels. Defaults to 0, the patchy attack; the smooth one of the document has 5000.</summary>
    public double Smoothness { get; init; }

    /// <summary>Images that are perturbed together, at least 1. Defaults to 16.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Seed of the first perturbations. Defaults to 0.</summary>
    public int Seed { get; init; }

    /// <summary>Whether to match features after the projection, which zero-shot scores use; else those before it, as PLP does. Defaults to false.</summary>
    public bool Projected { get; init; }

    /// <summary>Told after every step, on the thread that attacks.</summary>
    public IProgress<FeatureAttackProgress>? Progress { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1, nameof(Steps));
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1, nameof(BatchSize));
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a number above 0");
        Require(Smoothness >= 0 && double.IsFinite(Smoothness), nameof(Smoothness), Smoothness, "a number of at least 0");

        static void Require(bool holds, string name, double value, string expected)
        {
            if (!holds)
            {
                throw new ArgumentOutOfRangeException(name, value, $"Expected {expected}.");
            }
        }
    }
}
