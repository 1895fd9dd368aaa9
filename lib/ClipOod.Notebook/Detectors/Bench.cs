using System.Collections.Concurrent;
using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>How far an OOD set lies from the ID set, as OpenOOD sorts them (arXiv 2306.09301).</summary>
public enum OodKind
{
    /// <summary>Things as those of the ID set, of other classes.</summary>
    Near,

    /// <summary>Other kinds of pictures: patterns, noise, another domain.</summary>
    Far,
}

/// <summary>An OOD set as one ID set meets it: without the classes that the ID set knows.</summary>
/// <param name="Role">The name by which notebooks ask for it, such as "near".</param>
/// <param name="Kind">Near or far.</param>
/// <param name="Images">The images to report results on.</param>
/// <param name="LeftOut">The classes that were left out, with the ID class that knows them and the reason.</param>
/// <param name="LeftOutImages">Number of images that went with them.</param>
public sealed record OodSet(string Role, OodKind Kind, FeatureSet Images, IReadOnlyList<ClassPair> LeftOut, int LeftOutImages);

/// <summary>
/// An ID set and everything that it is judged with: what a detector may be fitted on (<see cref="Known"/>), the ID test images, and OOD
/// sets cleaned of the classes that the ID set knows. One place says what is OOD for an ID set, so that a detector has one number.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Bench
{
    private readonly ConcurrentDictionary<(string Key, int Seed), object> _fitted = new();
    private readonly ConcurrentDictionary<(string Key, int Seed, FeatureSet Images), IdScores> _scores = new();

    /// <summary>Wraps the parts.</summary>
    /// <param name="id">The ID set.</param>
    /// <param name="known">What detectors may be fitted on.</param>
    /// <param name="ood">OOD sets by role, as the world has them.</param>
    /// <param name="split">The seed of the split.</param>
    /// <param name="seed">The seed of the deal of images and of what is random in detectors.</param>
    internal Bench(Dataset id, IdSide known, IEnumerable<KeyValuePair<string, FeatureSet>> ood, int split, int seed = 0)
    {
        Id = id;
        Split = split;
        Seed = seed;
        Ood = new Catalog<OodSet>("OOD set", ood.Select(set => (set.Key, Clean(set.Key, set.Value))));
        WordsNamingOod = ClassOverlap.Naming(Ood.Values.SelectMany(set => set.Images.Classes), known.Words.Classes);
        Known = known.Without(WordsNamingOod);
    }

    private Bench(Bench other, Dataset id) => (Id, Known, Split, Seed, Ood, WordsNamingOod) =
        (id, other.Known.With(id), other.Split, other.Seed, other.Ood, other.WordsNamingOod);

    /// <summary>Name of the world.</summary>
    public string World => Known.World;

    /// <summary>The role of the ID set: "A", "B", "C" or "Large", or "C halves" where its classes are split.</summary>
    public string Role => Id.Role;

    /// <summary>The seed of the split into training, validation and test images, or into ID and OOD classes.</summary>
    public int Split { get; }

    /// <summary>The seed of the deal of images where classes are split, and of what is random in detectors where none is asked for; 0 elsewhere.</summary>
    public int Seed { get; }

    /// <summary>The ID set, restricted to the classes that have text features where the bench was not asked for all.</summary>
    public Dataset Id { get; }

    /// <summary>What a detector is fitted on: the ID side alone.</summary>
    public IdSide Known { get; }

    /// <summary>The ID images to report results on.</summary>
    public FeatureSet Test => Id.Test;

    /// <summary>The world's OOD sets by role, without what the ID set knows.</summary>
    public Catalog<OodSet> Ood { get; }

    /// <summary>Words of the world that name a class of an OOD set, by the name or a synonym: left out of <see cref="IdSide.Words"/>, as no method may be told the answers.</summary>
    public IReadOnlyList<string> WordsNamingOod { get; }

    /// <summary>Other images as an OOD set of this bench: without the classes that the ID set knows.</summary>
    /// <param name="role">What to call it; "textures" and "noise" are far, all else is near.</param>
    /// <param name="images">The images, with the names of their classes.</param>
    /// <exception cref="InvalidDataException">Nothing is left, as the ID set knows all classes.</exception>
    public OodSet Clean(string role, FeatureSet images)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(role);
        FeatureSet.RequireOnePrecision(Id.Test, images);
        ClassPair[] known = KnownOf(images);
        FeatureSet left = known.Length == 0 ? images : images.WithoutClasses(known.Select(pair => pair.Ood));
        return left.Count > 0
            ? new OodSet(role, role is "textures" or "noise" ? OodKind.Far : OodKind.Near, left, known, images.Count - left.Count)
            : throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"Nothing is OOD for {Id.Name} in {images.Name}: it knows all {images.NumClasses} classes, such as {known[0].Ood} ({known[0].Reason}). Take another OOD set."));
    }

    /// <summary>The same sets under other text features of the classes, such as those of another prompt: a bench with results of its own.</summary>
    /// <param name="name">What the text is, such as "synonyms"; the role becomes "A, synonyms".</param>
    /// <param name="text">Row k is of class k, whatever it was made of.</param>
    /// <exception cref="ArgumentException">There is not one row for each class.</exception>
    public Bench WithText(string name, TextFeatures text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(text);
        return text.Count == Id.NumClasses
            ? new Bench(this, Id.WithText($"{Role}, {name}", text))
            : throw new ArgumentException($"Got text features of {text.Count} names, expected one for each of the {Id.NumClasses} classes of {Id.Name}.", nameof(text));
    }

    /// <summary>The same sets with other training images, such as fewer: a bench with results of its own.</summary>
    /// <param name="name">What they are, such as "5 per class"; the role becomes "A, 5 per class".</param>
    /// <param name="train">Images of the same classes.</param>
    /// <exception cref="ArgumentException">The classes are others.</exception>
    public Bench WithTrain(string name, FeatureSet train)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(train);
        return train.Classes.SequenceEqual(Id.Classes)
            ? new Bench(this, Id.WithTrain($"{Role}, {name}", train))
            : throw new ArgumentException($"Got training images of {train.NumClasses} classes of {train.Name}, expected the {Id.NumClasses} classes of {Id.Name} in their order.", nameof(train));
    }

    /// <summary>
    /// The test images of other benches as OOD sets of this one, under their roles: without this bench itself, and without sets all of
    /// whose classes it knows, of which nothing is OOD.
    /// </summary>
    /// <param name="others">Benches of the same world.</param>
    public IReadOnlyList<OodSet> Against(IEnumerable<Bench> others) =>
        [.. others.Where(other => other.Role != Role && !KnowsAll(other.Test)).Select(other => Clean(other.Role, other.Test))];

    /// <summary>Whether the ID set knows every class of other images: nothing of them is OOD then, and <see cref="Clean"/> refuses them.</summary>
    /// <param name="images">The images, with the names of their classes.</param>
    public bool KnowsAll(FeatureSet images) => KnownOf(images).Length == images.NumClasses;

    /// <summary>Scores of the ID test images and of an OOD set by a detector, fitted on <see cref="Known"/> on first use and then kept.</summary>
    /// <param name="detector">The detector.</param>
    /// <param name="ood">Role of one of <see cref="Ood"/>.</param>
    /// <param name="seed">Of training, and of the order of a stream. Defaults to <see cref="Seed"/>.</param>
    /// <returns>Scores of <see cref="Test"/> and of the OOD images, in their order; higher = more ID.</returns>
    /// <exception cref="DetectorUnavailableException">The detector needs what this bench lacks; the message says what and where there is it.</exception>
    public (IdScores Id, IdScores Ood) Score(Detector detector, string ood, int? seed = null) => Score(detector, Ood[ood].Images, seed);

    /// <summary>The same for other images, such as those that <see cref="Clean"/> returned.</summary>
    /// <inheritdoc cref="Score(Detector, string, int?)"/>
    /// <param name="detector">The detector.</param>
    /// <param name="ood">The OOD images.</param>
    /// <param name="seed">Of training, and of the order of a stream. Defaults to <see cref="Seed"/>.</param>
    public (IdScores Id, IdScores Ood) Score(Detector detector, FeatureSet ood, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(detector);
        ArgumentNullException.ThrowIfNull(ood);
        FeatureSet.RequireOnePrecision(Id.Test, ood);
        if (detector is not StreamDetector stream)
        {
            return (ScoresOf(detector, Test, seed), ScoresOf(detector, ood, seed));
        }

        int drawn = seed ?? Seed;
        FittedStreamDetector fitted = (FittedStreamDetector)_fitted.GetOrAdd((detector.Card.Key, drawn), _ => stream.Fit(Known, drawn));
        MixedImages mixed = MixedImages.Shuffle(Test.Features, ood.Features, drawn);
        return mixed.Split(fitted.Score(mixed.Images));
    }

    /// <summary>Scores of any images by a detector that judges each by itself, such as of the validation images that a threshold is taken from.</summary>
    /// <param name="detector">The detector.</param>
    /// <param name="images">The images.</param>
    /// <param name="seed">Of training. Defaults to <see cref="Seed"/>.</param>
    /// <returns>One score per image; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The detector learns from a stream of ID and OOD images.</exception>
    /// <exception cref="DetectorUnavailableException">The detector needs what this bench lacks; the message says what and where there is it.</exception>
    public IdScores ScoresOf(Detector detector, FeatureSet images, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(detector);
        ArgumentNullException.ThrowIfNull(images);
        ImageDetector image = detector as ImageDetector
            ?? throw new ArgumentException($"{detector.Card.Name} scores ID and OOD images as one stream, none by itself. Call {nameof(Score)}.", nameof(detector));
        int drawn = seed ?? Seed;
        FittedDetector fitted = (FittedDetector)_fitted.GetOrAdd((detector.Card.Key, drawn), _ => image.Fit(Known, drawn));
        return _scores.GetOrAdd((detector.Card.Key, drawn, images), _ => fitted.Score(images));
    }

    /// <summary>The bench as HTML: its sizes, and what was left out of the OOD sets and why.</summary>
    public string ToHtml() => $"<p>{Html.Escape(Describe())}</p>{Table().ToHtml()}";

    /// <inheritdoc/>
    public override string ToString() => $"{Describe()}{Environment.NewLine}{Table()}";

    private ClassPair[] KnownOf(FeatureSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return [.. ClassOverlap.Find(Id.Classes, images.Classes).DistinctBy(pair => pair.Ood)];
    }

    private string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"Bench {Role} of the world {World}: {Id.Name}, {Id.NumClasses:N0} classes, {(Id.HasTrain ? $"{Id.Train.Count:N0} train and {Id.Validation.Count:N0} validation images" : "no training side")}, {Test.Count:N0} test images, one of which moves a rate by {100.0 / Test.Count:G2} points; {Known.Words.Count:N0} words, {Known.WordsLeftOut:N0} that name a class and {WordsNamingOod.Count:N0} that name an OOD class left out.");

    private ResultTable Table()
    {
        ResultTable table = new ResultTable($"OOD sets of {Id.Name}")
            .Text("Role", Ood.Keys)
            .Text("Data set", Ood.Values.Select(set => set.Images.Name))
            .Text("Kind", Ood.Values.Select(set => set.Kind == OodKind.Near ? "near" : "far"))
            .Count("Classes", Ood.Values.Select(set => set.Images.NumClasses))
            .Count("Images", Ood.Values.Select(set => set.Images.Count))
            .Count("Classes left out", Ood.Values.Select(set => set.LeftOut.Count))
            .Count("Images left out", Ood.Values.Select(set => set.LeftOutImages));
        return Ood.Values.Where(set => set.LeftOut.Count > 0).Aggregate(table, (t, set) => t.Note(
            $"Left out of {set.Images.Name}: {string.Join("; ", set.LeftOut.GroupBy(pair => pair.Reason).Select(group => $"{string.Join(", ", group.Select(pair => pair.Ood))} ({group.Key})"))}."));
    }
}

/// <summary>What a detector may be fitted on: the ID side of a <see cref="Bench"/>. The OOD sets and the test images are out of its reach.</summary>
public sealed class IdSide
{
    private readonly Dataset _set;
    private readonly ConcurrentDictionary<string, Lazy<object>> _shared = new(StringComparer.Ordinal);

    /// <summary>Wraps the parts.</summary>
    /// <param name="world">Name of the world.</param>
    /// <param name="set">The ID set.</param>
    /// <param name="words">Words of the world; those that name a class are left out here.</param>
    /// <param name="logitScale">The factor from cosines to logits.</param>
    /// <param name="encoder">The model, where it is here.</param>
    /// <param name="noise">Features of noise, where there are any.</param>
    internal IdSide(string world, Dataset set, TextFeatures words, double logitScale, WorldEncoder? encoder, Embeddings? noise)
    {
        World = world;
        _set = set;
        LogitScale = logitScale;
        Encoder = encoder;
        Noise = noise;
        HashSet<string> own = [.. ClassOverlap.Naming(set.Classes, words.Classes)];
        Words = words.Select([.. Enumerable.Range(0, words.Count).Where(i => !own.Contains(words.Classes[i]))]);
        WordsLeftOut = own.Count;
    }

    private IdSide(IdSide other, Dataset set, TextFeatures words) => (World, _set, LogitScale, Encoder, Noise, Words, WordsLeftOut) =
        (other.World, set, other.LogitScale, other.Encoder, other.Noise, words, other.WordsLeftOut);

    /// <summary>Name of the world.</summary>
    public string World { get; }

    /// <summary>Name of the ID set.</summary>
    public string Name => _set.Name;

    /// <summary>The names of the K classes.</summary>
    public IReadOnlyList<string> Classes => _set.Classes;

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => _set.NumClasses;

    /// <summary>Text features of the classes, row k of class k.</summary>
    public TextFeatures Text => _set.Text;

    /// <summary>The factor from cosines to logits.</summary>
    public double LogitScale { get; }

    /// <summary>Text features of words that name no class of the ID set nor of the bench's OOD sets; there may be none.</summary>
    public TextFeatures Words { get; }

    /// <summary>Number of words that were left out as names of classes of the ID set.</summary>
    public int WordsLeftOut { get; }

    /// <summary>Whether there are training and validation images.</summary>
    public bool HasTrain => _set.HasTrain;

    /// <summary>The ID images to learn from.</summary>
    /// <exception cref="InvalidOperationException">The world has none; see <see cref="HasTrain"/>.</exception>
    public FeatureSet Train => _set.Train;

    /// <summary>The ID images to choose thresholds and settings on.</summary>
    /// <exception cref="InvalidOperationException">The world has none; see <see cref="HasTrain"/>.</exception>
    public FeatureSet Validation => _set.Validation;

    /// <summary>The model; null where the world holds features only.</summary>
    public WorldEncoder? Encoder { get; }

    /// <summary>Features of pictures of pure noise, drawn without any data set; null where there are none.</summary>
    public Embeddings? Noise { get; }

    /// <summary>The same side with another data set of the same classes; what was fitted is not shared.</summary>
    internal IdSide With(Dataset set) => new(this, set, Words);

    /// <summary>The same side without some of its words.</summary>
    internal IdSide Without(IReadOnlyCollection<string> words) =>
        new(this, _set, Words.Select([.. Enumerable.Range(0, Words.Count).Where(i => !words.Contains(Words.Classes[i]))]));

    /// <summary>What several detectors are made of, such as a trained head, made once.</summary>
    internal T Shared<T>(string key, Func<T> make)
        where T : class => (T)_shared.GetOrAdd(key, _ => new Lazy<object>(make)).Value;
}
