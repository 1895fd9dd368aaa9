using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// A world of features that another program made. A folder for each role: A (or also B, C and Large), near and textures; in it train,
/// validation and test, each PART.safetensors as <see cref="FeatureSet.Load"/> reads it, or PART.npy with PART-labels.npy; classes.txt with
/// a name a line, and text.npy or text.safetensors with a row for each. words/ holds text and classes.txt, world.json what is to be said.
/// </summary>
internal static class FeatureFolder
{
    private const double TrainOfTrain = 0.8;
    private const double ValidationOfOod = 1.0 / 3;

    private static readonly string[] _idRoles = ["A", "B", "C", "Large"];
    private static readonly string[] _oodRoles = ["near", "textures"];

    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    public static World Open(string folder, int seed)
    {
        string root = Path.GetFullPath(folder);
        string[] lacking = Directory.Exists(root) ? [.. _oodRoles.Prepend("A").Where(role => !Directory.Exists(Path.Combine(root, role)))] : ["A", .. _oodRoles];
        if (lacking.Length > 0)
        {
            throw new WorldNotFoundException(
                $"{root} is no world of features: it lacks the {(lacking.Length == 1 ? "folder" : "folders")} {string.Join(", ", lacking)}. data/README.md says how such a world is laid out.");
        }

        About about = ReadAbout(Path.Combine(root, "world.json"));
        Dataset[] sets = [.. _idRoles.Where(role => Directory.Exists(Path.Combine(root, role))).Select(role => OpenId(Path.Combine(root, role), role, seed))];
        if (sets.All(set => set.Role != "Large"))
        {
            sets = [.. sets, Dataset.Union("Large", "All classes of the other data sets in one.", sets)];
        }

        (string Role, FeatureSet Validation, FeatureSet Test)[] ood = [.. _oodRoles.Select(role => OpenOod(Path.Combine(root, role), role, seed))];
        string words = Path.Combine(root, "words");
        TextFeatures text = Directory.Exists(words)
            ? ReadTexts(words, Lines(Path.Combine(words, "classes.txt"))) ?? throw new InvalidDataException($"{words} has no text.npy or text.safetensors.")
            : sets[0].Text.Select([]);
        int width = sets[0].Test.Features.Width;
        foreach (Embeddings features in sets.SelectMany(set => (Embeddings[])[set.Test.Features, set.Text.Features]).Concat(ood.Select(set => set.Test.Features)).Append(text.Features))
        {
            if (features.Width != width)
            {
                throw new InvalidDataException($"{root}: features are {width} and {features.Width} wide. Features of two models do not compare: make all with one.");
            }
        }

        return new World(
            Path.GetFileName(root),
            about.Description ?? $"Features that another program made, read from files. There are no pixels and no encoder.{(Directory.Exists(words) ? "" : " There are no words for negative labels.")}",
            about.Model ?? "a model that is not stated",
            sets,
            ood,
            [("words", text)],
            about.LogitScale ?? Scores.ClipLogitScale,
            seed: seed,
            judgesClaims: about.PublishedClip);
    }

    private static Dataset OpenId(string folder, string role, int seed)
    {
        FeatureSet test = ReadPart(folder, "test", role) ?? throw new InvalidDataException($"{folder} has no test.npy or test.safetensors.");
        FeatureSet? train = ReadPart(folder, "train", role);
        FeatureSet? validation = ReadPart(folder, "validation", role);
        string note = "Parts as they were given.";
        if (train is not null && validation is null)
        {
            (train, validation) = train.SplitStratified(TrainOfTrain, seed);
            note = string.Create(CultureInfo.InvariantCulture, $"Of the images to train, a random {1 - TrainOfTrain:P0} of each class are for validation (seed {seed}).");
        }

        foreach (FeatureSet part in new[] { train, validation }.OfType<FeatureSet>())
        {
            if (!part.Classes.SequenceEqual(test.Classes))
            {
                throw new InvalidDataException($"{folder}: {part.Split} and test have different classes. Give one classes.txt for all parts.");
            }
        }

        TextFeatures text = ReadTexts(folder, test.Classes)
            ?? throw new InvalidDataException($"{folder} has no text.npy or text.safetensors with a row for each of its {test.NumClasses} classes, which zero-shot scores need.");
        return new Dataset(role, validation is null ? null : train, train is null ? null : validation, test, [.. Enumerable.Range(0, test.NumClasses)], [text], note);
    }

    private static (string Role, FeatureSet Validation, FeatureSet Test) OpenOod(string folder, string role, int seed)
    {
        FeatureSet test = ReadPart(folder, "test", role) ?? throw new InvalidDataException($"{folder} has no test.npy or test.safetensors.");
        FeatureSet? validation = ReadPart(folder, "validation", role);
        if (validation is null)
        {
            (validation, test) = test.SplitStratified(ValidationOfOod, seed);
        }

        return (role, validation.WithSplit("validation"), test.WithSplit("test"));
    }

    private static FeatureSet? ReadPart(string folder, string part, string role)
    {
        string packed = Path.Combine(folder, $"{part}.safetensors");
        string plain = Path.Combine(folder, $"{part}.npy");
        string names = Path.Combine(folder, "classes.txt");
        if (File.Exists(packed))
        {
            using SafetensorsFile file = Safetensors.Open(packed);
            IReadOnlyList<string>? stated = File.Exists(names) ? Lines(names) : FeatureSet.ReadList(file, "classes");
            return ToSet(FeatureSet.ReadEmbeddings(file, "image_features"), file["labels"].ToInt32s(), file.Metadata.GetValueOrDefault("dataset"), packed, stated);
        }

        if (!File.Exists(plain))
        {
            return null;
        }

        Embeddings features = ReadRows(plain);
        string labels = Path.Combine(folder, $"{part}-labels.npy");
        return ToSet(features, File.Exists(labels) ? NpyFile.Read(labels).ToInt32s() : new int[features.Rows], null, plain, File.Exists(names) ? Lines(names) : null);

        FeatureSet ToSet(Embeddings rows, int[] numbers, string? name, string path, IReadOnlyList<string>? classes)
        {
            try
            {
                return new FeatureSet(
                    name ?? role, part, rows.Normalized(), numbers, classes ?? [.. Enumerable.Range(0, numbers.DefaultIfEmpty(-1).Max() + 1).Select(k => $"{role} {k}")], $"{Path.GetFileName(path)}, made by another program.");
            }
            catch (ArgumentException error)
            {
                throw new InvalidDataException($"{path}: {error.Message}", error);
            }
        }
    }

    private static TextFeatures? ReadTexts(string folder, IReadOnlyList<string> classes)
    {
        string? path = new[] { "text.safetensors", "text.npy" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            return null;
        }

        Embeddings rows = ReadRows(path);
        return rows.Rows == classes.Count
            ? new TextFeatures(rows.Normalized(), classes, "{}", $"{Path.GetFileName(path)}, made by another program; its prompt is not stated.")
            : throw new InvalidDataException($"{path} has {rows.Rows} rows, expected one for each of the {classes.Count} classes.");
    }

    private static Embeddings ReadRows(string path)
    {
        if (path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            using SafetensorsFile file = Safetensors.Open(path);
            return FeatureSet.ReadEmbeddings(file, "text_features");
        }

        SafetensorsTensor array = NpyFile.Read(path);
        return array.Shape is [var rows, >= 1 and var width]
            ? new Embeddings(rows, width, array.ToSingles())
            : throw new InvalidDataException($"{path} has shape ({string.Join(", ", array.Shape)}), expected (rows, width).");
    }

    private static string[] Lines(string path) => File.Exists(path)
        ? [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)]
        : throw new InvalidDataException($"There is no {path}, expected a name a line.");

    private static About ReadAbout(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<About>(File.ReadAllText(path), _format) ?? new About() : new About();
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path}: {error.Message} Expected \"model\", \"description\", \"logitScale\" and \"publishedClip\", all optional.", error);
        }
    }

    private sealed record About(string? Model = null, string? Description = null, double? LogitScale = null, bool PublishedClip = false);
}
