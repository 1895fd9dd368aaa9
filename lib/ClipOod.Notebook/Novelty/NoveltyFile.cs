using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>A <see cref="NoveltyDetector"/> as a file: JSON, its arrays in base64, little-endian.</summary>
internal static class NoveltyFile
{
    private const string Format = "clipood detector";
    private const int Version = 1;

    private static readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Save(NoveltyDetector detector, string path)
    {
        FeatureSet? known = detector.Known;
        NoveltyOptions options = detector.Options;
        Content content = new(
            Format,
            Version,
            known is null
                ? "class statistics of the known images: means and covariances of their features, no feature of an image, no name of a file; the mean of a class of few images is close to each of them"
                : "the features and file names of the known images: who has the model can tell from them much of what the images show; save without features to leave them out",
            options.Model,
            options.ModelHash,
            detector.Width,
            options.LogitScale,
            options.Seed,
            detector.Classes,
            detector.Counts,
            known is null ? null : new Images(options.Files, known.Labels, known.Provenance, ToText<float>(known.Features.Values)),
            known is not null ? null : ToStatistics(detector.Fitted.Statistics),
            ToTexts(options.Text),
            ToTexts(options.Words),
            new Measured(detector.Scores, [.. detector.HeldOut], detector.HeldOutClasses, detector.Accuracy, detector.Forgotten, detector.TypicalCosine));
        AtomicFile.Write(path, JsonSerializer.Serialize(content, _json) + "\n");
    }

    public static NoveltyDetector Load(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        RequireVersion(path, bytes);
        try
        {
            return ToDetector(JsonSerializer.Deserialize<Content>(bytes, _json)!);
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{path} is a damaged detector: {e.Message} Fit and save it again.", e);
        }
    }

    private static void RequireVersion(string path, byte[] bytes)
    {
        Head? head;
        try
        {
            head = JsonSerializer.Deserialize<Head>(bytes, _json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no detector: got {(bytes.Length == 0 ? "an empty file" : $"no whole JSON ({e.Message})")}, expected what clipood detect --save writes. Fit and save it again.", e);
        }

        if (head?.Format != Format)
        {
            throw new InvalidDataException($"{path} is no detector: got JSON of another kind, expected \"format\": \"{Format}\". Name the file that clipood detect --save wrote.");
        }

        if (head.Version != Version)
        {
            throw new InvalidDataException($"{path} is a detector of version {head.Version}, expected {Version}. {(head.Version > Version ? "A later ClipOod wrote it: update this one, or" : "")} Fit and save it again.");
        }
    }

    private static NoveltyDetector ToDetector(Content content)
    {
        NoveltyOptions options = new()
        {
            Model = content.Model,
            ModelHash = content.ModelHash,
            Files = content.Images?.Files,
            Text = FromTexts(content.Text, content.Width),
            Words = FromTexts(content.Words, content.Width),
            LogitScale = content.LogitScale,
            Seed = content.Seed,
        };
        FeatureSet? known = content.Images is not { } images ? null : new FeatureSet(
            "known images", "own images", new Embeddings(images.Labels.Count, content.Width, FromText<float>(images.Features)), images.Labels, content.Classes, images.Provenance);
        int count = content.Counts.Sum();
        if (content.Classes.Count == 0 || content.Counts.Count != content.Classes.Count
            || (known is null && content.Statistics is null)
            || (known is not null && (known.Count != count || (options.Files is { } files && files.Count != count)))
            || (options.Text is { } text && text.Count != content.Classes.Count)
            || content.Measured.HeldOut.Length != count || content.Measured.HeldOutClasses.Count != count
            || !content.Measured.Scores.Any(score => score.Used))
        {
            throw new JsonException("its parts are not of one number of images and classes.");
        }

        Measured measured = content.Measured;
        NoveltyDetector detector = NoveltyDetector.Restore(
            known,
            content.Classes,
            content.Counts,
            options,
            content.Statistics is null ? null : FromStatistics(content.Statistics, content.Classes.Count, content.Width, count),
            new(measured.Scores, measured.HeldOut, [.. measured.HeldOutClasses], measured.Accuracy, measured.Forgotten, measured.TypicalCosine));
        return detector.Fitted.Names.Select(name => name.Key).SequenceEqual(measured.Scores.Select(score => score.Key))
            ? detector
            : throw new JsonException("its scores are not those that its parts give.");
    }

    private static Texts? ToTexts(TextFeatures? texts) =>
        texts is null ? null : new Texts(texts.Classes, texts.Prompt, texts.Provenance, ToText<float>(texts.Features.Values));

    private static TextFeatures? FromTexts(Texts? texts, int width) => texts is null ? null : new TextFeatures(
        new Embeddings(texts.Names.Count, width, FromText<float>(texts.Features)), texts.Names, texts.Prompt, texts.Provenance);

    private static ClassStatistics ToStatistics(Gaussians gaussians)
    {
        int width = gaussians.GlobalMean.Length;
        return new ClassStatistics(
            ToText<double>(gaussians.Means.SelectMany(mean => mean!).ToArray()),
            ToText<double>(gaussians.GlobalMean),
            ToText<double>(Lower(gaussians.Shared, width)),
            ToText<double>(Lower(gaussians.Background, width)));
    }

    private static Gaussians FromStatistics(ClassStatistics statistics, int classes, int width, int rows)
    {
        double[] means = Sized(FromText<double>(statistics.Means), classes * width);
        return new Gaussians(
            [.. Enumerable.Range(0, classes).Select(k => means[(k * width)..((k + 1) * width)])],
            Sized(FromText<double>(statistics.Mean), width),
            Whole(Sized(FromText<double>(statistics.Shared), width * (width + 1) / 2), width),
            Whole(Sized(FromText<double>(statistics.Background), width * (width + 1) / 2), width),
            MahalanobisConvention.OpenOod,
            rows);
    }

    private static double[] Sized(double[] values, int length) => values.Length == length && values.All(double.IsFinite)
        ? values
        : throw new JsonException($"got {values.Length} statistics, expected {length} finite ones.");

    // A covariance is symmetric: half of it says all.
    private static double[] Lower(double[] square, int width) =>
        [.. Enumerable.Range(0, width).SelectMany(i => square[(i * width)..((i * width) + i + 1)])];

    private static double[] Whole(double[] lower, int width)
    {
        double[] square = new double[width * width];
        for (int i = 0, at = 0; i < width; i++)
        {
            for (int j = 0; j <= i; j++, at++)
            {
                square[(i * width) + j] = square[(j * width) + i] = lower[at];
            }
        }

        return square;
    }

    private static string ToText<T>(ReadOnlySpan<T> values)
        where T : unmanaged => Convert.ToBase64String(MemoryMarshal.AsBytes(values));

    private static T[] FromText<T>(string text)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Convert.FromBase64String(text)).ToArray();

    private sealed record Head(string? Format, int Version);

    private sealed record Content(
        string Format,
        int Version,
        string Holds,
        string Model,
        string ModelHash,
        int Width,
        double LogitScale,
        int Seed,
        IReadOnlyList<string> Classes,
        IReadOnlyList<int> Counts,
        Images? Images,
        ClassStatistics? Statistics,
        Texts? Text,
        Texts? Words,
        Measured Measured);

    private sealed record Images(IReadOnlyList<string>? Files, IReadOnlyList<int> Labels, string Provenance, string Features);

    private sealed record ClassStatistics(string Means, string Mean, string Shared, string Background);

    private sealed record Texts(IReadOnlyList<string> Names, string Prompt, string Provenance, string Features);

    private sealed record Measured(
        IReadOnlyList<NoveltyScore> Scores, double[] HeldOut, IReadOnlyList<int> HeldOutClasses, double Accuracy, IReadOnlyList<ForgottenClass> Forgotten, double TypicalCosine);
}
