using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The model of a world that has one: encodes pictures, patches and texts. Not for several threads at once.</summary>
public abstract class WorldEncoder
{
    private const int BatchSize = 64;

    /// <summary>The CLIP model that made the world's features.</summary>
    public abstract ClipModel Model { get; }

    /// <summary>
    /// The "no" text tower (CLIPN) that was trained for <see cref="Model"/> and is part of its graph; null where there is none.
    /// </summary>
    /// <exception cref="InvalidDataException">Its file is broken, or was trained for other weights.</exception>
    public abstract ClipNoTextTower? NoText { get; }

    /// <summary>The prompt of the world's text features, with {} for the class name.</summary>
    public abstract string DefaultPrompt { get; }

    /// <summary>The same model loaded once more, for training that must not change <see cref="Model"/>.</summary>
    public abstract ClipModel LoadModel();

    /// <summary>Encodes pictures.</summary>
    /// <param name="name">Name of the set, for tables and charts.</param>
    /// <param name="split">Such as "test".</param>
    /// <param name="images">The pictures, of one size.</param>
    /// <param name="labels">The class of each.</param>
    /// <param name="classes">The class names.</param>
    public FeatureSet Encode(string name, string split, ImageBatch images, IReadOnlyList<int> labels, IReadOnlyList<string> classes)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Model.EncodeImages(images.AsRgbImages(), new ClipEncodingOptions { BatchSize = BatchSize }).ToFeatureSet(name, split, labels, classes, images);
    }

    /// <summary>Encodes the patches of pictures, as GL-MCM compares them with class names (arXiv 2304.04521).</summary>
    /// <param name="images">N pictures, cut into P patches each by the model.</param>
    /// <returns>Unit-norm features of the patches of the first picture, then of the second, and so on; shape (N·P, D).</returns>
    public Embeddings EncodeLocals(ImageBatch images)
    {
        ArgumentNullException.ThrowIfNull(images);
        float[] values = Model.EncodeLocals(images.AsRgbImages(), new ClipEncodingOptions { BatchSize = BatchSize }).Values;
        return new Embeddings(values.Length / Model.Width, Model.Width, values).Normalized();
    }

    /// <summary>Encodes pictures without the last step, the projection into the space that images and texts share; PLP probes these features.</summary>
    /// <param name="images">N pictures.</param>
    /// <returns>Features of the image tower, of any length; shape (N, width of the tower).</returns>
    public Embeddings EncodePooled(ImageBatch images)
    {
        ArgumentNullException.ThrowIfNull(images);
        ClipEncoding pooled = Model.EncodePooled(images.AsRgbImages(), new ClipEncodingOptions { BatchSize = BatchSize });
        return new Embeddings(pooled.Count, pooled.Width, pooled.Values);
    }

    /// <summary>The feature of each class as an ensemble of prompts.</summary>
    /// <param name="classes">The class names.</param>
    /// <param name="templates">Prompts with {} for the class name; null for <see cref="DefaultPrompt"/>.</param>
    public TextFeatures EncodeClasses(IReadOnlyList<string> classes, IReadOnlyList<string>? templates = null) =>
        Model.EncodeClasses(classes, templates ?? [DefaultPrompt]).ToTextFeatures(classes);
}
