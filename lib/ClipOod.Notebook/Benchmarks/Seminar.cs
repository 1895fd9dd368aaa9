namespace ClipOod.Notebook;

/// <summary>
/// The set-up and the slides of document A (UST-ETRI seminar, "Detecting OOD with Fine-tuned CLIP's Class-Specific Threshold Adjustments"):
/// its data sets by our roles, its recipe on data of our size, its numbers, and its tables in its own shape.
/// </summary>
public static class Seminar
{
    private static readonly Dictionary<string, string> _dataSets = new(StringComparer.Ordinal) { ["A"] = "CIFAR10", ["B"] = "Food101", ["C"] = "Caltech256" };

    /// <summary>The seminar's data set in a role, as its slides call it.</summary>
    /// <param name="role">"A", "B" or "C".</param>
    /// <exception cref="ArgumentException">It has none in this role.</exception>
    public static string DataSet(string role) => _dataSets.TryGetValue(role, out string? name)
        ? name
        : throw new ArgumentException($"Got the role '{role}', expected {string.Join(", ", _dataSets.Keys)}: the seminar has no other data set.", nameof(role));

    /// <summary>
    /// The seminar's recipe with as many steps as it took on its own data set in this role: its ten epochs are of far more images, and a
    /// head learns by steps.
    /// </summary>
    /// <param name="bench">A bench with a training side, in the role A, B or C.</param>
    public static HeadOptions SameSteps(Bench bench)
    {
        ArgumentNullException.ThrowIfNull(bench);
        HeadOptions recipe = HeadOptions.Seminar;
        double epoch = recipe.StepsPerEpoch(bench.Known.Train.Count);
        double steps = recipe.Epochs * recipe.StepsPerEpoch(Accuracy("linear-head", bench.Role, "train").Images!.Value);
        return recipe with { Epochs = Math.Max(recipe.Epochs, (int)Math.Round(steps / epoch)) };
    }

    /// <summary>
    /// Recipes beside the literal one, which is the first: a hundred times the rate does what features ten times as long would do (CLIP's
    /// features before they are brought to length one are about so long, and the seminar does not say which it took), for 10 and for 50 epochs.
    /// </summary>
    public static IReadOnlyList<HeadOptions> Recipes { get; } =
    [
        HeadOptions.Seminar,
        HeadOptions.Seminar with { LearningRate = 0.1 },
        HeadOptions.Seminar with { LearningRate = 0.1, Epochs = 50 },
    ];

    /// <summary>The recipe whose heads are right most often on validation images, in the mean over data sets; of equally good ones the first.</summary>
    /// <param name="benches">Benches with a training side.</param>
    /// <param name="recipes">At least one. Defaults to <see cref="Recipes"/>.</param>
    public static HeadOptions ChooseRecipe(IReadOnlyList<Bench> benches, IReadOnlyList<HeadOptions>? recipes = null) =>
        (recipes ?? Recipes).MaxBy(recipe => benches.Average(bench =>
            ThresholdedHead.Train(bench.Known, recipe).Validation[^1].Accuracy))!;

    /// <summary>A printed accuracy, with the number of images that it is of.</summary>
    /// <param name="detector">"zero-shot" or "linear-head".</param>
    /// <param name="role">"A", "B" or "C".</param>
    /// <param name="split">"train" or "test".</param>
    public static PublishedRow Accuracy(string detector, string role, string split) =>
        Published.Find(detector, DataSet(role), metric: "accuracy").Single(row => row.Variant == $"{split} images");

    /// <summary>The printed detection rate of a head's class-wise confidence thresholds.</summary>
    /// <param name="id">Role of the head's data set.</param>
    /// <param name="ood">Role of the data set that is OOD.</param>
    public static PublishedRow Detection(string id, string ood) => Published.Find("class-wise-confidence", DataSet(id), DataSet(ood)).Single();

    /// <summary>The printed detection rate of the two-model ensemble.</summary>
    /// <param name="first">Role of the first model's data set.</param>
    /// <param name="second">Role of the second model's.</param>
    /// <param name="ood">Role of the data set that is OOD.</param>
    public static PublishedRow Ensemble(string first, string second, string ood) =>
        Published.Find("two-model-ensemble", $"{DataSet(first)}+{DataSet(second)}", DataSet(ood)).Single();

    /// <summary>The printed rates of the three kinds of entropy thresholds: class-wise, their mean, grid search.</summary>
    /// <param name="role">"A" or "B".</param>
    /// <param name="mistakes">Of mistakes of the classifier; otherwise of the OOD set, which the slide does not name.</param>
    public static IReadOnlyList<PublishedRow> Entropy(string role, bool mistakes) =>
    [
        .. new[] { "class-wise-entropy", "mean-entropy-threshold", "grid-search-threshold" }.Select(kind => mistakes
            ? Published.Find(kind, DataSet(role), "misclassified", "detection-rate").Single()
            : Published.Find(kind, "not stated", DataSet(role), "detection-rate").Single()),
    ];

    /// <summary>The two images of the slide: what is said of each, its entropy in nats, and the threshold of the predicted class.</summary>
    public static IReadOnlyList<(string Image, double Entropy, double Threshold)> Examples { get; } =
    [
        .. Published.Find("class-wise-entropy", metric: "entropy").Zip(
            Published.Find("class-wise-entropy", metric: "entropy-threshold"),
            (entropy, threshold) => (entropy.Variant!, entropy.Value, threshold.Value)),
    ];

    /// <summary>
    /// Detection in the shape of the slides, how many images, how many of them uncertain, and the rate; and beside it the price that the
    /// slides leave out. The slides' own rows follow, under the names of their own data sets.
    /// </summary>
    /// <param name="title">What is flagged.</param>
    /// <param name="rows">Name and counts of each result of ours.</param>
    /// <param name="slide">The slide's rows.</param>
    /// <param name="price">The last column: the share flagged of which images that should not be.</param>
    /// <exception cref="ArgumentException">There is no result.</exception>
    public static ResultTable Table(
        string title,
        IReadOnlyList<(string Name, DetectionResult Result)> rows,
        IReadOnlyList<PublishedRow> slide,
        string price = "Price: own images flagged ↓")
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(slide);
        if (rows.Count == 0)
        {
            throw new ArgumentException("Got no results, expected at least one.", nameof(rows));
        }

        double[] Column(Func<DetectionResult, double> ours, Func<PublishedRow, double> theirs) =>
            [.. rows.Select(row => ours(row.Result)), .. slide.Select(theirs)];
        const string Missing = "not printed";
        ResultTable table = new ResultTable(title)
            .Text("ID → to be flagged", rows.Select(row => row.Name).Concat(slide.Select(NameOf)))
            .Numeric("Images", Column(r => r.TruePositives + r.FalseNegatives, row => row.Images ?? double.NaN), ColumnFormat.Count, missing: Missing)
            .Numeric("Uncertain", Column(r => r.TruePositives, row => row.Flagged ?? double.NaN), ColumnFormat.Count, missing: Missing)
            .Percent("Rate ↑", Column(r => r.DetectionRate, row => row.Value))
            .Numeric(price, Column(r => r.FalseAlarmRate, _ => double.NaN), ColumnFormat.Percent, missing: Missing);
        return slide.Count == 0 ? table : table.Note(
            "Rows of document A: other images, and a backbone that is not stated. They stand here to be recognised, not to be subtracted.");
    }

    private static string NameOf(PublishedRow row)
    {
        string thresholds = row.Detector switch
        {
            "class-wise-entropy" => ", class-wise",
            "mean-entropy-threshold" => ", mean",
            "grid-search-threshold" => ", grid search",
            _ => "",
        };
        return row.Ood == "misclassified" ? $"document A: {row.Id}{thresholds}"
            : row.Id == "not stated" ? $"document A: {row.Ood} → not stated{thresholds}"
            : $"document A: {row.Id} → {row.Ood}";
    }
}
