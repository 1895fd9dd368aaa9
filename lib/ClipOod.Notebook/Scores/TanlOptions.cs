namespace ClipOod.Notebook;

/// <summary>How <see cref="Tanl"/> scores a stream; the defaults are those of the paper's released script for ImageNet, except the threshold.</summary>
public sealed record TanlOptions
{
    /// <summary>Images whose activations the ID queue and the OOD queue hold at most; the oldest leave first. At least 1; defaults to 300.</summary>
    public int QueueLength { get; init; } = 300;

    /// <summary>How many of the most activated negatives are scored with, at least 1; all where there are fewer. Defaults to 1000.</summary>
    public int SelectedLabels { get; init; } = 1000;

    /// <summary>
    /// γ, the score between ID and OOD, 0 to 1. Defaults to 0.5; the released code looks for the split of least variance of all scores so
    /// far instead.
    /// </summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>g, how far from γ an image must score to enter a queue, 0 (any) to 1 (none). Defaults to 0.5.</summary>
    public double Gap { get; init; } = 0.5;

    /// <summary>Images that arrive together and are scored with the same order of negatives. At least 1; defaults to the script's 256.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Of the draw that starts a queue where more is given than it holds.</summary>
    public int Seed { get; init; }

    /// <summary>s, multiplies the cosines. Defaults to CLIP's 100.</summary>
    public double LogitScale { get; init; } = Scores.ClipLogitScale;
}
