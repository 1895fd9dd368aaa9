using System.Globalization;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>An image that could not be read, by its name within the data set.</summary>
internal sealed record FailedImage(int Row, string Name, string Message);

/// <summary>
/// The chunks of one data set in a folder of their own: a plan, and a file for each chunk, which is there complete or not at all. So a
/// process may be killed at any time, and several may work in one folder.
/// </summary>
internal sealed class EncodedChunks
{
    public const string Ending = ".parts";

    private const string PlanFile = "plan.json";
    private readonly string _planHash;

    private EncodedChunks(string folder, EncodingPlan plan)
    {
        (Folder, Plan) = (folder, plan);
        _planHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes((plan with { Model = "" }).ToJson())));
    }

    public string Folder { get; }

    public EncodingPlan Plan { get; }

    /// <summary>Opens the folder for a plan, and makes it where there is none.</summary>
    /// <exception cref="InvalidDataException">It holds chunks of another plan.</exception>
    public static EncodedChunks Create(string folder, EncodingPlan plan)
    {
        string path = Path.Combine(folder, PlanFile);
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, plan.ToJson());
        }

        EncodingPlan begun = EncodingPlan.Load(path);
        return plan.DifferenceFrom(begun) is string difference
            ? throw new InvalidDataException(
                $"{folder} holds a part of another encoding, where this one is 'here' and that one 'there': {difference}. Go on with that one, give another --output, or delete {folder}.")
            : new EncodedChunks(folder, begun);
    }

    /// <summary>Opens a folder that is there.</summary>
    /// <exception cref="InvalidDataException">It is no folder of chunks.</exception>
    public static EncodedChunks Open(string folder)
    {
        string path = Path.Combine(folder, PlanFile);
        return File.Exists(path)
            ? new EncodedChunks(folder, EncodingPlan.Load(path))
            : throw new InvalidDataException($"{folder} holds no {PlanFile}: it is no folder that clipood encode --shard made.");
    }

    /// <summary>Whether a chunk is there and whole.</summary>
    public bool Has(int chunk)
    {
        string path = PathOf(chunk);
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using SafetensorsFile file = Safetensors.Open(path);
            return file.Metadata.GetValueOrDefault("plan") == _planHash;
        }
        catch (InvalidDataException)
        {
            return false; // torn by a loss of power; it is encoded again
        }
    }

    /// <summary>Keeps a chunk under its final name.</summary>
    /// <param name="chunk">Its number.</param>
    /// <param name="part">The rows, each with the outputs of the plan; indices count from the first image of <paramref name="rows"/>.</param>
    /// <param name="rows">The place of each encoded image within the data set.</param>
    /// <param name="labels">The class of each image of the data set.</param>
    /// <param name="model">The model, which knows the width of its outputs.</param>
    /// <param name="failures">The images that could not be read.</param>
    public void Write(int chunk, ClipEncoding part, IReadOnlyList<int> rows, IReadOnlyList<int> labels, ClipModel model, IReadOnlyList<FailedImage> failures)
    {
        ClipImageOutputs outputs = Enum.Parse<ClipImageOutputs>(Plan.Outputs);
        int[] kept = [.. part.Indices.Select(i => rows[i])];
        List<SafetensorsTensor> tensors =
        [
            SafetensorsTensor.FromInt32s("rows", [kept.Length], kept),
            SafetensorsTensor.FromInt32s("labels", [kept.Length], [.. kept.Select(row => labels[row])]),
        ];
        int at = 0;
        foreach (ClipImageOutputs output in Enum.GetValues<ClipImageOutputs>().Where(output => outputs.HasFlag(output)))
        {
            int width = model.WidthOf(output);
            float[] values = new float[part.Count * width];
            for (int row = 0; row < part.Count; row++)
            {
                part.Row(row).Slice(at, width).CopyTo(values.AsSpan(row * width));
            }

            at += width;
            tensors.Add(output switch
            {
                ClipImageOutputs.Embedding => SafetensorsTensor.FromSingles("image_features", [kept.Length, width], Normalized(values, width)),
                ClipImageOutputs.Pooled => SafetensorsTensor.FromSingles("pooled_features", [kept.Length, width], values),
                _ => SafetensorsTensor.FromSinglesAsHalf(
                    "patch_features", [kept.Length, model.Config.Patches, model.Width], Normalized(values, model.Width)),
            });
        }

        Safetensors.Write(PathOf(chunk), tensors, new Dictionary<string, string>
        {
            ["plan"] = _planHash,
            ["failures"] = JsonSerializer.Serialize(failures),
        });
    }

    /// <summary>The file of a chunk.</summary>
    public string PathOf(int chunk) => Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{chunk:D6}.safetensors"));

    /// <summary>Takes a shard for this process, as long as the result is not disposed of; the operating system frees it when its process ends.</summary>
    /// <exception cref="IOException">Another process has it.</exception>
    public FileStream Lock(EncodingShard shard)
    {
        string path = Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"shard-{shard.Index}-of-{shard.Count}.lock"));
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
        {
            throw new IOException(
                $"Another process is encoding shard {shard} of {Plan.Dataset} {Plan.Split} into {Path.GetDirectoryName(Folder)}. Wait for it, stop it, or give another --output.", error);
        }
    }

    /// <summary>The shards that began their work in this folder.</summary>
    public IEnumerable<EncodingShard> ShardsBegun() => Directory.EnumerateFiles(Folder, "shard-*-of-*.lock")
        .Select(path => EncodingShard.TryParse(Path.GetFileNameWithoutExtension(path)["shard-".Length..].Replace("-of-", "/", StringComparison.Ordinal)))
        .OfType<EncodingShard>();

    private static float[] Normalized(float[] values, int width)
    {
        for (int at = 0; at < values.Length; at += width)
        {
            Span<float> row = values.AsSpan(at, width);
            TensorPrimitives.Divide(row, (float)Math.Max(TensorPrimitives.Norm<float>(row), 1e-12), row);
        }

        return values;
    }
}
