using System.Globalization;
using System.Text;

namespace ClipOod.Notebook;

/// <summary>
/// Every OOD detector of the workbook, once, in its one configuration. The README's table of methods is this one, notebooks and benchmarks
/// take their detectors from here, and tests walk it: each exists, is taught and is checked.
/// </summary>
public static class DetectorCatalog
{
    /// <summary>The detectors, family by family.</summary>
    public static IReadOnlyList<Detector> All { get; } =
    [
        .. new[]
        {
            Scores.Detectors, Odin.Detectors, Zoc.Detectors, GlMcm.Detectors, NegativeLabels.Detectors, Eoe.Detectors, Csp.Detectors,
            NegRefine.Detectors, Mahalanobis.Detectors, ReAct.Detectors, Vim.Detectors, NearestNeighbors.Detectors, Clipn.Detectors,
            ClipnLite.Detectors, Plp.Detectors, AdaNeg.Detectors, Tanl.Detectors,
        }.SelectMany(detectors => detectors).OrderBy(detector => detector.Card.Family),
    ];

    /// <summary>The detector of a key, or a variant of one.</summary>
    /// <param name="key">Such as "mcm", or "mcm[temperature=0.01]" for a variant.</param>
    /// <exception cref="KeyNotFoundException">There is none of this key; the message lists those there are.</exception>
    public static Detector Of(string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        string[] parts = key.TrimEnd(']').Split('[', '=');
        Detector detector = All.FirstOrDefault(other => other.Card.Key == parts[0])
            ?? throw new KeyNotFoundException($"There is no detector '{key}', there are: {string.Join(", ", All.Select(other => other.Card.Key))}.");
        return parts.Length == 1 ? detector
            : parts.Length == 3 && double.TryParse(parts[2], CultureInfo.InvariantCulture, out double value) ? detector.With(parts[1], value)
            : throw new KeyNotFoundException($"'{key}' is no variant of {detector.Card.Name}, expected {parts[0]}[name=value] with a number.");
    }

    /// <summary>The detectors as a table, one row each.</summary>
    public static ResultTable ToTable() => new ResultTable("OOD detectors of this workbook")
        .Text("Detector", Cards.Select(card => card.Name))
        .Text("Family", Cards.Select(card => NameOf(card.Family)))
        .Text("Needs", Cards.Select(NeedsOf))
        .Text("Equation, higher = more ID", Cards.Select(card => card.Equation))
        .Text("Paper", Cards.Select(card => card.Citation))
        .Text("Reference code", Cards.Select(card => card.ReferenceCode))
        .Text("Library", Cards.Select(card => card.Member))
        .Text("Notebook", Cards.Select(Number))
        .Text("Golden values", Cards.Select(card => card.Golden ?? $"none: {card.WithoutGolden}"))
        .Text("Substitute", Cards.Select(card => card.Substitute ?? "no"))
        .Note("s cosines of image and text, z logits, p = softmax(z). Compare detectors within a family: adaptive ones see the OOD images, trained ones have weights of their own.");

    /// <summary>The detectors as a Markdown table, lines ending in a line feed.</summary>
    internal static string ToMarkdown()
    {
        StringBuilder table = new("| detector | family | needs | equation, higher = more ID | paper, code | library | notebook |\n|---|---|---|---|---|---|---|\n");
        foreach (DetectorCard card in Cards)
        {
            string name = card.Substitute is null ? card.Name : $"{card.Name} (substitute: {card.Substitute})";
            table.Append(
                CultureInfo.InvariantCulture,
                $"| {Cell(name)} | {NameOf(card.Family)} | {NeedsOf(card)} | {Cell(card.Equation)} | [{Cell(card.Citation)}]({card.Url}), [code](https://github.com/{card.ReferenceCode}) | `{card.Member}` | {Number(card)} |\n");
        }

        return table.ToString();
    }

    private static IEnumerable<DetectorCard> Cards => All.Select(detector => detector.Card);

    private static string Number(DetectorCard card) => card.Notebook.ToString("00", CultureInfo.InvariantCulture);

    /// <summary>A family in words.</summary>
    /// <param name="family">The family.</param>
    public static string NameOf(DetectorFamily family) => family switch
    {
        DetectorFamily.ZeroShot => "zero-shot",
        DetectorFamily.IdFeatures => "needs ID features",
        DetectorFamily.Trained => "trained",
        DetectorFamily.TestTimeAdaptive => "test-time adaptive",
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "Expected a family that has a name."),
    };

    /// <summary>What a detector needs, in words.</summary>
    /// <param name="card">Its card.</param>
    internal static string NeedsOf(DetectorCard card) => string.Join(", ", Enum.GetValues<DetectorInputs>()
        .Where(input => input != DetectorInputs.None && card.Needs.HasFlag(input))
        .Select(input => input switch
        {
            DetectorInputs.Features => "features",
            DetectorInputs.Text => "class texts",
            DetectorInputs.Labels => "labels",
            DetectorInputs.Logits => "logits",
            DetectorInputs.Pixels => "pixels",
            DetectorInputs.OodText => "other texts",
            DetectorInputs.Stream => "a stream",
            DetectorInputs.PatchTokens => "patch features",
            DetectorInputs.TrainImages => "ID images",
            DetectorInputs.NoText => "a \"no\" text tower",
            _ => throw new ArgumentOutOfRangeException(nameof(card), input, "Expected an input that has a name."),
        }));

    // A bar would end the cell.
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
