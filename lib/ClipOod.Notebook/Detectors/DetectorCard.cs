namespace ClipOod.Notebook;

/// <summary>What a detector asks for before it can judge; tables keep the families apart, as their numbers are not comparable.</summary>
public enum DetectorFamily
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

/// <summary>What is given to a detector.</summary>
[Flags]
public enum DetectorInputs
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

    /// <summary>ID training images.</summary>
    TrainImages = 256,

    /// <summary>A "no" text tower that was trained for the model.</summary>
    NoText = 512,
}

/// <summary>A number that a detector is configured with.</summary>
/// <param name="Name">As in the paper, in lower case.</param>
/// <param name="Value">The value in this configuration.</param>
/// <param name="Paper">The value in the paper or its code; null where it has none.</param>
/// <param name="Rule">How the value was chosen, such as "the paper's".</param>
public sealed record Hyperparameter(string Name, double Value, double? Paper, string Rule);

/// <summary>One OOD detector of the workbook: where it comes from, what it computes, how it is configured, and where it is taught and checked.</summary>
public sealed record DetectorCard
{
    /// <summary>A short name for parameters and files, in lower case with hyphens.</summary>
    public required string Key { get; init; }

    /// <summary>What charts and tables call the detector.</summary>
    public required string Name { get; init; }

    /// <summary>What it asks for.</summary>
    public required DetectorFamily Family { get; init; }

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
    public required DetectorInputs Needs { get; init; }

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

    /// <summary>The numbers that it is configured with.</summary>
    public IReadOnlyList<Hyperparameter> Hyperparameters { get; init; } = [];

    /// <summary>Authors and year: "Ming et al. 2022".</summary>
    public string Citation => FormattableString.Invariant($"{Authors} {Year}");

    /// <summary>The name as tables show it: with a star where it is a substitute.</summary>
    public string Label => Substitute is null ? Name : $"{Name} *";

    /// <summary>The value of a hyper-parameter.</summary>
    /// <param name="hyperparameter">A name of <see cref="Hyperparameters"/>.</param>
    /// <exception cref="ArgumentException">There is no such hyper-parameter; the message lists those there are.</exception>
    public double this[string hyperparameter] => Find(hyperparameter).Value;

    /// <summary>The card of the same detector with another value of a hyper-parameter, of which key and name tell.</summary>
    internal DetectorCard With(string hyperparameter, double value)
    {
        Hyperparameter old = Find(hyperparameter);
        if (!double.IsFinite(value))
        {
            throw new ArgumentException($"{Name}: {hyperparameter} is {value}, expected a finite number.", nameof(value));
        }

        return old.Value == value ? this : this with
        {
            Key = FormattableString.Invariant($"{Key}[{hyperparameter}={value:R}]"),
            Name = FormattableString.Invariant($"{Name}, {hyperparameter} {value:G6}"),
            Hyperparameters = [.. Hyperparameters.Select(h => h == old ? h with { Value = value, Rule = "a variant" } : h)],
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Label} ({Citation}): {Equation}";

    private Hyperparameter Find(string hyperparameter) => Hyperparameters.FirstOrDefault(h => h.Name == hyperparameter)
        ?? throw new ArgumentException(
            $"{Name} has no hyper-parameter '{hyperparameter}', it has {(Hyperparameters.Count == 0 ? "none" : string.Join(", ", Hyperparameters.Select(h => h.Name)))}.",
            nameof(hyperparameter));
}
