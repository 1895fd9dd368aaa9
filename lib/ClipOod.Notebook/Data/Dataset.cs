using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// One ID data set of a world: its parts for training, validating and testing, and the text features of its classes.
/// All parts have the same classes.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Dataset
{
    private readonly FeatureSet? _train;
    private readonly FeatureSet? _validation;
    private readonly IReadOnlyList<int> _textClasses;
    private readonly Catalog<TextFeatures> _textByPrompt;

    /// <summary>Wraps the parts.</summary>
    /// <param name="role">The name by which notebooks ask for it.</param>
    /// <param name="train">Null where the world has no training side.</param>
    /// <param name="validation">Null where the world has no training side.</param>
    /// <param name="test">The test side.</param>
    /// <param name="textClasses">The numbers of the classes that have text features, ascending.</param>
    /// <param name="texts">Text features whose row i is of class <c>textClasses[i]</c>, the default prompt first.</param>
    /// <param name="note">What is reduced against the published data set, and why.</param>
    internal Dataset(
        string role,
        FeatureSet? train,
        FeatureSet? validation,
        FeatureSet test,
        IReadOnlyList<int> textClasses,
        IReadOnlyList<TextFeatures> texts,
        string note)
    {
        foreach (FeatureSet? part in new[] { train, validation })
        {
            FeatureSet.RequireOnePrecision(test, part ?? test);
        }

        Role = role;
        _train = train;
        _validation = validation;
        Test = test;
        _textClasses = textClasses;
        _textByPrompt = new Catalog<TextFeatures>("prompt", texts.Select(text => (text.Prompt, text)));
        DefaultPrompt = texts[0].Prompt;
        Note = note;
    }

    /// <summary>The name by which notebooks ask for it: "A", "B", "C" or "Large".</summary>
    public string Role { get; }

    /// <summary>The name of the data set that plays the role.</summary>
    public string Name => Test.Name;

    /// <summary>Whether the world has training and validation images of this data set.</summary>
    public bool HasTrain => _train is not null;

    /// <summary>The images to learn from.</summary>
    /// <exception cref="InvalidOperationException">The world has none; see <see cref="HasTrain"/>.</exception>
    public FeatureSet Train => _train ?? throw NoTrain();

    /// <summary>The images to choose thresholds and settings on, disjoint from the others.</summary>
    /// <exception cref="InvalidOperationException">The world has none; see <see cref="HasTrain"/>.</exception>
    public FeatureSet Validation => _validation ?? throw NoTrain();

    /// <summary>The images to report results on, never to fit anything.</summary>
    public FeatureSet Test { get; }

    /// <summary>All images, for what is not fitted at all: training, validation and test rows one after another.</summary>
    public FeatureSet All => _train is null ? Test : _train.Append(_validation!).Append(Test).WithSplit("all");

    /// <summary>The class names.</summary>
    public IReadOnlyList<string> Classes => Test.Classes;

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => Test.NumClasses;

    /// <summary>Number of classes that have text features.</summary>
    internal int NumTextClasses => _textClasses.Count;

    /// <summary>Text features of all classes in the default prompt: row k is of class k.</summary>
    /// <exception cref="InvalidOperationException">Some class has none; <see cref="ZeroShot"/> leaves those classes out.</exception>
    public TextFeatures Text => TextByPrompt[DefaultPrompt];

    /// <summary>The prompt of <see cref="Text"/>.</summary>
    public string DefaultPrompt { get; }

    /// <summary>Text features of all classes, by prompt.</summary>
    /// <exception cref="InvalidOperationException">Some class has none; <see cref="ZeroShot"/> leaves those classes out.</exception>
    public Catalog<TextFeatures> TextByPrompt => _textClasses.Count == NumClasses
        ? _textByPrompt
        : throw new InvalidOperationException(
            $"Only {_textClasses.Count} of the {NumClasses} classes of {Name} have text features in this world. "
            + $"Use ZeroShot(), which is {Name} restricted to these classes.");

    /// <summary>What is reduced against the published data set, and why.</summary>
    public string Note { get; }

    /// <summary>
    /// This data set restricted to the classes that have text features, numbered anew in the same order; the note says how many these are.
    /// Zero-shot classification needs the text features of every class.
    /// </summary>
    public Dataset ZeroShot() => new(
        Role,
        _train?.WithClasses(_textClasses),
        _validation?.WithClasses(_textClasses),
        Test.WithClasses(_textClasses),
        [.. Enumerable.Range(0, _textClasses.Count)],
        [.. _textByPrompt.Values.OrderBy(text => text.Prompt != DefaultPrompt)], // the default prompt first
        string.Create(
            CultureInfo.InvariantCulture,
            $"Zero-shot: restricted to the {_textClasses.Count:N0} of {NumClasses:N0} classes that have text features. {Note}"));

    /// <summary>All classes of several data sets in one, with their default text features; each has them for all its classes.</summary>
    internal static Dataset Union(string role, string note, IReadOnlyList<Dataset> datasets)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"All-{datasets.Sum(set => set.NumClasses)}");
        FeatureSet Of(Func<Dataset, FeatureSet> part, string split) => FeatureSet.Union(name, split, [.. datasets.Select(part)]);
        TextFeatures[] texts = [.. datasets.Select(set => set.Text)];
        bool hasTrain = datasets.All(set => set.HasTrain);
        return new Dataset(
            role,
            hasTrain ? Of(set => set.Train, "train") : null,
            hasTrain ? Of(set => set.Validation, "validation") : null,
            Of(set => set.Test, "test"),
            [.. Enumerable.Range(0, datasets.Sum(set => set.NumClasses))],
            [new TextFeatures(
                texts.Skip(1).Aggregate(texts[0].Features, (all, text) => all.Append(text.Features)),
                [.. texts.SelectMany(text => text.Classes)],
                texts[0].Prompt, // a template, which readers fill; the others are told beside it
                string.Join(" ", datasets.Select((set, i) => $"{set.Name}: \"{texts[i].Prompt}\".").Append(texts[0].Provenance)))],
            note);
    }

    /// <summary>
    /// All images dealt anew at random, class by class, into parts as large as these: for what is computed on several splits. Splits share
    /// images; <c>Inference.OfSplits</c> takes account of it.
    /// </summary>
    /// <param name="seed">The same seed gives the same split.</param>
    /// <exception cref="InvalidOperationException">The world has no training side.</exception>
    public (FeatureSet Train, FeatureSet Validation, FeatureSet Test) Deal(int seed)
    {
        FeatureSet all = Train.Append(Validation).Append(Test);
        (FeatureSet test, FeatureSet rest) = all.SplitStratified(Test.Count / (double)all.Count, seed);
        (FeatureSet train, FeatureSet validation) = rest.SplitStratified(Train.Count / ((double)Train.Count + Validation.Count), seed);
        return (train.WithSplit("train"), validation.WithSplit("validation"), test.WithSplit("test"));
    }

    /// <summary>The same images under another role, with other text features: row k of class k.</summary>
    internal Dataset WithText(string role, TextFeatures text) =>
        new(role, _train, _validation, Test, [.. Enumerable.Range(0, NumClasses)], [text], Note);

    /// <summary>The same data set under another role, with other training images.</summary>
    internal Dataset WithTrain(string role, FeatureSet train) =>
        new(role, train, _validation, Test, _textClasses, [.. _textByPrompt.Values.OrderBy(text => text.Prompt != DefaultPrompt)], Note);

    /// <summary>The data set as HTML: its parts with their sizes, and what is reduced.</summary>
    public string ToHtml() => $"<p>{Html.Escape(ToString())}</p>";

    /// <inheritdoc/>
    public override string ToString()
    {
        string parts = HasTrain
            ? string.Create(CultureInfo.InvariantCulture, $"{Train.Count:N0} train, {Validation.Count:N0} validation and {Test.Count:N0} test images")
            : string.Create(CultureInfo.InvariantCulture, $"{Test.Count:N0} test images");
        return string.Create(
            CultureInfo.InvariantCulture, $"{Role}: {Name}, {NumClasses:N0} classes ({NumTextClasses:N0} with text features), {parts}. {Note}");
    }

    private InvalidOperationException NoTrain() => new(
        $"{Name} has no training side in this world: all its {Test.Count} images are in Test. Use a data set whose HasTrain is true.");
}
