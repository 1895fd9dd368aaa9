using System.Globalization;
using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// The world "clip-features": features that a CLIP model made of real images and class names, read from the folder that
/// CLIPOOD_FEATURES names, or else from where <c>clipood fetch clip-features</c> made them. A = CIFAR-10, B = Food-101, C = Caltech-256; Large = ImageNet; OOD sets: near = Caltech-101, textures = DTD; text sets: words = names of LVIS, cifar100.
/// </summary>
internal static class ClipFeatures
{
    /// <summary>The name of this world.</summary>
    public const string WorldName = "clip-features";

    /// <summary>The environment variable that names the folder of the feature files.</summary>
    public const string FolderVariable = "CLIPOOD_FEATURES";

    /// <summary>The prompt of nearly all text features here; a data set's provenance says where it was not stated.</summary>
    private const string DefaultPrompt = "a {}";

    /// <summary>The data set in the role of Large, whose classes have published splits.</summary>
    internal const string ImageNetName = "ImageNet-1k";

    private static readonly string[] _files =
    [
        "caltech101-test", "caltech101-val", "caltech256-test", "caltech256-text", "caltech256-val", "cifar10-test500", "cifar10-text",
        "cifar100-text", "dtd-test", "dtd-val", "food101-text", "food101-train16shot", "imagenet-text", "imagenet-train4shot", "lvis-text",
    ];

    // The training part of Caltech-256, which has no copy with a published hash: it joins where it was fetched.
    private const string TrainingPart = "caltech256-train";

    /// <summary>The files that the folder must hold, sorted.</summary>
    public static IReadOnlyList<string> Files => [.. _files.Select(FileName)];

    /// <summary>The folder that the world is opened from: the one that the environment names, else the one of the fetched files; null where there is neither.</summary>
    internal static string? Folder => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named
        : LocalData.Features(WorldName) is var fetched && Files.All(file => File.Exists(Path.Combine(fetched, file))) ? fetched
        : null;

    /// <summary>Whether the world of this folder has the whole training part of C, and so other results than those recorded without it.</summary>
    internal static bool HasTrainingPart => Folder is string folder && File.Exists(Path.Combine(folder, FileName(TrainingPart)));

    internal static World Open(string? folder, int seed)
    {
        CheckFolder(folder);
        Reader reader = new(folder!);
        Dataset[] datasets = [Cifar10(reader, seed), Food101(reader, seed), Caltech256(reader, seed), ImageNet(reader)];
        (string, FeatureSet, FeatureSet)[] ood =
        [
            ("near", reader.Images("caltech101-val"), reader.Images("caltech101-test")),
            ("textures", reader.Images("dtd-val"), reader.Images("dtd-test")),
        ];
        (string, TextFeatures)[] texts =
        [
            ("cifar100", reader.Texts("cifar100-text", "text_features", "not stated", Cifar100)),
            ("words", reader.Texts("lvis-text", "text_features", DefaultPrompt)),
        ];
        return new World(
            WorldName,
            "Real images and class names, encoded once and read as features; no encoder is here, and pixels only of CIFAR-10. "
                + "Every data set is smaller than the published one: its row says how. Zero-shot lessons use the classes with text features.",
            reader.Model,
            datasets,
            ood,
            texts,
            seed: seed);
    }

    private static Dataset Cifar10(Reader reader, int seed)
    {
        FeatureSet all = reader.Images("cifar10-test500");
        (FeatureSet train, FeatureSet rest) = all.SplitStratified(0.5, seed);
        (FeatureSet validation, FeatureSet test) = rest.SplitStratified(0.4, seed);
        return WithText(reader, "A", "cifar10-text", train, validation, test, Invariant(
            $"Only the {all.Split}. Here they are split at random within each class (seed {seed}) into {Percent(train, all)} train, {Percent(validation, all)} validation and {Percent(test, all)} test."));
    }

    private static Dataset Food101(Reader reader, int seed)
    {
        FeatureSet all = reader.Images("food101-train16shot");
        (FeatureSet train, FeatureSet rest) = all.SplitStratified(0.5, seed);
        (FeatureSet validation, FeatureSet test) = rest.SplitStratified(0.5, seed);
        return WithText(reader, "B", "food101-text", train, validation, test, Invariant(
            $"Only published rows of {all.Split}; {reader.Note("food101-train16shot")}. Here they are split at random within each class (seed {seed}) into {PerClass(train)} train, {PerClass(validation)} validation and {PerClass(test)} test images per class."));
    }

    private static Dataset Caltech256(Reader reader, int seed)
    {
        FeatureSet source = WithoutClutter(reader.Images("caltech256-val"));
        FeatureSet test = WithoutClutter(reader.Images("caltech256-test"));
        if (reader.Has(TrainingPart))
        {
            FeatureSet whole = WithoutClutter(reader.Images(TrainingPart));
            FeatureSet tuned = WithoutRowsOf(source, test);
            FeatureSet learned = WithoutRowsOf(WithoutRowsOf(whole, test), tuned);
            return WithText(reader, "C", "caltech256-text", learned, tuned, test, Invariant(
                $"The published training, validation and test parts. Left out: the class clutter, which is no class, and {source.Count - tuned.Count + whole.Count - learned.Count} images found in two parts."));
        }

        FeatureSet unseen = WithoutRowsOf(source, test);
        (FeatureSet train, FeatureSet validation) = unseen.SplitStratified(0.8, seed);
        return WithText(reader, "C", "caltech256-text", train, validation, test, Invariant(
            $"The published validation part is the training side, split at random within each class (seed {seed}) into {Percent(train, unseen)} train and {Percent(validation, unseen)} validation. Left out: the class clutter, which is no class, and {source.Count - unseen.Count} of the training side's images, found in the test part too."));
    }

    private static Dataset ImageNet(Reader reader)
    {
        FeatureSet all = reader.Images("imagenet-train4shot", clean: false).WithSplit("test");
        return new Dataset(
            "Large",
            train: null,
            validation: null,
            all,
            [.. Enumerable.Range(0, all.NumClasses)],
            [
                reader.Texts("imagenet-text", "text_features_a_class", DefaultPrompt, clean: false),
                reader.Texts("imagenet-text", "text_features_better_prompt", "better prompt, wording not stated", clean: false),
            ],
            Invariant($"{PerClass(all)} training images per class, {reader.Note("imagenet-train4shot")}; all are in Test, and there is no training side."));
    }

    /// <summary>Caltech-256 numbers its classes 1 to 257, and the last one, clutter, holds images of no class.</summary>
    private static FeatureSet WithoutClutter(FeatureSet set) => set.WithoutClasses(["clutter"]);

    /// <summary>The published parts share an image here and there, which a nearest-neighbour score would know by heart.</summary>
    private static FeatureSet WithoutRowsOf(FeatureSet set, FeatureSet other)
    {
        static string Key(FeatureSet features, int row) =>
            Convert.ToBase64String(MemoryMarshal.AsBytes(features.Features[row]));
        HashSet<string> seen = [.. Enumerable.Range(0, other.Count).Select(i => Key(other, i))];
        return set.Select([.. Enumerable.Range(0, set.Count).Where(i => !seen.Contains(Key(set, i)))]);
    }

    private static Dataset WithText(
        Reader reader, string role, string textFile, FeatureSet train, FeatureSet validation, FeatureSet test, string note)
    {
        (IReadOnlyList<int> classes, TextFeatures text) = reader.TextsOf(textFile, test);
        return new Dataset(
            role, train.WithSplit("train"), validation.WithSplit("validation"), test.WithSplit("test"), classes, [text], note);
    }

    private static void CheckFolder(string? folder)
    {
        string how = $"Get them with clipood fetch {WorldName}. Or set {FolderVariable} to a folder with the safetensors files {string.Join(", ", Files)}; data/README.md says what they hold and how to make them.";
        if (string.IsNullOrWhiteSpace(folder))
        {
            throw new WorldNotFoundException($"The world '{WorldName}' is missing: {FolderVariable} is not set, and its files were not fetched. {how}");
        }

        if (!Directory.Exists(folder))
        {
            throw new WorldNotFoundException(
                $"The world '{WorldName}' is missing: {FolderVariable} names '{folder}' ({Path.GetFullPath(folder)}), which is no folder. {how}");
        }

        string[] missing = [.. Files.Where(file => !File.Exists(Path.Combine(folder, file)))];
        if (missing.Length > 0)
        {
            throw new WorldNotFoundException(
                $"The world '{WorldName}' is incomplete: {Path.GetFullPath(folder)}, which {FolderVariable} names, lacks {string.Join(", ", missing)}. {how}");
        }
    }

    private static string FileName(string name) => $"{name}.safetensors";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Percent(FeatureSet part, FeatureSet all) => Invariant($"{100.0 * part.Count / all.Count:F0} %");

    private static int PerClass(FeatureSet set) => set.Count / set.NumClasses;

    /// <summary>Reads files of one folder and sees to it that one model made them all.</summary>
    private sealed class Reader(string folder)
    {
        private readonly Dictionary<string, string> _notes = [];
        private string? _model;

        public string Model => _model ?? throw new InvalidOperationException("No file was read yet.");

        public string Note(string name) => _notes[name];

        public bool Has(string name) => File.Exists(PathOf(name));

        public FeatureSet Images(string name, bool clean = true)
        {
            string path = PathOf(name);
            using (SafetensorsFile file = Safetensors.Open(path))
            {
                CheckModel(file);
                _notes[name] = file.Metadata.GetValueOrDefault("note", "");
            }

            FeatureSet set = FeatureSet.Load(path);
            return new FeatureSet(
                set.Name, set.Split, set.Features, set.Labels, Names(set.Classes, clean), set.Provenance, set.Images);
        }

        public TextFeatures Texts(string name, string tensor, string prompt, IReadOnlyList<string>? classes = null, bool clean = true)
        {
            using SafetensorsFile file = Safetensors.Open(PathOf(name));
            classes ??= FeatureSet.ReadList(file, "classes")
                ?? throw new InvalidDataException($"{file.Path}: metadata has no 'classes', expected a JSON list of names.");
            return Text(file, tensor, prompt, Names(classes, clean), classes);
        }

        /// <summary>The text features of a data set's classes, ordered by class, and the numbers of these classes.</summary>
        public (IReadOnlyList<int> Classes, TextFeatures Text) TextsOf(string name, FeatureSet set)
        {
            using SafetensorsFile file = Safetensors.Open(PathOf(name));
            int[] classIndex = file["class_index"].ToInt32s();
            if (classIndex.Any(k => (uint)k >= (uint)set.NumClasses) || classIndex.Distinct().Count() != classIndex.Length)
            {
                throw new InvalidDataException(
                    $"{file.Path}: class_index repeats a class or leaves 0 to {set.NumClasses - 1}, the classes of {set.Name}.");
            }

            TextFeatures text = Text(
                file, "text_features", DefaultPrompt, [.. classIndex.Select(k => set.Classes[k])], FeatureSet.ReadList(file, "names_used"));
            int[] order = [.. Enumerable.Range(0, classIndex.Length).OrderBy(i => classIndex[i])];
            return ([.. order.Select(i => classIndex[i])], text.Select(order));
        }

        private TextFeatures Text(
            SafetensorsFile file, string tensor, string prompt, IReadOnlyList<string> classes, IReadOnlyList<string>? encodedNames)
        {
            CheckModel(file);
            string[] provenance =
            [
                Path.GetFileName(file.Path),
                .. new[] { "prompts", "source" }.Select(key => file.Metadata.GetValueOrDefault(key, "")).Where(value => value.Length > 0),
            ];
            try
            {
                return new TextFeatures(
                    FeatureSet.ReadEmbeddings(file, tensor), classes, prompt, string.Join("; ", provenance) + ".", encodedNames);
            }
            catch (ArgumentException error)
            {
                throw new InvalidDataException($"{file.Path}: {error.Message}", error);
            }
        }

        private static IReadOnlyList<string> Names(IReadOnlyList<string> names, bool clean) => clean ? [.. names.Select(ClassNames.Clean)] : names;

        private string PathOf(string name) => Path.Combine(folder, FileName(name));

        private void CheckModel(SafetensorsFile file)
        {
            string model = file.Metadata.GetValueOrDefault("model", "(not stated)");
            _model ??= model;
            if (model != _model)
            {
                throw new InvalidDataException(
                    $"{file.Path}: made by model {model}, expected {_model} as the files read before. Features of two models do not compare.");
            }
        }
    }

    /// <summary>The fine class names of CIFAR-100 (Krizhevsky 2009) in alphabetical order, which the file of text features follows.</summary>
    internal static IReadOnlyList<string> Cifar100 { get; } =
    [
        "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy", "bridge", "bus",
        "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab",
        "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
        "lamp", "lawn mower", "leopard", "lion", "lizard", "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom",
        "oak tree", "orange", "orchid", "otter", "palm tree", "pear", "pickup truck", "pine tree", "plain", "plate", "poppy", "porcupine",
        "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail",
        "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
        "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow tree", "wolf", "woman", "worm",
    ];
}
