using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>What a <see cref="NoveltyDetector"/> is told beside the features of the known images.</summary>
public sealed record NoveltyOptions
{
    /// <summary>Name of the model that made the features, for messages and saved detectors.</summary>
    public string Model { get; init; } = "unnamed";

    /// <summary>Fingerprint of the model, as <c>ClipEncoder.ModelHash</c>; features of another one are refused where both are known.</summary>
    public string ModelHash { get; init; } = "";

    /// <summary>Names of the known images, one each, by which the nearest one is told; null for "class, number".</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>Text features of the classes in their order, where the model reads text.</summary>
    public TextFeatures? Text { get; init; }

    /// <summary>Text features of words that may name strangers, where the model reads text.</summary>
    public TextFeatures? Words { get; init; }

    /// <summary>The factor from cosines to logits.</summary>
    public double LogitScale { get; init; } = Scores.ClipLogitScale;

    /// <summary>Of the folds that held-out scores come from.</summary>
    public int Seed { get; init; }

    /// <summary>The prompt for names of classes and words where none is given.</summary>
    public const string DefaultPrompt = "a photo of a {}.";

    /// <summary>The options for the known images of a folder: names of the model and the files, and texts where the model reads them.</summary>
    /// <param name="model">The model that encoded them.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="images">Its encoded images.</param>
    /// <param name="words">Words that may name strangers; they need a model that reads text.</param>
    /// <param name="prompt">The sentence for classes and words, with {} for the name.</param>
    /// <exception cref="NoveltyException">There are words, and the model reads no text.</exception>
    public static NoveltyOptions Of(PhotoModel model, ImageFolder folder, EncodedFolder images, IReadOnlyList<string>? words = null, string prompt = DefaultPrompt)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(images);
        ClipModel? reader = model.Reader;
        if (words is not null && reader is null)
        {
            throw new NoveltyException($"Words need a model that reads text, and {model.Name} does not. Leave them out, or take a CLIP with its vocabulary.");
        }

        return new NoveltyOptions
        {
            Model = model.Name,
            ModelHash = model.Encoder.ModelHash,
            Files = [.. images.Files.Select(folder.NameOf)],
            Text = reader?.EncodeClasses(folder.Classes, [prompt]).ToTextFeatures(folder.Classes),
            Words = words is null ? null : reader!.EncodeClasses(words, [prompt]).ToTextFeatures(words),
            LogitScale = reader is null ? Scores.ClipLogitScale : Math.Exp(reader.LogitScale.Value.ToDouble()),
        };
    }
}

/// <summary>The known images cannot be told from each other by this model, or are too few: a verdict would mean nothing. The message says what to do.</summary>
public sealed class NoveltyException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is the matter and what to do.</param>
    public NoveltyException(string message)
        : base(message)
    {
    }
}
