namespace ClipOod.Clip;

/// <summary>How encoding goes on.</summary>
/// <param name="Done">Images or texts done, failed ones included.</param>
/// <param name="Total">Images or texts in all.</param>
/// <param name="Failed">Images that could not be read.</param>
/// <param name="Elapsed">Time since the start.</param>
public readonly record struct ClipProgress(int Done, int Total, int Failed, TimeSpan Elapsed)
{
    /// <summary>Images or texts per second so far.</summary>
    public double PerSecond => Elapsed > TimeSpan.Zero ? Done / Elapsed.TotalSeconds : 0;

    /// <summary>The time left at this rate; null before anything is done.</summary>
    public TimeSpan? Left => Done > 0 ? Elapsed * ((double)(Total - Done) / Done) : null;

    /// <summary>For example "128 of 500, 41.3 per second, 9 s left, 1 failed".</summary>
    public override string ToString() => FormattableString.Invariant($"{Done} of {Total}, {PerSecond:0.0} per second")
        + (Left is TimeSpan left ? FormattableString.Invariant($", {left.TotalSeconds:0} s left") : "")
        + (Failed > 0 ? FormattableString.Invariant($", {Failed} failed") : "");
}

/// <summary>How to encode.</summary>
public sealed record ClipEncodingOptions
{
    /// <summary>Images or texts in one run of the model, at least 1.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Whether features get a length of 1, as cosines want them.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>What to do with a text that is too long for the context.</summary>
    public OverflowMode Overflow { get; init; } = OverflowMode.Truncate;

    /// <summary>The largest image, in pixels, to decode.</summary>
    public int MaxPixels { get; init; } = ImageDecoder.DefaultMaxPixels;

    /// <summary>
    /// The side in pixels of small pictures for readers, which come from the same decoding as the features; null makes none. Of images only.
    /// </summary>
    public int? ThumbnailSide { get; init; }

    /// <summary>Told after every batch, on the thread that encodes.</summary>
    public IProgress<ClipProgress>? Progress { get; init; }
}

/// <summary>An image that could not be encoded.</summary>
/// <param name="Index">Its place among the images given.</param>
/// <param name="Path">Its path.</param>
/// <param name="Message">What is wrong with it.</param>
public sealed record ClipFailure(int Index, string Path, string Message);

/// <summary>Features of images or texts, and what made them.</summary>
public sealed record ClipEncoding
{
    /// <summary>The features, <see cref="Count"/> × <see cref="Width"/>, row by row.</summary>
    public required float[] Values { get; init; }

    /// <summary>Width of a feature.</summary>
    public required int Width { get; init; }

    /// <summary>For each row the place of its image or text among those given: with failures, some are left out.</summary>
    public required IReadOnlyList<int> Indices { get; init; }

    /// <summary>For each row the image's path, the text, or the class name; "image N" for images given as pixels.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The images that could not be encoded, in the order given.</summary>
    public IReadOnlyList<ClipFailure> Failures { get; init; } = [];

    /// <summary>For each row a small square picture, where <see cref="ClipEncodingOptions.ThumbnailSide"/> asked for them; else empty.</summary>
    public IReadOnlyList<RgbImage> Thumbnails { get; init; } = [];

    /// <summary>Whether rows have a length of 1.</summary>
    public required bool IsNormalized { get; init; }

    /// <summary>The model's <see cref="ClipEncoder.ModelHash"/>.</summary>
    public required string ModelHash { get; init; }

    /// <summary>In what numbers it was computed: the model's <see cref="ClipEncoder.PrecisionName"/>, of texts "FP32".</summary>
    public required string Precision { get; init; }

    /// <summary>How images were prepared, such as "resize 224 Bicubic, centre crop, mean 0.481 0.458 0.408, deviation 0.269 0.261 0.276"; null for texts.</summary>
    public string? Preprocessing { get; init; }

    /// <summary>The templates of a class's prompts, separated by " | "; null where texts were given as they are, and for images.</summary>
    public string? Prompt { get; init; }

    /// <summary>Number of rows.</summary>
    public int Count => Indices.Count;

    /// <summary>A row.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<float> Row(int index) => Values.AsSpan(index * Width, Width);

    /// <summary>For example "499 x 512 features, 1 of 500 images failed: broken.jpg (…)".</summary>
    public override string ToString() => FormattableString.Invariant($"{Count} x {Width} features")
        + (Failures.Count == 0 ? "" : FormattableString.Invariant($", {Failures.Count} of {Count + Failures.Count} images failed: ")
            + string.Join("; ", Failures.Select(failure => failure.Message)));
}
