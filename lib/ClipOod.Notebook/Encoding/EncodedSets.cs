using System.Globalization;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The feature sets of one model in a folder: what they say of themselves, and how chunks become one.</summary>
internal static class EncodedSets
{
    public const string ModelHashKey = "model_sha256";

    /// <summary>The name under which <see cref="WritePath"/> notes where a model's weights lie.</summary>
    public const string ModelPath = "model";

    private const string PatchesEnding = ".patches.safetensors";
    private const int FailuresNamed = 3;

    /// <summary>The name of a split's files, such as "cifar10-test".</summary>
    public static string FileName(string name, string split) => $"{name}-{split}";

    /// <summary>Notes where the model or the images of a set lie on this machine, so that a world finds them; the sets themselves do not say it.</summary>
    public static void WritePath(string folder, string name, string path) => AtomicFile.Write(Path.Combine(folder, $"{name}.path"), Path.GetFullPath(path) + "\n");

    /// <summary>What <see cref="WritePath"/> noted, if it is still there; else null.</summary>
    public static string? ReadPath(string folder, string name) =>
        Path.Combine(folder, $"{name}.path") is var file && File.Exists(file) && File.ReadAllText(file).Trim() is var path && Path.Exists(path) ? path : null;

    /// <summary>Refuses a folder that another model or precision has filled, as features of two models do not compare.</summary>
    /// <param name="folder">The folder; it need not be there.</param>
    /// <param name="modelSha256">The hash of the model.</param>
    /// <param name="precision">In what numbers it computes.</param>
    /// <param name="width">The width of its features; null where it is not known.</param>
    /// <exception cref="InvalidDataException">It holds such a set; the message names it.</exception>
    public static void RequireOneModel(string folder, string modelSha256, string precision, int? width)
    {
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.safetensors") : [];
        foreach (string path in files.Order(StringComparer.Ordinal))
        {
            using SafetensorsFile file = Safetensors.Open(path);
            int own = WidthOf(file);
            string found = Describe(file.Metadata.GetValueOrDefault(ModelHashKey, "(not stated)"), file.Metadata.GetValueOrDefault("precision", "(not stated)"), own);
            string ours = Describe(modelSha256, precision, width ?? own);
            if (found != ours)
            {
                throw new InvalidDataException(
                    $"{path} is of {found}, this model is {ours}: features of two models or precisions do not compare. Give another --output, or delete what is in {folder}.");
            }
        }
    }

    /// <summary>Whether a set is there, of the same plan.</summary>
    /// <exception cref="InvalidDataException">A set of this name is there, of another plan.</exception>
    public static bool Find(string path, EncodingPlan plan)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using SafetensorsFile file = Safetensors.Open(path);
        string kept = file.Metadata.GetValueOrDefault("plan", "");
        string? difference = kept.Length == 0 ? "it does not say how it was made" : plan.DifferenceFrom(EncodingPlan.Parse(kept, path));
        return difference is null ? true : throw new InvalidDataException(
            $"{path} is there, but of another encoding, where this one is 'here' and that one 'there': {difference}. Delete it to encode anew, or give another --output.");
    }

    /// <summary>
    /// Makes one feature set of the chunks of one data set, with the rows in the order of its images: bit by bit the same from however many
    /// folders the chunks come.
    /// </summary>
    /// <param name="parts">Folders with chunks of one plan.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="twice">The chunks that several folders hold, equal in all of them; one is taken.</param>
    /// <returns>The images that were left out.</returns>
    /// <exception cref="InvalidDataException">Plans differ, a chunk is missing, or two folders hold different chunks of one number.</exception>
    public static IReadOnlyList<FailedImage> Merge(IReadOnlyList<EncodedChunks> parts, string target, out IReadOnlyList<int> twice)
    {
        EncodingPlan plan = parts[0].Plan;
        foreach (EncodedChunks other in parts.Skip(1))
        {
            if (plan.DifferenceFrom(other.Plan) is string difference)
            {
                throw new InvalidDataException(
                    $"{parts[0].Folder} and {other.Folder} are no parts of one encoding, where the first is 'here' and the second 'there': {difference}. Merge shards of one model and one data set.");
            }
        }

        string[] paths = new string[plan.Chunks];
        List<int> repeated = [];
        List<int> missing = [];
        for (int chunk = 0; chunk < plan.Chunks; chunk++)
        {
            EncodedChunks[] having = [.. parts.Where(part => part.Has(chunk))];
            if (having.Length == 0)
            {
                missing.Add(chunk);
                continue;
            }

            paths[chunk] = having[0].PathOf(chunk);
            if (having.Length > 1)
            {
                repeated.Add(chunk);
                string? other = having.Skip(1).Select(part => part.PathOf(chunk)).FirstOrDefault(path => !File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(paths[chunk])));
                if (other is not null)
                {
                    throw new InvalidDataException($"{paths[chunk]} and {other} hold the same images with different features: were they made on different kinds of machines? Keep one of them.");
                }
            }
        }

        if (missing.Count > 0)
        {
            throw new InvalidDataException(Missing(parts, missing));
        }

        twice = repeated;
        return Write(plan, paths, target);
    }

    /// <summary>The width of the features in a file of images or texts.</summary>
    private static int WidthOf(SafetensorsFile file) =>
        file.Names.Where(name => name.EndsWith("_features", StringComparison.Ordinal) && name != "pooled_features")
            .Select(name => file[name].Shape[^1]).DefaultIfEmpty(0).First();

    private static string Describe(string hash, string precision, int width) =>
        string.Create(CultureInfo.InvariantCulture, $"model {hash[..Math.Min(12, hash.Length)]}, {precision}, {width} features");

    private static string Missing(IReadOnlyList<EncodedChunks> parts, List<int> missing)
    {
        EncodingPlan plan = parts[0].Plan;
        EncodingShard[] begun = [.. parts.SelectMany(part => part.ShardsBegun()).Distinct()];
        string shards = begun.Select(shard => shard.Count).Distinct().ToArray() is [var count]
            ? "shard " + string.Join(", ", Enumerable.Range(1, count).Where(i => plan.ChunksOf(new(i, count)).Intersect(missing).Any()).Select(i => $"{i}/{count}"))
            : "shards of different numbers were begun";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Dataset} {plan.Split} is not whole: {missing.Count} of {plan.Chunks} chunks are missing, the first with the images {missing[0] * EncodingPlan.ChunkImages} and after ({shards}). Encode them with the command that made the others, and merge again.");
    }

    private static List<FailedImage> Write(EncodingPlan plan, string[] paths, string target)
    {
        List<FailedImage> failures = [];
        Dictionary<string, (SafetensorsType Type, int[] Shape)> tensors = new(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            using SafetensorsFile file = Safetensors.Open(path);
            failures.AddRange(JsonSerializer.Deserialize<FailedImage[]>(file.Metadata["failures"])!);
            foreach (string name in file.Names)
            {
                SafetensorsTensor tensor = file[name];
                int before = tensors.TryGetValue(name, out var sum) ? sum.Shape[0] : 0;
                tensors[name] = (tensor.DType, [before + tensor.Shape[0], .. tensor.Shape.Skip(1)]);
            }
        }

        Dictionary<string, string> metadata = new()
        {
            ["dataset"] = plan.Dataset,
            ["split"] = plan.Split,
            ["classes"] = JsonSerializer.Serialize(plan.Classes),
            ["source"] = $"Encoded by {plan.Model} (model {plan.ModelSha256}); {plan.Preprocessing}; {plan.Precision}; {plan.Version}",
            ["note"] = Note(plan, failures),
            ["model"] = plan.Model,
            [ModelHashKey] = plan.ModelSha256,
            ["precision"] = plan.Precision,
            ["failures"] = JsonSerializer.Serialize(failures),
            ["plan"] = plan.ToJson(),
        };

        // Patches are many times as large as all else, and few need them.
        bool IsOfPatches(string name) => name == "patch_features";
        bool patches = tensors.Keys.Any(IsOfPatches);
        if (patches)
        {
            Safetensors.Write(
                Path.ChangeExtension(target, PatchesEnding), tensors.Keys.Where(name => IsOfPatches(name) || name is "rows" or "labels").Select(Joined), metadata);
        }

        // Last, as its presence says that all is there.
        Safetensors.Write(target, tensors.Keys.Where(name => !IsOfPatches(name)).Select(Joined), metadata);
        return failures;

        SafetensorsTensor Joined(string name) => new(name, tensors[name].Type, tensors[name].Shape, stream =>
        {
            foreach (string path in paths)
            {
                using SafetensorsFile file = Safetensors.Open(path);
                file[name].WriteTo(stream);
            }
        });
    }

    private static string Note(EncodingPlan plan, List<FailedImage> failures) => failures.Count == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"{failures.Count} of {plan.Images} images could not be read and are left out: {string.Join(", ", failures.Take(FailuresNamed).Select(failure => failure.Name))}{(failures.Count > FailuresNamed ? ", …" : "")}");
}
