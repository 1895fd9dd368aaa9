namespace ClipOod.Notebook;

/// <summary>How <see cref="AdaNeg"/> makes one proxy of what a label's memory holds.</summary>
public enum AdaNegProxy
{
    /// <summary>The mean: one proxy per label for all images.</summary>
    TaskAdaptive,

    /// <summary>The sum weighted by exp(−β·(1 − cosine to the image)): a proxy per label and image.</summary>
    SampleAdaptive,
}

/// <summary>How <see cref="AdaNeg"/> remembers and scores; the defaults are those of the paper's released script for ImageNet.</summary>
public sealed record AdaNegOptions
{
    /// <summary>L, image features that a label's memory holds beside its text feature; at least 1. Defaults to 10.</summary>
    public int MemoryLength { get; init; } = 10;

    /// <summary>γ, the score between ID and OOD, 0 to 1. Defaults to 0.5.</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>g, how far from γ an image must score to be remembered, 0 (any) to 1 (none). Defaults to 0.5.</summary>
    public double Gap { get; init; } = 0.5;

    /// <summary>How the memory becomes a proxy. Defaults to the sample-adaptive one.</summary>
    public AdaNegProxy Proxy { get; init; } = AdaNegProxy.SampleAdaptive;

    /// <summary>β of the sample-adaptive proxy, at least 0. Defaults to the paper's 5.5, of which the released code drops the fraction.</summary>
    public double Beta { get; init; } = 5.5;

    /// <summary>
    /// How much NegLabel's score of the texts counts beside that of the proxies, at least 0. Defaults to the released script's 0.1; 1 is
    /// their plain sum.
    /// </summary>
    public double TextWeight { get; init; } = 0.1;

    /// <summary>G of NegLabel's grouping, 1 to the number of negatives. Defaults to 5.</summary>
    public int Groups { get; init; } = 5;

    /// <summary>Images that arrive together: all are remembered before any is scored. At least 1; defaults to the script's 256.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>Of the shuffle that deals negatives into groups.</summary>
    public int Seed { get; init; }

    /// <summary>s, multiplies the cosines. Defaults to CLIP's 100.</summary>
    public double LogitScale { get; init; } = Scores.ClipLogitScale;
}
