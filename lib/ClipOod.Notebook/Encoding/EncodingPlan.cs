using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// Everything that the encoded rows of a data set depend on. Rows of one plan are equal whoever computed them, on one kind of machine:
/// which images share a batch follows from the plan alone.
/// </summary>
internal sealed record EncodingPlan
{
    /// <summary>Images that are encoded and kept together, failed ones included. A killed process loses less than this many.</summary>
    public const int ChunkImages = 256;

    /// <summary>Images in one run of the model; chunks hold a whole number of batches.</summary>
    public const int BatchImages = 16;

    private static readonly JsonSerializerOptions _format = new() { WriteIndented = true };

    /// <summary>What to call the model.</summary>
    public required string Model { get; init; }

    /// <summary>Its <see cref="ClipEncoder.ModelHash"/>.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>In what numbers the model computes, such as "FP32".</summary>
    public required string Precision { get; init; }

    /// <summary>The side in pixels of the images that the model sees.</summary>
    public required int ImageSize { get; init; }

    /// <summary>How images are prepared.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>What is kept of each image.</summary>
    public required string Outputs { get; init; }

    /// <summary>The data set, such as "CIFAR-10".</summary>
    public required string Dataset { get; init; }

    /// <summary>Which part of it.</summary>
    public required string Split { get; init; }

    /// <summary>The class names, in the order of their numbers.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>SHA-256 over names, sizes and classes of the images in their order; their content is not read for it.</summary>
    public required string DataSha256 { get; init; }

    /// <summary>Number of images, N.</summary>
    public required int Images { get; init; }

    /// <summary>Versions of this library and of ONNX Runtime.</summary>
    public required string Version { get; init; }

    /// <summary>Number of chunks.</summary>
    public int Chunks => (Images + ChunkImages - 1) / ChunkImages;

    /// <summary>The plan of a model and a data set.</summary>
    public static EncodingPlan Of(ClipModel model, string modelName, ImageSource source, ClipImageOutputs outputs) => new()
    {
        Model = modelName,
        ModelSha256 = model.ModelHash,
        Precision = model.PrecisionName,
        ImageSize = model.ImageProcessor.Size,
        Preprocessing = model.ImageProcessor.ToString(),
        Outputs = outputs.ToString(),
        Dataset = source.Name,
        Split = source.Split,
        Classes = source.Classes,
        DataSha256 = HashOf(source),
        Images = source.Count,
        Version = string.Create(
            CultureInfo.InvariantCulture,
            $"ClipOod {typeof(EncodingPlan).Assembly.GetName().Version}, ONNX Runtime {Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString()}"),
    };

    /// <summary>The hash of a data set's list of images; see <see cref="DataSha256"/>.</summary>
    public static string HashOf(ImageSource source)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < source.Count; i++)
        {
            long bytes = source.File(i) is string file && new FileInfo(file) is { Exists: true } info ? info.Length : -1;
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{source.ImageNames[i]}\t{bytes}\t{source.Classes[source.Labels[i]]}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Where another plan differs, such as "Model: a here, b there"; null where they are equal.</summary>
    public string? DifferenceFrom(EncodingPlan other)
    {
        string[] differences =
        [
            .. JsonSerializer.SerializeToElement(this).EnumerateObject()
                .Zip(JsonSerializer.SerializeToElement(other).EnumerateObject())
                .Where(pair => pair.First.Name is not nameof(Model) && pair.First.Value.GetRawText() != pair.Second.Value.GetRawText())
                .Select(pair => $"{pair.First.Name}: {Short(pair.First.Value)} here, {Short(pair.Second.Value)} there"),
        ];
        return differences.Length == 0 ? null : string.Join("; ", differences);

        static string Short(JsonElement value) => value.ToString() is { Length: > 80 } text ? $"{text[..80]}…" : value.ToString();
    }

    /// <summary>The chunks of a shard: as many as the others, to one, and one after the other.</summary>
    public IEnumerable<int> ChunksOf(EncodingShard shard) =>
        Enumerable.Range(0, Chunks).Where(chunk => (long)chunk * shard.Count / Chunks == shard.Index - 1);

    public string ToJson() => JsonSerializer.Serialize(this, _format);

    /// <exception cref="InvalidDataException">The file is no plan.</exception>
    public static EncodingPlan Load(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no plan.</exception>
    public static EncodingPlan Parse(string json, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<EncodingPlan>(json) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} holds no plan of an encoding: {error.Message} Delete it and encode again.", error);
        }
    }
}

/// <summary>A part of the chunks of a data set, for one of several machines.</summary>
/// <param name="Index">1 to <paramref name="Count"/>.</param>
/// <param name="Count">Number of shards, at least 1.</param>
internal sealed record EncodingShard(int Index, int Count)
{
    /// <summary>The whole.</summary>
    public static EncodingShard All { get; } = new(1, 1);

    /// <summary>Reads "2/4"; null for anything else.</summary>
    public static EncodingShard? TryParse(string text) =>
        text.Split('/') is [var index, var count]
        && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int i)
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
        && i >= 1 && i <= n
            ? new(i, n)
            : null;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
