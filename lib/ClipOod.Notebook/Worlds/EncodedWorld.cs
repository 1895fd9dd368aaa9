using System.Globalization;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// Worlds of real models on the original data sets, such as "clip-vit-b-32": A = CIFAR-10, B = Food-101, C = Caltech-256, Large =
/// ImageNet-1k where it was encoded and else all classes of the three; OOD sets: near = Caltech-101, textures = DTD. <c>clipood encode</c>
/// makes the feature sets; pixels and the model join where the images and the weights are here.
/// </summary>
internal static class EncodedWorld
{
    /// <summary>The data sets of these worlds and the splits that they take.</summary>
    public static readonly (string Role, string Data, string[] Splits)[] Parts =
    [
        ("A", "cifar10", ["train", "test"]),
        ("B", "food101", ["train", "test"]),
        ("C", "caltech256", ["all"]),
        ("near", "caltech101", ["all"]),
        ("textures", "dtd", ["val1", "test1"]),
    ];

    private const string LargeData = "imagenet-1k";
    private const string LargeSplit = "val";
    private const string OpenAi = "openai-";
    private const string Int8 = "-int8";
    private const string Clip = "clip-";

    // Shares of a split that the data sets themselves do not make, as document A splits them: Food-101 80.8k to 20.2k, Caltech-256 25k to 5k.
    private const double FoodTrain = 0.8;
    private const double CaltechTrain = 25.0 / 30;
    private const double TrainOfTrain = 0.9;
    private const double NearValidation = 1.0 / 3;

    /// <summary>The worlds of OpenAI's models, and those that were encoded here.</summary>
    public static IReadOnlyList<string> Names =>
    [
        .. SourceCatalog.All.Where(entry => entry.Kind == SourceKind.Weights && entry.Name.StartsWith(OpenAi, StringComparison.Ordinal) && !entry.Name.EndsWith("-original", StringComparison.Ordinal))
            .Select(entry => NameOf(entry.Name)),
    ];

    /// <summary>The world of a model: "clip-vit-b-32" for "openai-vit-b-32", and else the model's own name; in 8 bits with "-int8" behind it.</summary>
    /// <param name="model">The name of the model.</param>
    /// <param name="precision">In what numbers it encodes.</param>
    public static string NameOf(string model, ClipPrecision precision = ClipPrecision.Single) =>
        (model.StartsWith(OpenAi, StringComparison.Ordinal) ? Clip + model[OpenAi.Length..] : model) + (precision == ClipPrecision.Int8 ? Int8 : "");

    /// <summary>Whether there is a world of this name, be its parts here or not.</summary>
    public static bool IsKnown(string name) => SourceCatalog.Find(ModelOf(name, LocalData.Features(name))) is { Kind: SourceKind.Weights } || Directory.Exists(LocalData.Features(name));

    /// <summary>Opens a world.</summary>
    /// <exception cref="WorldNotFoundException">Parts are missing; the message names the commands that make them.</exception>
    /// <exception cref="InvalidDataException">A file is broken, or the parts are of several models.</exception>
    public static World Open(string name, int seed) => Open(name, LocalData.Features(name), seed);

    /// <inheritdoc cref="Open(string, int)"/>
    /// <param name="name">Name of the world.</param>
    /// <param name="folder">The folder of its feature sets.</param>
    /// <param name="seed">Of the splits.</param>
    public static World Open(string name, string folder, int seed)
    {
        RequireParts(name, folder);
        Reader reader = new(folder);
        Dataset a = reader.ToDataset("A", "cifar10", reader.Split("cifar10", "train"), TrainOfTrain, reader.Split("cifar10", "test"), seed, "its official train and test parts");
        (FeatureSet foodTrain, FeatureSet foodTest) = reader.Split("food101", "train").Append(reader.Split("food101", "test")).SplitStratified(FoodTrain, seed);
        Dataset b = reader.ToDataset("B", "food101", foodTrain, TrainOfTrain, foodTest, seed, Invariant($"a random {FoodTrain:P0} of all images of each class to train, as document A splits it, not its official parts"));
        (FeatureSet caltechTrain, FeatureSet caltechTest) = reader.Split("caltech256", "all").SplitStratified(CaltechTrain, seed);
        Dataset c = reader.ToDataset("C", "caltech256", caltechTrain, TrainOfTrain, caltechTest, seed, Invariant($"it has no official parts; a random {CaltechTrain:P0} of each class to train, without the class clutter"));
        Dataset large = File.Exists(reader.PathOf(LargeData, LargeSplit)) && File.Exists(EncodedTexts.PathOf(folder, LargeData))
            ? new Dataset("Large", null, null, reader.Split(LargeData, LargeSplit).WithSplit("test"), [.. Enumerable.Range(0, reader.Split(LargeData, LargeSplit).NumClasses)], reader.Texts(LargeData), "Its validation images are in Test, and there is no training side.")
            : Dataset.Union("Large", "All classes of A, B and C in one data set, as ImageNet-1k was not encoded here.", [a, b, c]);
        (FeatureSet nearValidation, FeatureSet near) = reader.Split("caltech101", "all").SplitStratified(NearValidation, seed);
        WorldEncoder? encoder = reader.HasImages && LocalModels.IsHere(ModelOf(name, folder)) ? new LocalEncoder(ModelOf(name, folder), reader.ModelHash, reader.Precision) : null;
        return new World(
            name,
            $"Real images and class names, encoded here by clipood encode with {reader.Model}. "
                + (encoder is null ? "The weights or images are not here, so there is no encoder." : "The images are read, and the model is loaded, when a lesson asks for them."),
            $"{reader.Model} ({reader.ModelHash[..8]}, {reader.Precision})",
            [a, b, c, large],
            [("near", nearValidation, near), ("textures", reader.Split("dtd", "val1"), reader.Split("dtd", "test1"))],
            [(EncodedTexts.Words, reader.Texts(EncodedTexts.Words)[0])],
            reader.LogitScale,
            encoder,
            seed,
            judgesClaims: SourceCatalog.Find(ModelOf(name, folder)) is not null);
    }

    /// <summary>The words that belong to no data set, for negative labels: names of LVIS where the world "clip-features" is here, and else those of CIFAR-100 and of the pictograms.</summary>
    public static IReadOnlyList<string> WordsHere()
    {
        if (ClipFeatures.Folder is string folder && Path.Combine(folder, "lvis-text.safetensors") is var lvis && File.Exists(lvis))
        {
            using SafetensorsFile file = Safetensors.Open(lvis);
            return [.. FeatureSet.ReadList(file, "classes")!.Select(ClassNames.Clean).Distinct()];
        }

        IEnumerable<string> drawn = PictogramFolder.Open(Path.Combine(LocalData.FindRepository(), "data", PictogramWorld.WorldName)).Concepts.SelectMany(concept => concept.Synonyms.Prepend(concept.Name));
        return [.. drawn.Concat(ClipFeatures.Cifar100).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>The weights of a world's model: their name in the catalogue, or their path on this machine.</summary>
    private static string ModelOf(string name, string folder) => EncodedSets.ReadPath(folder, EncodedSets.ModelPath)
        ?? ModelNamed(IsInt8(name) ? name[..^Int8.Length] : name);

    private static string ModelNamed(string world) => world.StartsWith(Clip, StringComparison.Ordinal) ? OpenAi + world[Clip.Length..] : world;

    private static bool IsInt8(string name) => name.EndsWith(Int8, StringComparison.Ordinal);

    private static void RequireParts(string name, string folder)
    {
        (string Data, string[] Missing)[] missing =
        [
            .. Parts.Select(part => (part.Data, Missing: part.Splits.Select(split => $"{EncodedSets.FileName(part.Data, split)}.safetensors").Concat(part.Role.Length == 1 ? [$"{part.Data}-text.safetensors"] : Array.Empty<string>()).Where(file => !File.Exists(Path.Combine(folder, file))).ToArray()))
                .Where(part => part.Missing.Length > 0),
        ];
        bool words = File.Exists(EncodedTexts.PathOf(folder, EncodedTexts.Words));
        if (missing.Length == 0 && words)
        {
            return;
        }

        string model = ModelOf(name, folder);
        string[] fetch = [.. (LocalModels.IsHere(model) || SourceCatalog.Find(model) is null ? [] : (string[])[model]), .. missing.Select(part => part.Data).Where(data => !Directory.Exists(LocalData.Dataset(data)))];
        string[] commands =
        [
            .. fetch.Length == 0 ? [] : (string[])[$"clipood fetch {string.Join(' ', fetch)}"],
            $"clipood encode --model {model}{(IsInt8(name) ? " --precision int8" : "")} {string.Join(' ', missing.Select(part => part.Data).DefaultIfEmpty(Parts[0].Data).Select(data => $"--data {data}"))}",
        ];
        throw new WorldNotFoundException(
            $"The world '{name}' is incomplete: {folder} lacks {string.Join(", ", missing.SelectMany(part => part.Missing).Concat(words ? [] : [$"{EncodedTexts.Words}-text.safetensors"]))}. Make it with:{Environment.NewLine}  {string.Join($"{Environment.NewLine}  ", commands)}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads the feature sets of one folder and sees to it that one model made them all.</summary>
    private sealed class Reader(string folder)
    {
        private readonly Dictionary<string, FeatureSet> _read = new(StringComparer.Ordinal);
        private IReadOnlyDictionary<string, string>? _first;

        public string Model => Said("model");

        public string ModelHash => Said(EncodedSets.ModelHashKey);

        public string Precision => Said("precision");

        public double LogitScale
        {
            get
            {
                using SafetensorsFile file = Safetensors.Open(EncodedTexts.PathOf(folder, EncodedTexts.Words));
                return double.Parse(file.Metadata.GetValueOrDefault(EncodedTexts.LogitScaleKey, "100"), CultureInfo.InvariantCulture);
            }
        }

        /// <summary>Whether all sets that were read have their images here.</summary>
        public bool HasImages { get; private set; } = true;

        public string PathOf(string data, string split) => Path.Combine(folder, $"{EncodedSets.FileName(data, split)}.safetensors");

        public FeatureSet Split(string data, string split)
        {
            string key = EncodedSets.FileName(data, split);
            if (_read.TryGetValue(key, out FeatureSet? known))
            {
                return known;
            }

            string path = PathOf(data, split);
            using SafetensorsFile file = Safetensors.Open(path);
            CheckModel(file);
            FeatureSet set = FeatureSet.Load(path);
            EncodingPlan plan = EncodingPlan.Parse(file.Metadata.GetValueOrDefault("plan", ""), path);
            string? images = EncodedSets.ReadPath(folder, key) ?? (Directory.Exists(LocalData.Dataset(data)) ? data : null);
            HasImages &= images is not null;
            int[] rows = file["rows"].ToInt32s();
            return _read[key] = new FeatureSet(
                set.Name, split, set.Features, set.Labels, [.. set.Classes.Select(ClassNames.Clean)], set.Provenance,
                images is null ? null : new Lazy<ImageBatch>(() => Pictures(images, plan, rows)))
            {
                Precision = set.Precision,
            };
        }

        public IReadOnlyList<TextFeatures> Texts(string data)
        {
            string path = EncodedTexts.PathOf(folder, data);
            using (SafetensorsFile file = Safetensors.Open(path))
            {
                CheckModel(file);
            }

            return EncodedTexts.Load(path);
        }

        public Dataset ToDataset(string role, string data, FeatureSet train, double share, FeatureSet test, int seed, string how)
        {
            (FeatureSet learn, FeatureSet validation) = train.SplitStratified(share, seed);
            return new Dataset(
                role, learn.WithSplit("train"), validation.WithSplit("validation"), test.WithSplit("test"), [.. Enumerable.Range(0, test.NumClasses)], Texts(data),
                Invariant($"{test.Name}: {how}; of the training part a random {1 - share:P0} of each class are for validation (seed {seed})."));
        }

        // As the model saw them, so that encoding them again gives the same features.
        private static ImageBatch Pictures(string images, EncodingPlan plan, int[] rows)
        {
            ImageSource source = LocalImages.Open(images, plan.Split, plan.Dataset);
            source = source.Classes.Count == plan.Classes.Count ? source.WithClasses(plan.Classes) : source;
            ClipImageProcessor processor = new(plan.ImageSize);
            return EncodingPlan.HashOf(source) == plan.DataSha256
                ? new ImageBatch(rows.Length, plan.ImageSize, plan.ImageSize, i => processor.ResizeAndCrop(source.Read(rows[i])).Pixels)
                : throw new InvalidDataException($"The images of {source} are others than those that were encoded. Encode them anew.");
        }

        private string Said(string key) => _first?.GetValueOrDefault(key) ?? "(not stated)";

        private void CheckModel(SafetensorsFile file)
        {
            _first ??= file.Metadata;
            string[] differing = [.. new[] { EncodedSets.ModelHashKey, "precision" }.Where(key => file.Metadata.GetValueOrDefault(key, "(not stated)") != Said(key))];
            if (differing.Length > 0)
            {
                throw new InvalidDataException(
                    $"{file.Path}: {string.Join(", ", differing.Select(key => $"{key} is {file.Metadata.GetValueOrDefault(key, "(not stated)")}, expected {Said(key)}"))} as the files read before. Features of two models or precisions do not compare: encode it anew.");
            }
        }
    }
}
