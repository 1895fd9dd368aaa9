using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Everything a notebook computes on, asked for by role and not by path: three ID data sets <see cref="A"/>, <see cref="B"/> and
/// <see cref="C"/>, a large one, OOD sets and text features. Another world has other data in the same roles.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed partial class World
{
    /// <summary>The environment variable that names the world; <see cref="PictogramWorld.WorldName"/> when unset.</summary>
    public const string WorldVariable = "CLIPOOD_WORLD";

    private readonly Catalog<TextFeatures> _texts;
    private readonly WorldEncoder? _encoder;
    private readonly ConcurrentDictionary<(string Role, bool AllClasses), Bench> _benches = new();
    private readonly ConcurrentDictionary<string, Lazy<ClassSplits>> _splits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Role, int Split, int Seed), Bench> _halves = new();

    internal World(
        string name,
        string description,
        string model,
        IEnumerable<Dataset> datasets,
        IEnumerable<(string Name, FeatureSet Validation, FeatureSet Test)> ood,
        IEnumerable<(string Name, TextFeatures Text)> texts,
        double logitScale = Scores.ClipLogitScale,
        WorldEncoder? encoder = null,
        int seed = 0,
        bool judgesClaims = true)
    {
        JudgesClaims = judgesClaims;
        Seed = seed;
        LogitScale = logitScale;
        _encoder = encoder;
        Name = name;
        Description = description;
        Model = model;
        Datasets = new Catalog<Dataset>("data set", datasets.Select(dataset => (dataset.Role, dataset)));
        (string Name, FeatureSet Validation, FeatureSet Test)[] sets = [.. ood];
        Ood = new Catalog<FeatureSet>("OOD set", sets.Select(set => (set.Name, set.Test)));
        OodValidation = new Catalog<FeatureSet>("OOD set", sets.Select(set => (set.Name, set.Validation)));
        _texts = new Catalog<TextFeatures>("text set", texts);
    }

    /// <summary>Such as "clip-features".</summary>
    public string Name { get; }

    /// <summary>What the world holds and what is reduced in it.</summary>
    internal string Description { get; }

    /// <summary>The model that made all features.</summary>
    public string Model { get; }

    /// <summary>The seed of the splits into training, validation and test parts.</summary>
    public int Seed { get; }

    /// <summary>The factor from cosines to logits that the model was trained with: 100 in the released CLIP models.</summary>
    public double LogitScale { get; }

    /// <summary>The names of all worlds, the default one first.</summary>
    public static IReadOnlyList<string> Names { get; } = [PictogramWorld.WorldName, ClipFeatures.WorldName, .. EncodedWorld.Names];

    /// <summary>
    /// Whether a claim in print can be judged here: whether the features are of a CLIP as papers use it, on pictures as they use them.
    /// A world without teaches mechanism.
    /// </summary>
    public bool JudgesClaims { get; }

    /// <summary>What a verdict drawn here can be about, a sentence.</summary>
    public string Reach => JudgesClaims
        ? "Its features are those of a published CLIP, so claims in print are judged here."
        : "It teaches mechanism: what a method does and why. Claims in print are judged on features of a published CLIP, not here.";

    /// <summary>Whether the model itself is here and can encode pictures and texts; otherwise there are only features.</summary>
    public bool HasEncoder => _encoder is not null;

    /// <summary>The model of this world.</summary>
    /// <exception cref="InvalidOperationException">This world holds features only; see <see cref="HasEncoder"/>.</exception>
    public WorldEncoder Encoder => _encoder ?? throw new InvalidOperationException(
        $"The world '{Name}' holds features only, neither the model nor the pixels. Run this in the world '{PictogramWorld.WorldName}'.");

    /// <summary>Whether pictures can be drawn here.</summary>
    public bool CanDraw => _encoder is PictogramStudio;

    /// <summary>The model and the drawings of the world "pictograms".</summary>
    /// <exception cref="InvalidOperationException">This world holds no drawings; see <see cref="CanDraw"/>.</exception>
    public PictogramStudio Pictograms => _encoder as PictogramStudio ?? throw new InvalidOperationException(
        $"The world '{Name}' holds no drawings. Run this in the world '{PictogramWorld.WorldName}'.");

    /// <summary>The same world seen by another of its models: the same pictures, other features. For comparing models.</summary>
    /// <param name="model">One of <see cref="PictogramStudio.Models"/>.</param>
    /// <exception cref="InvalidOperationException">This world holds no drawings; see <see cref="CanDraw"/>.</exception>
    /// <exception cref="InvalidDataException">There is no such model, or its files are broken.</exception>
    public World WithModel(string model) => PictogramWorld.Open(Pictograms.WithModel(model), seed: 0);

    /// <summary>The ID data sets by role.</summary>
    public Catalog<Dataset> Datasets { get; }

    /// <summary>The ID data set in the role of CIFAR-10: few, everyday classes.</summary>
    public Dataset A => Datasets["A"];

    /// <summary>The ID data set in the role of Food-101: fine-grained classes of one kind.</summary>
    public Dataset B => Datasets["B"];

    /// <summary>The ID data set in the role of Caltech-256: many classes of all kinds.</summary>
    public Dataset C => Datasets["C"];

    /// <summary>The large ID data set, in the role of ImageNet-1k.</summary>
    public Dataset Large => Datasets["Large"];

    /// <summary>
    /// Further OOD sets, to report results on, by role: "near" (things as those of the ID sets) and "textures" (patterns that fill the
    /// picture) in every world, and what else there is.
    /// </summary>
    public Catalog<FeatureSet> Ood { get; }

    /// <summary>Other images of the same OOD sets, for methods that learn from or are tuned on OOD images.</summary>
    public Catalog<FeatureSet> OodValidation { get; }

    /// <summary>Opens the world that the environment names.</summary>
    /// <param name="seed">Of the splits into training, validation and test parts.</param>
    /// <exception cref="WorldNotFoundException">The world is unknown or its data are not there; the message says how to get them.</exception>
    /// <exception cref="InvalidDataException">A file is broken; the message names it.</exception>
    public static World Open(int seed = 0) => Open(
        Environment.GetEnvironmentVariable(WorldVariable), ClipFeatures.Folder, seed);

    internal static World Open(string? name, string? featuresFolder, int seed) => name switch
    {
        null or "" or PictogramWorld.WorldName => PictogramWorld.Open(seed),
        ClipFeatures.WorldName => ClipFeatures.Open(featuresFolder, seed),
        _ when IsFolder(name) => OpenFeatures(name, seed),
        _ when EncodedWorld.IsKnown(name) => EncodedWorld.Open(name, seed),
        _ => throw new WorldNotFoundException(
            $"{WorldVariable} names the world '{name}', which is unknown. Known: {string.Join(", ", Names)}. Unset {WorldVariable} for the default."),
    };

    /// <summary>
    /// Opens a world of features that another program made: a folder with a subfolder for each role, as <c>data/README.md</c> lays it out.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="seed">Of the splits that the folder leaves to be made.</param>
    /// <exception cref="WorldNotFoundException">There is no such folder, or it lacks a role that every world has.</exception>
    /// <exception cref="InvalidDataException">A file is broken, or does not fit the others; the message names it.</exception>
    public static World OpenFeatures(string folder, int seed = 0) => FeatureFolder.Open(folder, seed);

    /// <summary>Whether a name of a world is the path of a folder of features, for <see cref="OpenFeatures"/>.</summary>
    internal static bool IsFolder(string name) => name.AsSpan().IndexOfAny('/', '\\') >= 0 || (!Names.Contains(name) && Directory.Exists(name));

    /// <summary>
    /// The ID data set in a role, restricted to the classes that have text features, with the world's OOD sets cleaned of what it knows:
    /// what detectors are fitted on and judged by.
    /// </summary>
    /// <param name="role">One of <see cref="Datasets"/>: "A", "B", "C" or "Large".</param>
    /// <exception cref="KeyNotFoundException">There is no data set in this role.</exception>
    /// <exception cref="InvalidDataException">Nothing of an OOD set is left, as the ID set knows all its classes.</exception>
    public Bench Bench(string role) => Bench(role, allClasses: false);

    /// <inheritdoc cref="Bench(string)"/>
    /// <param name="role">One of <see cref="Datasets"/>: "A", "B", "C" or "Large".</param>
    /// <param name="allClasses">
    /// Keeps the classes without text features, for what learns from images alone; where there are such, asking for text throws.
    /// </param>
    public Bench Bench(string role, bool allClasses) => _benches.GetOrAdd((role, allClasses), key =>
    {
        Dataset id = key.AllClasses ? Datasets[key.Role] : Datasets[key.Role].ZeroShot();
        return new Bench(id, Known(id), Ood, Seed);
    });

    /// <summary>
    /// Half of the classes of a data set against the other half, drawn at random: ID and OOD images of one source. Five splits by five
    /// seeds are repeats of one benchmark, called "C halves" after the role.
    /// </summary>
    /// <param name="role">One of <see cref="Datasets"/>: "A", "B", "C" or "Large".</param>
    /// <param name="splits">Number of draws of the classes, seeds 0 and on.</param>
    /// <param name="seeds">
    /// Number of draws of the images of every class, half to train, a quarter to validation and a quarter to test, seeds 0 and on. What is
    /// random in a detector, such as first weights and the order of a stream, takes the same seed.
    /// </param>
    /// <returns>Split by split, seed by seed.</returns>
    /// <exception cref="KeyNotFoundException">There is no data set in this role.</exception>
    /// <exception cref="InvalidOperationException">The data set has too few classes, or too few images of one; the message says what is expected.</exception>
    public IReadOnlyList<Bench> SplitBenches(string role, int splits = 5, int seeds = 5)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(splits);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(seeds);
        ClassSplits halves = SplitsOf(role);
        return [.. from split in Enumerable.Range(0, splits)
                   from seed in Enumerable.Range(0, seeds)
                   select Halves(halves, $"{role} halves", halves.Draw(split), $"drawn at random with seed {split}", split, seed)];
    }

    /// <summary>The published split of ImageNet's classes, ImageNet-X, in which siblings lie on both sides; empty where no data set here has these classes.</summary>
    /// <param name="seeds">As of <see cref="SplitBenches"/>.</param>
    /// <returns>Seed by seed.</returns>
    /// <remarks>Noda et al. 2025, arXiv 2501.18463.</remarks>
    public IReadOnlyList<Bench> PublishedSplitBenches(int seeds = 5)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(seeds);
        return Large.Name == ClipFeatures.ImageNetName && Large.NumTextClasses == 2 * ClassSplits.ImageNetX.Count
            ? [.. Enumerable.Range(0, seeds).Select(seed => Halves(SplitsOf("Large"), "ImageNet-X", ClassSplits.ImageNetX, "as ImageNet-X has them", 0, seed))]
            : [];
    }

    private ClassSplits SplitsOf(string role) => _splits.GetOrAdd(role, _ => new(() => new ClassSplits(Datasets[role].ZeroShot()))).Value;

    private Bench Halves(ClassSplits splits, string role, IReadOnlyList<int> classes, string how, int split, int seed) => _halves.GetOrAdd((role, split, seed), _ =>
    {
        (Dataset id, FeatureSet ood) = splits.Make(role, classes, how, seed);
        return new Bench(id, Known(id), [new("other half", ood)], split, seed);
    });

    private IdSide Known(Dataset id) => new(
        Name, id, Text("words"), LogitScale, _encoder, OodValidation.TryGetValue(PictogramWorld.NoiseSet, out FeatureSet? set) ? set.Features : null);

    /// <summary>
    /// A verdict on a claim in print, as far as this world reaches: where it <see cref="JudgesClaims"/> the verdict as it is, elsewhere the
    /// same estimate under "cannot be told here", as mechanism.
    /// </summary>
    /// <param name="source">Where the claim is printed, such as "document A, slide 12".</param>
    /// <param name="verdict">The verdict by the numbers of this world.</param>
    public Verdict Published(string source, Verdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.OnClaimOf(source, JudgesClaims ? null : $"the world {Name} teaches mechanism and judges no claim in print");
    }

    /// <summary>Text features of names that belong to no data set of this world, such as candidates for negative labels.</summary>
    /// <param name="name">Such as "words" (many common nouns); the error for an unknown name lists those there are.</param>
    /// <exception cref="KeyNotFoundException">There is no such set.</exception>
    public TextFeatures Text(string name) => _texts[name];

    /// <summary>The world as HTML: model, data sets with their sizes, what is reduced, and what computes here.</summary>
    public string ToHtml()
    {
        IEnumerable<Dataset> id = Datasets.Values;
        ResultTable datasets = new ResultTable("ID data sets")
            .Text("Role", id.Select(d => d.Role))
            .Text("Data set", id.Select(d => d.Name))
            .Count("Classes", id.Select(d => d.NumClasses))
            .Count("With text", id.Select(d => d.NumTextClasses))
            .Numeric("Train", id.Select(d => d.HasTrain ? d.Train.Count : double.NaN), ColumnFormat.Count, missing: "none")
            .Numeric("Validation", id.Select(d => d.HasTrain ? d.Validation.Count : double.NaN), ColumnFormat.Count, missing: "none")
            .Count("Test", id.Select(d => d.Test.Count));
        datasets = id.Aggregate(datasets, (table, d) => table.Note($"{d.Name}: {d.Note}"));
        ResultTable ood = new ResultTable("OOD data sets")
            .Text("Name", Ood.Keys)
            .Text("Data set", Ood.Values.Select(o => o.Name))
            .Count("Classes", Ood.Values.Select(o => o.NumClasses))
            .Count("Validation", Ood.Keys.Select(name => OodValidation[name].Count))
            .Count("Test", Ood.Values.Select(o => o.Count));
        ResultTable texts = new ResultTable("Text features")
            .Text("Name", _texts.Keys)
            .Count("Names", _texts.Values.Select(t => t.Count))
            .Text("Prompt", _texts.Values.Select(t => t.Prompt));
        texts = _texts.Aggregate(texts, (table, t) => table.Note($"{t.Key}: {Sha256().Replace(t.Value.Provenance, "$1…")}"));
        return $"<p><strong>World {Html.Escape(Name)}</strong>, features of {Html.Escape(Model)}. {Html.Escape(Description)} {Html.Escape(Reach)} {Html.Escape(Engine.Describe())}.</p>"
            + datasets.ToHtml() + ood.ToHtml() + texts.ToHtml();
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(
        Environment.NewLine,
        [
            $"World {Name}, features of {Model}. {Description} {Reach} {Engine.Describe()}.",
            .. Datasets.Values.Select(dataset => dataset.ToString()),
            .. Ood.Select(o => $"OOD {o.Key}: {o.Value}"),
            .. _texts.Select(t => $"Text {t.Key}: {t.Value}"),
        ]);

    // Nobody reads a hash to its end.
    [GeneratedRegex("\\b([0-9a-f]{8})[0-9a-f]{56}\\b")]
    private static partial Regex Sha256();
}

/// <summary>The world that was asked for is unknown, or its data are not there. The message says what to do.</summary>
public sealed class WorldNotFoundException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is missing and how to get it.</param>
    public WorldNotFoundException(string message)
        : base(message)
    {
    }
}
