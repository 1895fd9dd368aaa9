namespace ClipOod.Clip;

/// <summary>How a <see cref="ClipnTrainer"/> trains. The defaults are those of the released code, which trains on CC3M with batches of 2048.</summary>
public sealed record ClipnTrainerOptions
{
    /// <summary>The first learning rate of AdamW. Defaults to 3e-4; a tiny model wants more.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>Decay of AdamW's mean of gradients, 0 up to 1. Defaults to 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's mean of squared gradients, 0 up to 1. Defaults to 0.98.</summary>
    public double Beta2 { get; init; } = 0.98;

    /// <summary>What AdamW adds to the root of the mean of squares. Defaults to 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Weight decay of weights with two axes or more, at least 0; biases and gains have none. Defaults to 0.2.</summary>
    public double WeightDecay { get; init; } = 0.2;

    /// <summary>
    /// Number of steps over which the learning rate falls to 0 as half a cosine, without warm-up. Null: <see cref="ClipnTrainer.Train"/> takes
    /// the number of its steps, and single steps keep the first rate.
    /// </summary>
    public long? TotalSteps { get; init; }

    /// <summary>
    /// Null, as in the released code: both towers read the caption as it is, and prompts at all positions of the "no" tower are learned. Or
    /// a pool, such as <see cref="ClipnTemplate.Pool"/>, of which every caption draws one: without keywords nothing but the tower is learned
    /// (the paper's hand-crafted prompts), with keywords their token vectors too (the paper's learnable ones).
    /// </summary>
    public IReadOnlyList<ClipnTemplate>? Templates { get; init; }

    /// <summary>
    /// Captions with a cosine above this are no "other captions" of each other; worth setting (0.95) where captions repeat in a batch, as class
    /// names do. Null, as in the released code: all count.
    /// </summary>
    public double? DuplicateCosine { get; init; }

    /// <summary>Seed of the draws of prompts and templates, and of the order of <see cref="ClipnTrainer.Train"/>.</summary>
    public int Seed { get; init; }
}
