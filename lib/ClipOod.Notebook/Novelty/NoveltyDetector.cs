using System.Globalization;
using System.Numerics.Tensors;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Says which images show none of the classes that one has images of: fitted on features of known images alone, saved, and used again. No
/// unknown image is needed. Immutable.
/// </summary>
/// <remarks>
/// The scores are those of the literature that lead for what is given: nearest known image (1-NN) and relative Mahalanobis distance (RMD, with
/// the shrinkage of Ledoit and Wolf) for images, MCM for names, NegLabel for words. The ensemble is the mean of those whose AUROC in the
/// self-test is within 0.02 of the best one's, each in standard deviations of known images that it was not fitted on. p-values are
/// conformal, by ten folds of the known images; as the final fit has a tenth more images than a fold, they are a little too large for known
/// images, which errs on the side of calling fewer new.
/// </remarks>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class NoveltyDetector
{
    /// <summary>The rate of false alarms that class-wise thresholds and the self-test keep to.</summary>
    public const double FalseAlarm = 0.05;

    /// <summary>How far the model must sort the known images above chance: this share of the way from chance to all right.</summary>
    public const double RequiredMargin = 0.25;

    private const int Folds = 10;
    private const int SelfTestFolds = 3;
    private const int MostSelfTests = 50;
    private const int MostImagesPerSelfTest = 50;
    private const double NearBest = 0.02;
    private const int FewestInCluster = 3;

    private readonly FittedScores _fitted;
    private readonly int[] _heldOutClasses;

    private NoveltyDetector(FeatureSet? known, IReadOnlyList<string> classes, IReadOnlyList<int> counts, NoveltyOptions options, FittedScores fitted, Calibration calibration)
    {
        _fitted = fitted;
        _heldOutClasses = calibration.Classes;
        (Known, Classes, Counts, Options, Scores, Accuracy, HeldOut, Forgotten, TypicalCosine) =
            (known, classes, counts, options, calibration.Scores, calibration.Accuracy, new IdScores("ensemble", calibration.HeldOut), calibration.Forgotten, calibration.TypicalCosine);
    }

    /// <summary>The known images' features; null where the detector was saved without them.</summary>
    public FeatureSet? Known { get; }

    /// <summary>The names of the K classes.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Number of known images of each class.</summary>
    public IReadOnlyList<int> Counts { get; }

    /// <summary>The model, names and texts that came with the features.</summary>
    public NoveltyOptions Options { get; }

    /// <summary>Width of the features.</summary>
    public int Width => _fitted.Statistics.GlobalMean.Length;

    /// <summary>The scores that were tried, and which of them are used.</summary>
    public IReadOnlyList<NoveltyScore> Scores { get; }

    /// <summary>Share of the known images that a linear discriminant fitted on nine tenths of them sorts right; NaN with one class.</summary>
    public double Accuracy { get; }

    /// <summary>Share of the largest class: what sorting without looking gives.</summary>
    public double Chance => Counts.Max() / (double)Counts.Sum();

    /// <summary>Scores of the known images by detectors that were not fitted on them; higher = more known.</summary>
    public IdScores HeldOut { get; }

    /// <summary>What would have happened, had a class been forgotten; empty with one class or two.</summary>
    public IReadOnlyList<ForgottenClass> Forgotten { get; }

    internal double TypicalCosine { get; }

    /// <summary>Fits on features of known images.</summary>
    /// <param name="known">N images of K classes, each of two images at least; 20 or more a class are a good number.</param>
    /// <param name="options">The model's name and fingerprint, file names, and texts where the model reads text.</param>
    /// <exception cref="NoveltyException">A class has too few images, or the model does not sort the known images: the message says what to do.</exception>
    /// <exception cref="ArgumentException">There is not one name for each image, or one text for each class.</exception>
    public static NoveltyDetector Fit(FeatureSet known, NoveltyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(known);
        options ??= new();
        int[] counts = [.. Enumerable.Range(0, known.NumClasses).Select(k => known.Labels.Count(label => label == k))];
        if (options.Files is { } files && files.Count != known.Count)
        {
            throw new ArgumentException($"Got {files.Count} names of files for {known.Count} known images, expected one each.", nameof(options));
        }

        if (options.Text is { } text && (text.Count != known.NumClasses || text.Features.Width != known.Features.Width))
        {
            throw new ArgumentException(
                $"Got text features of {text.Count} names and width {text.Features.Width}, expected {known.NumClasses} classes of width {known.Features.Width}: were both made by the same model?", nameof(options));
        }

        if (Array.FindIndex(counts, count => count < 2) is >= 0 and int few)
        {
            throw new NoveltyException(
                $"The class '{known.Classes[few]}' has {counts[few]} known {(counts[few] == 1 ? "image" : "images")}, expected at least 2, and 20 for thresholds of its own. Add images of it, or leave it out.");
        }

        Calibration calibration = Calibration.Of(known, options);
        double chance = counts.Max() / (double)known.Count;
        double required = chance + (RequiredMargin * (1 - chance));
        if (calibration.Accuracy < required)
        {
            throw new NoveltyException(string.Create(
                CultureInfo.InvariantCulture,
                $"The model {options.Model} sorts {calibration.Accuracy:P0} of the known images right where chance is {chance:P0}; below {required:P0} no verdict is given, as it does not see what makes your classes. ")
                + "Take a model that knows such images (--model, or clipood fetch for a real CLIP), give more images per class, or check that the folders hold what their names say.");
        }

        return new NoveltyDetector(
            known, known.Classes, counts, options, FittedScores.Fit(known.Features, known.Labels, known.NumClasses, options), calibration);
    }

    /// <summary>Judges images.</summary>
    /// <param name="images">Unit-norm features of the same model, shape (M, D), M at least 1.</param>
    /// <param name="rate">The false-discovery rate of the list of new images, above 0 and below 1.</param>
    /// <exception cref="ArgumentException">There is no image, or the width is another.</exception>
    public NoveltyReport Judge(Embeddings images, double rate = 0.1)
    {
        ArgumentNullException.ThrowIfNull(images);
        Similarity.RequireRows(images, nameof(images));
        if (images.Width != Width)
        {
            throw new ArgumentException(
                $"Got images of {images.Width} features, expected {Width} as of the known images: encode both with the model {Options.Model}.", nameof(images));
        }

        IdScores scores = new("ensemble", Ensemble(_fitted.Score(images), Scores));
        double[] p = Conformal.PValues(HeldOut, scores);
        bool[] listed = Conformal.BenjaminiHochberg(p, rate);
        int[] classes = _fitted.Classify(images);
        double[] classP = ClassPValues(scores, classes);
        (Matrix Cosines, int[,] Indices)? nearest = _fitted.Nearest(images);
        StrangerCluster[] clusters = Cluster(images, [.. Enumerable.Range(0, images.Rows).Where(i => listed[i])]);
        return new NoveltyReport(
            [.. Enumerable.Range(0, images.Rows).Select(i => new NoveltyVerdict(
                i,
                scores[i],
                p[i],
                Classes[classes[i]],
                classP[i],
                listed[i],
                nearest is null ? null : NameOf(nearest.Value.Indices[i, 0]),
                nearest?.Indices[i, 0] ?? -1,
                nearest?.Cosines[i, 0] ?? double.NaN,
                Array.FindIndex(clusters, cluster => cluster.Images.Contains(i))))],
            rate,
            HeldOut.Count,
            Conformal.Shift(HeldOut, scores),
            clusters);
    }

    /// <summary>The same with one more class; only its images need to be encoded.</summary>
    /// <param name="name">Its name, none of <see cref="Classes"/>.</param>
    /// <param name="images">Unit-norm features of the same model, two at least.</param>
    /// <param name="files">Names of the images, one each; needed where the known images have names.</param>
    /// <param name="text">Text features of all classes, the new one last, where the detector uses text.</param>
    /// <exception cref="NoveltyException">The detector keeps no features, or the class is there already or too small.</exception>
    public NoveltyDetector WithClass(string name, Embeddings images, IReadOnlyList<string>? files = null, TextFeatures? text = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(images);
        FeatureSet known = RequireFeatures("A class cannot be added");
        if (Classes.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new NoveltyException($"There is a class '{name}' already. Remove it first, or add this one under another name.");
        }

        FeatureSet grown = new(
            known.Name, known.Split, known.Features.Append(images), [.. known.Labels, .. Enumerable.Repeat(known.NumClasses, images.Rows)], [.. known.Classes, name], known.Provenance);
        return Fit(grown, Options with
        {
            Files = Options.Files is null ? null : [.. Options.Files, .. files ?? [.. Enumerable.Range(1, images.Rows).Select(i => $"{name}, {i}")]],
            Text = text,
        });
    }

    /// <summary>The same without a class; nothing needs to be encoded.</summary>
    /// <param name="name">One of <see cref="Classes"/>, two at least.</param>
    /// <exception cref="NoveltyException">The detector keeps no features, or there is no such class, or no other.</exception>
    public NoveltyDetector WithoutClass(string name)
    {
        FeatureSet known = RequireFeatures("A class cannot be removed");
        int gone = Classes.ToList().IndexOf(name);
        if (gone < 0 || Classes.Count < 2)
        {
            throw new NoveltyException($"The class '{name}' cannot be removed: {(gone < 0 ? "there is none of this name" : "it is the only one")}. Classes: {string.Join(", ", Classes)}.");
        }

        int[] keep = [.. Enumerable.Range(0, Classes.Count).Where(k => k != gone)];
        int[] rows = [.. Enumerable.Range(0, known.Count).Where(i => known.Labels[i] != gone)];
        return Fit(known.WithClasses(keep), Options with
        {
            Files = Options.Files is null ? null : [.. rows.Select(i => Options.Files[i])],
            Text = Options.Text?.Select(keep),
        });
    }

    /// <summary>The same with class statistics only: no feature of an image, no name of a file; classes can no longer be added or removed.</summary>
    /// <remarks>The mean of a class of few images is close to each of their features.</remarks>
    public NoveltyDetector WithoutFeatures()
    {
        NoveltyOptions options = Options with { Files = null };
        return Known is null
            ? this
            : new NoveltyDetector(null, Classes, Counts, options, FittedScores.Of(_fitted.Statistics, options), Calibration.Of(Known, options, statisticsOnly: true));
    }

    /// <summary>Checks that images were encoded by the model of the known images.</summary>
    /// <param name="modelHash">The fingerprint of the model that encodes them.</param>
    /// <exception cref="NoveltyException">It is another model.</exception>
    public void RequireModel(string modelHash)
    {
        if (Options.ModelHash.Length > 0 && Options.ModelHash != modelHash)
        {
            throw new NoveltyException(
                $"This detector is of the model {Options.Model} ({Short(Options.ModelHash)}), and the images are encoded by another ({Short(modelHash)}): their features do not compare. Give --model {Options.Model}, or fit a detector with the model at hand.");
        }

        static string Short(string hash) => hash[..Math.Min(8, hash.Length)];
    }

    /// <summary>Writes the detector to a file, which says itself what it holds of the known images.</summary>
    /// <param name="path">The file to write or replace, whole or not at all.</param>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        NoveltyFile.Save(this, path);
    }

    /// <summary>Reads a detector that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no detector, a damaged one, or one of another version; the message says what to do.</exception>
    public static NoveltyDetector Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return NoveltyFile.Load(path);
    }

    /// <summary>The detector in words: what it knows, what it uses and why.</summary>
    public string Explain()
    {
        NoveltyScore[] used = [.. Scores.Where(score => score.Used)];
        string sorted = double.IsNaN(Accuracy)
            ? "One class: whether the model tells it from others cannot be checked."
            : string.Create(CultureInfo.InvariantCulture, $"The model {Options.Model} sorts {100 * Accuracy:F0} % of the known images right (ten folds; chance {100 * Chance:F0} %).");
        string self = used.All(score => double.IsNaN(score.SelfTest))
            ? "With fewer than three classes none can be left out as a test, so all scores are used."
            : string.Create(CultureInfo.InvariantCulture, $"Each class was left out in turn and looked for: mean AUROC {string.Join(", ", Scores.Select(score => string.Create(CultureInfo.InvariantCulture, $"{score.Name} {100 * score.SelfTest:F1} %")))}.");
        return $"{Classes.Count} classes, {Counts.Sum()} known images. {sorted} {self} "
            + $"The score is {(used.Length == 1 ? "" : "the mean of ")}{string.Join(" and ", used.Select(score => score.Name))}, in standard deviations of held-out known images"
            + $"{(used.Length < Scores.Count ? string.Create(CultureInfo.InvariantCulture, $" (those within {100 * NearBest:F0} points of the best)") : "")}.";
    }

    /// <summary>What the known images alone say: a row for each class that was left out.</summary>
    public ResultTable SelfTestTable() => new ResultTable(string.Create(CultureInfo.InvariantCulture, $"Had you forgotten a class: how much of it would have been caught at {100 * FalseAlarm:F0} % false alarms"))
        .Text("Class", Forgotten.Select(entry => entry.Name))
        .Count("Images", Forgotten.Select(entry => entry.Images))
        .Percent("AUROC", Forgotten.Select(entry => entry.Auroc))
        .Percent("Caught", Forgotten.Select(entry => entry.Caught));

    /// <summary>The detector as HTML.</summary>
    public string ToHtml() => $"<p>{Html.Escape(Explain())}</p>";

    /// <inheritdoc/>
    public override string ToString() => Explain();

    internal FittedScores Fitted => _fitted;

    internal IReadOnlyList<int> HeldOutClasses => _heldOutClasses;

    /// <summary>A detector that was saved.</summary>
    internal static NoveltyDetector Restore(
        FeatureSet? known, IReadOnlyList<string> classes, IReadOnlyList<int> counts, NoveltyOptions options, Gaussians? statistics, Calibration calibration) => new(
            known,
            classes,
            counts,
            options,
            known is null ? FittedScores.Of(statistics!, options) : FittedScores.Fit(known.Features, known.Labels, known.NumClasses, options),
            calibration);

    /// <summary>Mean of the used scores, each in standard deviations of known images.</summary>
    private static double[] Ensemble(double[][] scores, IReadOnlyList<NoveltyScore> measures)
    {
        int[] used = [.. Enumerable.Range(0, measures.Count).Where(c => measures[c].Used)];
        return [.. Enumerable.Range(0, scores[0].Length).Select(i => used.Average(c => (scores[c][i] - measures[c].Mean) / measures[c].Deviation))];
    }

    // With so few images that no p-value can be small, a class has no say of its own.
    private double[] ClassPValues(IdScores scores, int[] classes)
    {
        double[] result = new double[scores.Count];
        foreach (IGrouping<int, int> rows in Enumerable.Range(0, scores.Count).GroupBy(i => classes[i]))
        {
            int[] own = [.. Enumerable.Range(0, HeldOut.Count).Where(i => _heldOutClasses[i] == rows.Key)];
            double[] p = own.Length == 0 ? [.. rows.Select(_ => 1.0)] : Conformal.PValues(HeldOut.Select(own), scores.Select(rows));
            foreach ((int row, double value) in rows.Zip(p))
            {
                result[row] = value;
            }
        }

        return result;
    }

    // Strangers belong together where they lie as near as a known image usually lies to its nearest.
    private StrangerCluster[] Cluster(Embeddings images, int[] strangers)
    {
        if (strangers.Length < FewestInCluster)
        {
            return [];
        }

        DbscanResult found = Dbscan.Run(images.Select(strangers), 1 - TypicalCosine, FewestInCluster);
        return [.. Enumerable.Range(0, found.Clusters)
            .Select(cluster => strangers.Where((_, i) => found.Labels[i] == cluster).ToArray())
            .OrderByDescending(rows => rows.Length)
            .Select(rows => new StrangerCluster(rows, WordsFor(images.Select(rows))))];
    }

    private string[] WordsFor(Embeddings cluster)
    {
        if (Options.Words is not { } words)
        {
            return [];
        }

        float[] mean = new float[cluster.Width];
        for (int i = 0; i < cluster.Rows; i++)
        {
            TensorPrimitives.Add(mean, cluster[i], mean);
        }

        Matrix cosines = Similarity.Cosines(new Embeddings(1, cluster.Width, mean).Normalized(), words.Features);
        return [.. Enumerable.Range(0, words.Count).OrderByDescending(i => cosines[0, i]).Take(3).Select(i => words.Classes[i])];
    }

    private string NameOf(int row) => Options.Files?[row] ?? string.Create(CultureInfo.InvariantCulture, $"{Known!.ClassOf(row)}, {1 + Enumerable.Range(0, row).Count(i => Known.Labels[i] == Known.Labels[row])}");

    private FeatureSet RequireFeatures(string what) => Known ?? throw new NoveltyException(
        $"{what}: this detector was saved without the known images' features. Fit it anew on all classes.");

    /// <summary>What known images that a fit did not see say of it.</summary>
    internal sealed record Calibration(
        IReadOnlyList<NoveltyScore> Scores, double[] HeldOut, int[] Classes, double Accuracy, IReadOnlyList<ForgottenClass> Forgotten, double TypicalCosine)
    {
        /// <summary>Measures by folds, and by leaving classes out.</summary>
        public static Calibration Of(FeatureSet known, NoveltyOptions options, bool statisticsOnly = false)
        {
            FittedScores FitOn(FeatureSet set, NoveltyOptions with)
            {
                FittedScores fitted = FittedScores.Fit(set.Features, set.Labels, set.NumClasses, with);
                return statisticsOnly ? FittedScores.Of(fitted.Statistics, with) : fitted;
            }

            int[] predicted = new int[known.Count];
            double[] cosines = new double[known.Count];
            (double[][] scores, IReadOnlyList<(string Key, string Name)> names) = HoldOut(known, options, Folds, FitOn, (set, fitted, rows) =>
            {
                int[] classes = fitted.Classify(known.Features.Select(rows));
                Matrix nearest = NearestNeighbors.Fit(set.Features).Search(known.Features.Select(rows)).Cosines;
                for (int i = 0; i < rows.Length; i++)
                {
                    (predicted[rows[i]], cosines[rows[i]]) = (classes[i], nearest[i, 0]);
                }
            });
            double accuracy = known.NumClasses == 1 ? double.NaN : predicted.Where((label, i) => label == known.Labels[i]).Count() / (double)known.Count;
            (double Mean, double Deviation)[] moments = [.. scores.Select(MomentsOf)];
            SelfTest[] tests = known.NumClasses < 3 ? [] : [.. TestsOf(known, options, names.Count, FitOn)];
            double[] auroc = [.. names.Select((_, c) => tests.Length == 0 ? double.NaN : tests.Average(test => Metrics.Auroc(new("others", test.Others[c]), new("left out", test.LeftOut[c]))))];
            double best = auroc.Where((_, c) => moments[c].Deviation > 0).DefaultIfEmpty(double.NaN).Max();
            NoveltyScore[] measures = [.. names.Select((name, c) => new NoveltyScore(
                name.Key, name.Name, auroc[c], moments[c].Mean, moments[c].Deviation,
                moments[c].Deviation > 0 && (tests.Length == 0 || auroc[c] >= best - NearBest)))];
            return new Calibration(
                measures, Ensemble(scores, measures), predicted, accuracy, [.. tests.Select(test => test.Judge(measures))], Statistics.Quantile(cosines, 0.5));
        }

        /// <summary>Scores of every image by fits that did not see it; each class is spread over the folds.</summary>
        private static (double[][] Scores, IReadOnlyList<(string Key, string Name)> Names) HoldOut(
            FeatureSet known, NoveltyOptions options, int folds, Func<FeatureSet, NoveltyOptions, FittedScores> fit, Action<FeatureSet, FittedScores, int[]>? then = null)
        {
            int[] order = [.. Enumerable.Range(0, known.Count)];
            new Random(options.Seed).Shuffle(order);
            int[] fold = new int[known.Count];
            int next = 0;
            foreach (int row in order.OrderBy(row => known.Labels[row]))
            {
                fold[row] = next++ % folds;
            }

            double[][]? scores = null;
            IReadOnlyList<(string Key, string Name)> names = [];
            for (int f = 0; f < folds; f++)
            {
                int[] rows = [.. Enumerable.Range(0, known.Count).Where(i => fold[i] == f)];
                if (rows.Length == 0)
                {
                    continue;
                }

                FeatureSet rest = known.Select([.. Enumerable.Range(0, known.Count).Where(i => fold[i] != f)]);
                FittedScores fitted = fit(rest, options);
                double[][] found = fitted.Score(known.Features.Select(rows));
                names = fitted.Names;
                scores ??= [.. found.Select(_ => new double[known.Count])];
                for (int c = 0; c < found.Length; c++)
                {
                    for (int i = 0; i < rows.Length; i++)
                    {
                        scores[c][rows[i]] = found[c][i];
                    }
                }

                then?.Invoke(rest, fitted, rows);
            }

            return (scores!, names);
        }

        private static (double Mean, double Deviation) MomentsOf(double[] values)
        {
            double mean = values.Average();
            double deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Length);
            return (mean, deviation > 1e-9 * Math.Max(1, Math.Abs(mean)) ? deviation : 0);
        }

        /// <summary>Every class left out in turn, or, of many classes and images, a part drawn at random.</summary>
        private static IEnumerable<SelfTest> TestsOf(FeatureSet known, NoveltyOptions options, int scores, Func<FeatureSet, NoveltyOptions, FittedScores> fit)
        {
            var random = new Random(options.Seed);
            int[] all = [.. Enumerable.Range(0, known.Count)];
            random.Shuffle(all);
            int[] some = [.. all.GroupBy(row => known.Labels[row]).SelectMany(group => group.Take(MostImagesPerSelfTest)).Order()];
            FeatureSet images = known.Select(some);
            int[] classes = [.. Enumerable.Range(0, known.NumClasses)];
            random.Shuffle(classes);
            foreach (int gone in classes.Take(MostSelfTests).Order())
            {
                int[] keep = [.. Enumerable.Range(0, known.NumClasses).Where(k => k != gone)];
                FeatureSet others = images.WithClasses(keep);
                NoveltyOptions without = options with { Text = options.Text?.Select(keep), Files = null };
                Embeddings leftOut = images.Features.Select([.. Enumerable.Range(0, images.Count).Where(i => images.Labels[i] == gone)]);
                double[][] theirs = HoldOut(others, without, SelfTestFolds, fit).Scores;
                double[][] its = fit(others, without).Score(leftOut);

                // With one class less a score may be missing or be another; then it says nothing.
                if (theirs.Length == scores)
                {
                    yield return new SelfTest(known.Classes[gone], theirs, its);
                }
            }
        }
    }

    /// <summary>Scores of the held-out images of the other classes, and of a class that was left out; a row per score.</summary>
    private sealed record SelfTest(string Name, double[][] Others, double[][] LeftOut)
    {
        public ForgottenClass Judge(IReadOnlyList<NoveltyScore> measures)
        {
            // In standard deviations of these images, as the detector is one of these classes.
            NoveltyScore[] own = [.. measures.Select((measure, c) => measure with { Mean = Others[c].Average(), Deviation = Math.Max(Spread(Others[c]), 1e-12) })];
            IdScores others = new("others", Ensemble(Others, own)), leftOut = new("left out", Ensemble(LeftOut, own));
            return new ForgottenClass(
                Name,
                leftOut.Count,
                Metrics.Auroc(others, leftOut),
                Conformal.PValues(others, leftOut).Count(p => p <= FalseAlarm) / (double)leftOut.Count);
        }

        private static double Spread(double[] values)
        {
            double mean = values.Average();
            return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Length);
        }
    }
}
