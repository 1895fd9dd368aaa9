namespace ClipOod.Notebook;

/// <summary>Writes what a picture shows, in varying words: sometimes only the name, sometimes colour, size, ground and flaws too.</summary>
internal static class CaptionWriter
{
    private static readonly string[] _media = ["a picture of", "a drawing of", "a pictogram of", "an icon of", "a sign with"];

    /// <summary>The templates of the default prompt ensemble, with {} for the class name.</summary>
    public static IReadOnlyList<string> Templates { get; } =
    [
        "a picture of a {}", "a drawing of a {}", "an icon of the {}", "a blurry picture of a {}", "an outline of a {}", "a small {}", "a pictogram of a {}",
    ];

    /// <summary>The default prompt, with {} for the class name.</summary>
    public const string Prompt = "a picture of a {}";

    /// <summary>A caption of a picture.</summary>
    /// <param name="concept">What it shows.</param>
    /// <param name="style">How it was drawn.</param>
    /// <param name="random">Chooses the words.</param>
    public static string Write(Concept concept, PictogramStyle style, Random random)
    {
        ArgumentNullException.ThrowIfNull(concept);
        ArgumentNullException.ThrowIfNull(style);
        ArgumentNullException.ThrowIfNull(random);
        string name = concept.Synonyms.Count > 0 && random.Chance(0.2) ? random.Choose(concept.Synonyms) : concept.Name;
        List<string> words = [];
        if (random.Chance(0.2) && Size(style) is string size && !concept.IsTexture)
        {
            words.Add(size);
        }

        if (random.Chance(0.25))
        {
            words.Add(style.Color);
        }

        words.Add(name);
        string thing = string.Join(' ', words);
        string article = random.Chance(0.25) ? "the" : concept.Article.Length == 0 ? "" : "aeiou".Contains(thing[0], StringComparison.Ordinal) ? "an" : "a";
        string ground = random.Chance(0.15) ? $" on {(style.Background[0] == 'o' ? "an" : "a")} {style.Background} background" : "";
        return $"{Medium(concept, style, random)} {article} {thing}{ground}".Replace("  ", " ", StringComparison.Ordinal).Trim();
    }

    private static string Medium(Concept concept, PictogramStyle style, Random random)
    {
        if (random.Chance(0.25))
        {
            return "";
        }

        string[] fitting =
        [
            .. concept.IsTexture ? ["a pattern of"] : Array.Empty<string>(),
            .. style.Fill == FillMode.Lines ? ["an outline of"] : Array.Empty<string>(),
            .. style.Blur > 0.8 ? ["a blurry picture of"] : Array.Empty<string>(),
            .. style.Noise > 15 ? ["a noisy picture of"] : Array.Empty<string>(),
            .. Math.Abs(style.Rotation) > 30 ? ["a tilted picture of"] : Array.Empty<string>(),
        ];
        return fitting.Length > 0 && random.Chance(0.5) ? random.Choose(fitting) : random.Choose(_media);
    }

    private static string? Size(PictogramStyle style) => style.Size switch { < 0.62 => "small", > 0.85 => "big", _ => null };
}
