using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Notebook;

/// <summary>
/// Numbers that papers and repositories print, from <c>data/published.json</c>, to stand beside ours. They are of other images and
/// mostly of other backbones, so what can be compared is an order or a difference.
/// </summary>
public static class Published
{
    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly Lazy<IReadOnlyList<PublishedRow>> _all = new(() =>
    {
        using Stream file = typeof(Published).Assembly.GetManifestResourceStream("published.json")!;
        using var reader = new StreamReader(file);
        return Read(reader.ReadToEnd(), "data/published.json");
    });

    /// <summary>Every row, in the order of the file.</summary>
    public static IReadOnlyList<PublishedRow> All => _all.Value;

    /// <summary>The rows of a detector, pair and metric; what is null may be anything.</summary>
    /// <param name="detector">Key as in <see cref="DetectorCatalog"/>, such as "neglabel".</param>
    /// <param name="id">ID set as the papers call it, such as "ImageNet-1K".</param>
    /// <param name="ood">OOD set as the papers call it, such as "Textures".</param>
    /// <param name="metric">A <see cref="PublishedRow.Metric"/>, such as "fpr95" for every convention, or a <see cref="Metric.Key"/>.</param>
    /// <returns>The values themselves; printed differences have <see cref="PublishedRow.Over"/> and are left out.</returns>
    public static IReadOnlyList<PublishedRow> Find(string? detector = null, string? id = null, string? ood = null, string? metric = null) =>
    [
        .. All.Where(row => row.Over is null
            && (detector is null || row.Detector == detector)
            && (id is null || row.Id == id)
            && (ood is null || row.Ood == ood)
            && (metric is null || row.Metric == metric || row.MetricKey == metric)),
    ];

    /// <summary>Reads rows.</summary>
    /// <param name="json">The text of a file of rows.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InvalidDataException">A row has no source, lacks or misspells a field, or is not in percent; it is named.</exception>
    internal static IReadOnlyList<PublishedRow> Read(string json, string name)
    {
        List<PublishedRow> rows = [];
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (JsonElement element in document.RootElement.EnumerateArray())
            {
                try
                {
                    PublishedRow row = element.Deserialize<PublishedRow>(_format) ?? throw new JsonException("The row is null.");
                    rows.Add(Check(row));
                }
                catch (JsonException e)
                {
                    throw new InvalidDataException($"{name}, row {rows.Count + 1}, {element.GetRawText()}: {e.Message}", e);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{name}: expected an array of published rows: {e.Message}", e);
        }

        return rows;
    }

    private static PublishedRow Check(PublishedRow row) =>
        string.IsNullOrWhiteSpace(row.Source)
            ? throw new JsonException("The row has no source. Say where the number is printed.")
        : row.Convention is not null && row.Metric != "fpr95"
            ? throw new JsonException("Only a row of fpr95 has a convention.")
        : row.Over is null && row.Percent is not (>= 0 and <= 100)
            ? throw new JsonException("Expected percent, 0 to 100.")
        : row;
}

/// <summary>One published number.</summary>
/// <param name="Detector">Key of the detector, where this workbook has it as in <see cref="DetectorCatalog"/>.</param>
/// <param name="Backbone">Such as "ViT-B/16"; "not stated" where the source does not say.</param>
/// <param name="Id">The ID set as the source calls it.</param>
/// <param name="Metric">
/// "auroc", "fpr95", "aupr-in", "aupr-out", "aupr" (side not stated), "accuracy" or "detection-rate"; "entropy" and "entropy-threshold" of
/// one image, in nats.
/// </param>
/// <param name="Percent">
/// The number as printed, in percent; a difference in points where <paramref name="Over"/> is given; a hundred times the nats of an entropy.
/// </param>
/// <param name="Source">Paper with table, repository with file, or reader's note.</param>
/// <param name="Ood">The OOD set as the source calls it, or what the number is the mean of; null for a metric of ID images alone.</param>
/// <param name="Convention">Of FPR95; null where the source does not say.</param>
/// <param name="Variant">What tells the row from others of its detector: whose run, which prompt, how trained; null where nothing does.</param>
/// <param name="Over">Of a printed difference: what the detector is compared with.</param>
/// <param name="Flagged">Of a detection rate: the printed number of flagged images; null where the source prints none.</param>
/// <param name="Images">The number of images that the number is of; null where the source does not say.</param>
public sealed record PublishedRow(
    string Detector,
    string Backbone,
    string Id,
    string Metric,
    double Percent,
    string Source,
    string? Ood = null,
    FprConvention? Convention = null,
    string? Variant = null,
    string? Over = null,
    int? Flagged = null,
    int? Images = null)
{
    /// <summary>The number as a fraction, as this library's metrics are.</summary>
    [JsonIgnore]
    public double Value => Percent / 100;

    /// <summary>Key of the <see cref="ClipOod.Notebook.Metric"/> that the number is a value of; the metric's name where the source leaves that open.</summary>
    [JsonIgnore]
    public string MetricKey => Convention is FprConvention convention ? ClipOod.Notebook.Metric.Fpr95(convention).Key : Metric;
}
