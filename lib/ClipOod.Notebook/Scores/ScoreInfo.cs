namespace ClipOod.Notebook;

/// <summary>What a score asks for before it can be computed; tables keep the families apart, as their numbers are not comparable.</summary>
public enum ScoreFamily
{
    /// <summary>A trained model and the names of the classes, or a classifier's logits; no images beforehand.</summary>
    ZeroShot,

    /// <summary>Features of ID training images, from which statistics are taken.</summary>
    IdFeatures,

    /// <summary>Weights that were trained for it.</summary>
    Trained,

    /// <summary>The stream of test images itself, OOD ones included.</summary>
    TestTimeAdaptive,
}

/// <summary>What is given to a score.</summary>
[Flags]
public enum ScoreInputs
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Image features.</summary>
    Features = 1,

    /// <summary>Text features of the class names.</summary>
    Text = 2,

    /// <summary>Class labels of ID training images.</summary>
    Labels = 4,

    /// <summary>Logits, or the weights of a head that makes them.</summary>
    Logits = 8,

    /// <summary>The images themselves, and gradients with respect to them.</summary>
    Pixels = 16,

    /// <summary>Text features of names that are no class.</summary>
    OodText = 32,

    /// <summary>Test images in an order, remembered from one to the next.</summary>
    Stream = 64,

    /// <summary>Features of the patches of an image.</summary>
    PatchTokens = 128,
}

/// <summary>One OOD score of the workbook: where it comes from, what it computes, and where it is taught and checked.</summary>
public sealed record ScoreInfo
{
    /// <summary>A short name for parameters and files, in lower case with hyphens.</summary>
    public required string Key { get; init; }

    /// <summary>What charts and tables call the score.</summary>
    public required string Name { get; init; }

    /// <summary>What it asks for.</summary>
    public required ScoreFamily Family { get; init; }

    /// <summary>The paper's authors, as cited: "Ming et al.".</summary>
    public required string Authors { get; init; }

    /// <summary>The paper's title.</summary>
    public required string Title { get; init; }

    /// <summary>The year the paper was published in, by the venue where there is one.</summary>
    public required int Year { get; init; }

    /// <summary>The paper on arXiv.</summary>
    public required Uri Url { get; init; }

    /// <summary>The repository whose code was followed: "owner/name" on GitHub.</summary>
    public required string ReferenceCode { get; init; }

    /// <summary>The score in one line of plain text; s cosines, z logits, p = softmax(z), higher = more ID.</summary>
    public required string Equation { get; init; }

    /// <summary>What is given to it.</summary>
    public required ScoreInputs Needs { get; init; }

    /// <summary>The public method of the library that returns it: "Scores.Mcm".</summary>
    public required string Member { get; init; }

    /// <summary>The notebook that teaches it.</summary>
    public required int Notebook { get; init; }

    /// <summary>The section of the golden values that it is checked against; null where there is none.</summary>
    public string? Golden { get; init; }

    /// <summary>Why there is no section of golden values, and what is checked instead; null where there is one.</summary>
    public string? WithoutGolden { get; init; }

    /// <summary>In which point it is not the paper's method; null where it is.</summary>
    public string? Substitute { get; init; }

    /// <summary>Authors and year: "Ming et al. 2022".</summary>
    public string Citation => FormattableString.Invariant($"{Authors} {Year}");
}
