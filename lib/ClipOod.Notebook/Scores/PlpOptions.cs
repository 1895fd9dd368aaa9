namespace ClipOod.Notebook;

/// <summary>How a <see cref="Plp"/> probe is trained. Start from <see cref="Filtered"/> or <see cref="Unfiltered"/>.</summary>
public sealed record PlpOptions
{
    /// <summary>With the filter of the paper's text: training images of a zero-shot probability of at least 0.9.</summary>
    public static PlpOptions Filtered { get; } = new();

    /// <summary>As the paper's released code, which trains on every image.</summary>
    public static PlpOptions Unfiltered { get; } = new() { MinProbability = 0 };

    /// <summary>Smallest zero-shot probability of an image to train on, 0 to 1; 0 keeps all. Defaults to 0.9.</summary>
    public double MinProbability { get; init; } = 0.9;

    /// <summary>
    /// How many images, most probable first, a class keeps that the filter would leave without any. Defaults to 10; see
    /// <see cref="PseudoLabels.RescuedClasses"/>.
    /// </summary>
    public int KeepAtLeastPerEmptyClass { get; init; } = 10;

    /// <summary>Training of the head. Defaults to <see cref="HeadOptions.Plp"/>.</summary>
    public HeadOptions Head { get; init; } = HeadOptions.Plp;

    /// <summary>The covariances of <see cref="Plp.Rmd"/>. Defaults to those of the paper's code.</summary>
    public MahalanobisConvention Convention { get; init; } = MahalanobisConvention.Plp;

    /// <summary>
    /// Adds shrinkage·tr(Σ)/K to the diagonal of both covariances of <see cref="Plp.Rmd"/>, which are near-singular for few classes or few
    /// images. Defaults to <see cref="Mahalanobis.SuggestedShrinkage"/>; 0 is the paper's code.
    /// </summary>
    public double Shrinkage { get; init; } = Mahalanobis.SuggestedShrinkage;
}
