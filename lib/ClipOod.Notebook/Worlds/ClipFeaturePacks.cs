using System.Collections.Immutable;
using System.Formats.Tar;
using System.IO.Compression;
using System.Numerics.Tensors;
using System.Text.Encodings.Web;
using System.Text.Json;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Makes the packs of the world "clip-features" from the files that their publishers have, as <c>data/clip-features.json</c> says: rows
/// divided by their norms, in half precision, with the names of the classes.
/// </summary>
internal static class ClipFeaturePacks
{
    private const int ClipWidth = 512;
    private const int CifarBytes = 3 * 32 * 32;

    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    private static readonly JsonSerializerOptions _names = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Lazy<Recipe> _recipe = new(() =>
    {
        using Stream file = typeof(ClipFeaturePacks).Assembly.GetManifestResourceStream("clip-features.json")!;
        return JsonSerializer.Deserialize<Recipe>(file, _format)!;
    });

    /// <summary>The names of the packs, in the order in which they are made; one that can be left out has no file where its source is not there.</summary>
    public static IReadOnlyList<string> Names => [.. _recipe.Value.Packs.Select(pack => pack.Name)];

    /// <summary>Makes all packs whose sources are there.</summary>
    /// <param name="published">Folder of the published files, <c>OWNER+REPO/PATH</c>.</param>
    /// <param name="target">Folder of the packs; it is made where there is none, and a pack appears in it when it is whole.</param>
    /// <param name="cifar10">The archive of CIFAR-10 (binary version), for the pixels of its test images; they are left out where it is not there.</param>
    /// <returns>The paths of the packs.</returns>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or another one than the recipe was made for.</exception>
    public static IReadOnlyList<string> Make(string published, string target, string cifar10)
    {
        Directory.CreateDirectory(target);
        List<string> made = [];
        foreach (Pack pack in _recipe.Value.Packs.Where(pack => !pack.Optional || File.Exists(PathOf(published, pack.Features!))))
        {
            List<SafetensorsTensor> tensors = [];
            Dictionary<string, string> metadata = new() { ["model"] = _recipe.Value.Model, ["normalized"] = _recipe.Value.Normalized, ["dataset"] = pack.Dataset };
            if (pack.Classes is string classes)
            {
                metadata["classes"] = JsonSerializer.Serialize(_recipe.Value.Classes[classes], _names);
            }

            foreach ((string key, string? value) in new[] { ("split", pack.Split), ("note", pack.Note), ("source", pack.Source), ("prompts", pack.Prompts) })
            {
                if (value is not null)
                {
                    metadata[key] = value;
                }
            }

            if (pack.Features is string features)
            {
                (int rows, int width, float[] values) = Read(published, features);
                int[] labels = Labels(published, pack, rows);
                tensors.Add(SafetensorsTensor.FromSinglesAsHalf("image_features", [rows, width], values));
                tensors.Add(SafetensorsTensor.FromInt32s("labels", [rows], labels));
                if (pack.Dataset == "CIFAR-10" && File.Exists(cifar10))
                {
                    tensors.Add(SafetensorsTensor.FromBytes("images", [rows, 32, 32, 3], CifarImages(cifar10, labels)));
                }
            }

            foreach ((string name, string file) in pack.Texts ?? ImmutableDictionary<string, string>.Empty)
            {
                (int rows, int width, float[] values) = Read(published, file);
                tensors.Add(SafetensorsTensor.FromSinglesAsHalf(name, [rows, width], values));
            }

            if (pack.Rows is { } names)
            {
                (int width, float[] values) = Rows(published, names);
                tensors.Add(SafetensorsTensor.FromSinglesAsHalf("text_features", [names.Count, width], values));
                tensors.Add(SafetensorsTensor.FromInt32s("class_index", [names.Count], [.. names.Select(name => name.Class)]));
                metadata["names_used"] = JsonSerializer.Serialize(names.Select(name => name.Name), _names);
            }

            string path = Path.Combine(target, $"{pack.Name}.safetensors");
            foreach (string left in Directory.GetFiles(target, $"{pack.Name}.safetensors.*.tmp"))
            {
                File.Delete(left);
            }

            AtomicFile.Write(path, temporary => Safetensors.Write(temporary, tensors, metadata));
            made.Add(path);
        }

        return made;
    }

    /// <summary>The rows of the names of classes, each from the file that has it.</summary>
    private static (int Width, float[] Values) Rows(string published, IReadOnlyList<NamedRow> names)
    {
        Dictionary<string, (int Rows, int Width, float[] Values)> files = names.Select(name => name.File).Distinct().ToDictionary(file => file, file => Read(published, file));
        int width = files.Values.First().Width;
        return (width, [.. names.SelectMany(name => files[name.File] is var file && name.Row < file.Rows && file.Width == width
            ? file.Values[(name.Row * width)..((name.Row + 1) * width)]
            : throw new InvalidDataException($"{PathOf(published, name.File)} has {file.Rows} rows of {file.Width}, expected row {name.Row} of {width} for {name.Name}."))]);
    }

    /// <summary>Features of a published file, row by row, each divided by its norm; a file may hold them column by column.</summary>
    private static (int Rows, int Width, float[] Values) Read(string published, string file)
    {
        string path = PathOf(published, file);
        using TorchFile? torch = IsNpy(path) ? null : TorchFile.Open(path);
        SafetensorsTensor tensor = torch is null ? NpyFile.Read(path) : torch.Find(TorchFile.SingleName) ?? torch["clip_embedding"];
        if (tensor.Shape is not [>= 1 and var first, >= 1 and var second] || (first != ClipWidth && second != ClipWidth))
        {
            throw new InvalidDataException($"{tensor.Where} has shape [{string.Join(", ", tensor.Shape)}], expected rows or columns of {ClipWidth} features.");
        }

        float[] values = tensor.ToSingles();
        bool isTransposed = second != ClipWidth;
        int rows = isTransposed ? second : first;
        if (isTransposed)
        {
            float[] turned = new float[values.Length];
            for (int row = 0; row < rows; row++)
            {
                for (int i = 0; i < ClipWidth; i++)
                {
                    turned[(row * ClipWidth) + i] = values[(i * rows) + row];
                }
            }

            values = turned;
        }

        for (int row = 0; row < rows; row++)
        {
            Span<float> features = values.AsSpan(row * ClipWidth, ClipWidth);
            TensorPrimitives.Divide(features, TensorPrimitives.Norm(features), features);
        }

        return (rows, ClipWidth, values);
    }

    /// <summary>The class number of each row: as numbers, as one row of zeros and a one, as names of folders, or by the order of the rows.</summary>
    private static int[] Labels(string published, Pack pack, int rows)
    {
        int[] labels;
        if (pack.Labels is not string file)
        {
            int perClass = rows / _recipe.Value.Classes[pack.Classes!].Count;
            labels = [.. Enumerable.Range(0, rows).Select(row => row / perClass)];
        }
        else if (IsNpy(file))
        {
            labels = NpyFile.Read(PathOf(published, file)).ToInt32s();
        }
        else
        {
            using TorchFile torch = TorchFile.Open(PathOf(published, file));
            labels = torch.Find(TorchFile.SingleName) is not { } tensor ? LabelsByName(torch, pack)
                : tensor.DType == SafetensorsType.I64 ? tensor.ToInt32s()
                : [.. tensor.ToSingles().Chunk(tensor.Shape[^1]).Select(oneHot => Array.IndexOf(oneHot, 1f))];
        }

        int classes = pack.Classes is string name ? _recipe.Value.Classes[name].Count : int.MaxValue;
        return labels.Length == rows && labels.All(label => label >= 0 && label < classes)
            ? labels
            : throw new InvalidDataException($"{PathOf(published, pack.Labels ?? pack.Features!)} has {labels.Length} labels, expected {rows} of 0 to {classes - 1}. Fetch it again.");
    }

    private static int[] LabelsByName(TorchFile torch, Pack pack)
    {
        IReadOnlyList<string> classes = _recipe.Value.Classes[pack.Classes!];
        Dictionary<string, int> index = classes.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        return [.. torch.TextsOf("labels").Select(name => index.TryGetValue(name, out int label)
            ? label
            : throw new InvalidDataException($"{torch.Path} has a label '{name}', expected one of the {classes.Count} classes of {pack.Dataset}, such as '{classes[0]}'."))];
    }

    /// <summary>The pixels of the first test images, from records of a label and 32 x 32 values of red, green and blue each.</summary>
    private static byte[] CifarImages(string archive, int[] labels)
    {
        using FileStream packed = File.OpenRead(archive);
        using GZipStream unpacked = new(packed, CompressionMode.Decompress);
        using TarReader tar = new(unpacked);
        while (tar.GetNextEntry() is TarEntry entry)
        {
            if (!entry.Name.EndsWith("/test_batch.bin", StringComparison.Ordinal) || entry.DataStream is not Stream records)
            {
                continue;
            }

            byte[] images = new byte[labels.Length * CifarBytes], record = new byte[1 + CifarBytes];
            for (int i = 0; i < labels.Length; i++)
            {
                records.ReadExactly(record);
                if (record[0] != labels[i])
                {
                    throw new InvalidDataException($"{archive}: test image {i} has the label {record[0]}, expected {labels[i]} as in the published features.");
                }

                for (int pixel = 0; pixel < 32 * 32; pixel++)
                {
                    for (int channel = 0; channel < 3; channel++)
                    {
                        images[(((i * 32 * 32) + pixel) * 3) + channel] = record[1 + (channel * 32 * 32) + pixel];
                    }
                }
            }

            return images;
        }

        throw new InvalidDataException($"{archive} has no file test_batch.bin, expected CIFAR-10's binary version.");
    }

    private static bool IsNpy(string path) => path.EndsWith(".npy", StringComparison.Ordinal);

    private static string PathOf(string folder, string file) => Path.Combine([folder, .. file.Split('/')]);

    /// <summary>How the packs are made.</summary>
    private sealed record Recipe(string Model, string Normalized, IReadOnlyList<Pack> Packs, IReadOnlyDictionary<string, IReadOnlyList<string>> Classes);

    /// <summary>A pack: of images (<c>Features</c>, <c>Labels</c>), of texts file by file (<c>Texts</c>), or of texts name by name (<c>Rows</c>).</summary>
    private sealed record Pack(
        string Name,
        string Dataset,
        string? Split = null,
        string? Features = null,
        string? Labels = null,
        string? Classes = null,
        string? Note = null,
        string? Source = null,
        string? Prompts = null,
        IReadOnlyDictionary<string, string>? Texts = null,
        IReadOnlyList<NamedRow>? Rows = null,
        bool Optional = false);

    /// <summary>A class, the published name that stands for it, and where its text features are.</summary>
    private sealed record NamedRow(int Class, string Name, string File, int Row);
}
