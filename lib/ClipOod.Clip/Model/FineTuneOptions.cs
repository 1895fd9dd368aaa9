namespace ClipOod.Clip;

/// <summary>What a fine-tuning tells after each epoch.</summary>
/// <param name="Epoch">1 to the number of epochs.</param>
/// <param name="MeanLoss">Mean loss in nats over the images of the epoch, each at the weights of its step.</param>
/// <param name="Accuracy">Share of these images that were classified right at that time, 0 to 1.</param>
public sealed record FineTuneEpoch(int Epoch, double MeanLoss, double Accuracy);

/// <summary>
/// How <see cref="ClipFineTuner"/> trains. Defaults to the recipe of PLP's paper, DeiT's (Touvron et al. 2021), without its mixup, cutmix and
/// averaged weights.
/// </summary>
public sealed record FineTuneOptions
{
    /// <summary>Passes over the images, at least 1. Defaults to 100.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>Images per step, at least 1; the last batch of an epoch may be smaller. Defaults to 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Peak learning rate of AdamW, above 0. Defaults to 6.25e-5, DeiT's 5e-4 for 512 images scaled to a batch of 64.</summary>
    public double LearningRate { get; init; } = 5e-4 * 64 / 512;

    /// <summary>Learning rate that the cosine ends at, from 0 to the peak. Defaults to 1e-5.</summary>
    public double FinalLearningRate { get; init; } = 1e-5;

    /// <summary>Share of the steps in which the rate rises linearly from 0, 0 up to 1. Defaults to 0.05, 5 of 100 epochs.</summary>
    public double WarmUpFraction { get; init; } = 0.05;

    /// <summary>AdamW's decoupled weight decay, at least 0; of matrices only, without the position embeddings. Defaults to 0.05.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>ε of label smoothing, 0 up to 1: the target is 1 − ε + ε/K for the label and ε/K for the others. Defaults to 0.1.</summary>
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>Seed of the head's first weights and of the order of the images. Defaults to 0.</summary>
    public int Seed { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Epochs, 1, nameof(Epochs));
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1, nameof(BatchSize));
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a number above 0");
        Require(FinalLearningRate >= 0 && FinalLearningRate <= LearningRate, nameof(FinalLearningRate), FinalLearningRate, $"0 to {nameof(LearningRate)}");
        Require(WarmUpFraction is >= 0 and < 1, nameof(WarmUpFraction), WarmUpFraction, "a share from 0 up to 1");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "a number of at least 0");
        Require(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing, "a number from 0 up to 1");

        static void Require(bool holds, string name, double value, string expected)
        {
            if (!holds)
            {
                throw new ArgumentOutOfRangeException(name, value, $"Expected {expected}.");
            }
        }
    }
}
