using System.Collections;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// What a <see cref="ClipEncoder"/> encoded, as the feature sets of this library. The provenance records the model's hash and how images
/// were prepared; text features keep their prompt.
/// </summary>
public static class ClipEncodings
{
    /// <summary>Encoded images as a feature set; images that could not be encoded are left out, and the provenance says how many.</summary>
    /// <param name="encoding">Normalised features of images, as <see cref="ClipEncoder.EncodeImages(IReadOnlyList{string}, ClipEncodingOptions?, CancellationToken)"/> gives them.</param>
    /// <param name="name">The data set, such as "CIFAR-10".</param>
    /// <param name="split">Which part of it, such as "test".</param>
    /// <param name="labels">The class number of every image that was given to the encoder, also of those that failed.</param>
    /// <param name="classes">K class names.</param>
    /// <param name="images">The pictures that were given to the encoder, as readers see them.</param>
    /// <exception cref="ArgumentException">
    /// The features are of texts or not normalised, or labels or pictures are not one for each image given.
    /// </exception>
    public static FeatureSet ToFeatureSet(
        this ClipEncoding encoding, string name, string split, IReadOnlyList<int> labels, IReadOnlyList<string> classes, ImageBatch? images = null)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        ArgumentNullException.ThrowIfNull(labels);
        if (encoding.Preprocessing is null)
        {
            throw new ArgumentException("The encoding is of texts, expected one of images: use ToTextFeatures.", nameof(encoding));
        }

        int given = encoding.Count + encoding.Failures.Count;
        RequireOnePerImage(labels.Count, given, "labels", nameof(labels));
        RequireOnePerImage(images?.Count ?? given, given, "pictures", nameof(images));
        string failed = encoding.Failures.Count == 0 ? "" : $" {encoding.Failures.Count} of {given} images failed.";
        return new FeatureSet(
            name,
            split,
            ToEmbeddings(encoding),
            [.. encoding.Indices.Select(i => labels[i])],
            classes,
            $"{Encoder(encoding)}; {encoding.Preprocessing}.{failed}",
            images?.Select(encoding.Indices))
        {
            Precision = encoding.Precision,
        };
    }

    /// <summary>Encoded texts, or prompt ensembles of classes, as text features.</summary>
    /// <param name="encoding">
    /// Normalised features as <see cref="ClipEncoder.EncodeClasses"/> gives them, or of texts that each stand for a class.
    /// </param>
    /// <param name="classes">Class names for readers, one for each row. Defaults to what was encoded.</param>
    /// <exception cref="ArgumentException">The features are of images or not normalised, or the classes are not one for each row.</exception>
    public static TextFeatures ToTextFeatures(this ClipEncoding encoding, IReadOnlyList<string>? classes = null)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        return encoding.Preprocessing is null
            ? new TextFeatures(
                ToEmbeddings(encoding), classes ?? encoding.Sources, encoding.Prompt ?? "{}", $"{Encoder(encoding)}.", encoding.Sources)
            : throw new ArgumentException("The encoding is of images, expected one of texts: use ToFeatureSet.", nameof(encoding));
    }

    /// <summary>Pictures one by one, as an encoder takes them.</summary>
    /// <param name="images">N pictures of one size.</param>
    /// <returns>N pictures with the same pixels.</returns>
    public static RgbImage[] ToRgbImages(this ImageBatch images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return [.. Enumerable.Range(0, images.Count).Select(i => new RgbImage(images.Width, images.Height, images[i].ToArray()))];
    }

    /// <summary>The same pictures, each made when it is asked for: those of a large data set do not fit into memory at once.</summary>
    internal static IReadOnlyList<RgbImage> AsRgbImages(this ImageBatch images) => new Pictures(images);

    // Single precision is the rule, and goes without saying.
    private static string Encoder(ClipEncoding encoding) =>
        $"Encoded by the CLIP model {encoding.ModelHash}{(encoding.Precision == ClipPrecision.Single.Name() ? "" : $" in {encoding.Precision}")}";

    private static Embeddings ToEmbeddings(ClipEncoding encoding) => encoding.IsNormalized
        ? new Embeddings(encoding.Count, encoding.Width, encoding.Values)
        : throw new ArgumentException(
            $"The rows are as long as the model made them, expected a length of 1: encode with {nameof(ClipEncodingOptions)}.{nameof(ClipEncodingOptions.Normalize)}.",
            nameof(encoding));

    private static void RequireOnePerImage(int count, int given, string what, string parameter)
    {
        if (count != given)
        {
            throw new ArgumentException($"Got {count} {what} for {given} images given to the encoder, expected one for each.", parameter);
        }
    }

    private sealed class Pictures(ImageBatch images) : IReadOnlyList<RgbImage>
    {
        public int Count => images.Count;

        public RgbImage this[int index] => new(images.Width, images.Height, images[index].ToArray());

        public IEnumerator<RgbImage> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
