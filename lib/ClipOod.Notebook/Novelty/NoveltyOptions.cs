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
