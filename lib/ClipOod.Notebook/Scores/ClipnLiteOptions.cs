using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>How <see cref="ClipnLite"/> is trained. The optimizer's defaults are those of CLIPN's released code.</summary>
public sealed record ClipnLiteOptions
{
    /// <summary>The first learning rate of AdamW, above 0; it falls to 0 as half a cosine. Defaults to 3e-4.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>Decay of AdamW's mean of gradients, 0 up to 1. Defaults to 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's mean of squared gradients, 0 up to 1. Defaults to 0.98.</summary>
    public double Beta2 { get; init; } = 0.98;

    /// <summary>What AdamW adds to the root of the mean of squares, above 0. Defaults to 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Weight decay of A − I and of the prompts, at least 0: it pulls "no" back to "yes". Defaults to 0.2.</summary>
    public double WeightDecay { get; init; } = 0.2;

    /// <summary>Pairs per step, at least 2; what is left of an epoch over whole batches is left out. Defaults to 256.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Passes over the pairs, at least 1. Defaults to 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Number of prompts σ, at least 1. Defaults to 16.</summary>
    public int Prompts { get; init; } = ClipNoTextTower.DefaultPrompts;

    /// <summary>Rank of A − I, 1 to the width of the features. Null, the default: any.</summary>
    public int? Rank { get; init; }

    /// <summary>What multiplies the cosines, above 0. Defaults to 100.</summary>
    public double LogitScale { get; init; } = Scores.ClipLogitScale;

    /// <summary>
    /// Texts with a cosine above this are no "other texts" of each other; worth setting (0.95) where texts repeat in a batch, as those of classes do.
    /// Null, as in the released code: all count.
    /// </summary>
    public double? DuplicateCosine { get; init; }

    /// <summary>Seed of the order of the pairs, of the draws of prompts, and of the first low-rank weights.</summary>
    public int Seed { get; init; }

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of its range; <see cref="AdamW"/> checks its own.</summary>
    internal void Validate(int width, string parameter)
    {
        Require(LearningRate > 0, nameof(LearningRate), LearningRate, "above 0");
        Require(BatchSize >= 2, nameof(BatchSize), BatchSize, "at least 2");
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Require(Prompts >= 1, nameof(Prompts), Prompts, "at least 1");
        Require(Rank is not { } rank || (rank >= 1 && rank <= width), nameof(Rank), Rank ?? 0, $"1 to {width}, the width of the features");
        Require(LogitScale > 0 && double.IsFinite(LogitScale), nameof(LogitScale), LogitScale, "above 0");

        void Require(bool holds, string name, double value, string expected)
        {
            if (!holds)
            {
                throw new ArgumentException(FormattableString.Invariant($"{name} is {value}, expected {expected}."), parameter);
            }
        }
    }
}
