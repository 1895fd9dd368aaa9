namespace ClipOod.Clip;

/// <summary>Perturbed images and how well their features match those of their targets.</summary>
public sealed record FeatureAttackResult
{
    /// <summary>The perturbed images: count × 3 × size × size, channel-major, each value in [0, 1].</summary>
    public required float[] Pixels { get; init; }

    /// <summary>Side of an image in pixels.</summary>
    public required int Size { get; init; }

    /// <summary>The perturbed images' features that the attack matched, not normalised: count × <see cref="Width"/>.</summary>
    public required float[] Features { get; init; }

    /// <summary>Width of a feature.</summary>
    public required int Width { get; init; }

    /// <summary>Cosine of each image's feature and its target's before the attack.</summary>
    public required IReadOnlyList<double> CosinesBefore { get; init; }

    /// <summary>The same after the attack.</summary>
    public required IReadOnlyList<double> CosinesAfter { get; init; }

    /// <summary>The same after the attack when the image is rounded to 8 bits, as <see cref="Image"/> gives it and files hold it.</summary>
    public required IReadOnlyList<double> CosinesRounded { get; init; }

    /// <summary>Mean of δ² over the pixels of each image, on the scale [0, 1].</summary>
    public required IReadOnlyList<double> SquaredPerturbations { get; init; }

    /// <summary>Images that were given; more than <see cref="Count"/> where the attack was cancelled.</summary>
    public required int Total { get; init; }

    /// <summary>Images that are finished: the first ones of those given.</summary>
    public int Count => CosinesAfter.Count;

    /// <summary>Whether all images are finished.</summary>
    public bool IsComplete => Count == Total;

    /// <summary>A perturbed image, rounded to 8 bits.</summary>
    /// <param name="index">0 to <see cref="Count"/> − 1.</param>
    public RgbImage Image(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        int area = Size * Size;
        byte[] rgb = new byte[3 * area];
        for (int i = 0; i < rgb.Length; i++)
        {
            rgb[i] = UnitPixels.ToByte(Pixels[(index * rgb.Length) + (i % 3 * area) + (i / 3)]);
        }

        return new RgbImage(Size, Size, rgb);
    }

    /// <summary>For example "48 images: mean cosine 0.5123 before, 0.9012 after, 0.8990 rounded to 8 bits; mean δ² 0.00012".</summary>
    public override string ToString() => Count == 0
        ? $"0 of {Total} images"
        : (IsComplete ? "" : $"cancelled: {Count} of ")
            + FormattableString.Invariant($"{Total} images: mean cosine {CosinesBefore.Average():0.0000} before, {CosinesAfter.Average():0.0000} after, ")
            + FormattableString.Invariant($"{CosinesRounded.Average():0.0000} rounded to 8 bits; mean δ² {SquaredPerturbations.Average():0.0######}");
}
