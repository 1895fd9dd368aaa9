using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>How a <see cref="Benchmark"/> is run.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Seeds of training and of the order of a stream; each is one repeat. Defaults to null: the <see cref="Bench.Seed"/> of each bench.</summary>
    public IReadOnlyList<int>? Seeds { get; init; }

    /// <summary>Resamples of the images behind an interval. Defaults to 1,000.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>
    /// Folder that keeps the scores of what is done, so that the same call goes on where it was stopped; null keeps nothing. Scores are
    /// kept by world, bench, detector, seed and build of the library: those of another are not used.
    /// </summary>
    public string? Folder { get; init; }
}

/// <summary>One detector on one pair of an ID and an OOD set, in one repeat.</summary>
/// <param name="Detector">The detector.</param>
/// <param name="Bench">The ID side.</param>
/// <param name="Ood">The OOD set.</param>
/// <param name="Seed">Of training and of the order of a stream.</param>
/// <param name="IdScores">Scores of the ID test images.</param>
/// <param name="OodScores">Scores of the OOD images.</param>
/// <param name="Milliseconds">Time to score an image, encoding included only where the detector encodes.</param>
public sealed record BenchmarkCell(
    Detector Detector, Bench Bench, OodSet Ood, int Seed, IdScores IdScores, IdScores OodScores, double Milliseconds);

/// <summary>
/// Detectors times benches times repeats: every score once, the metrics with intervals, ranks, what could not be run and why, the published
/// row beside ours, and the cost.
/// </summary>
public sealed class Benchmark
{
    private readonly Dictionary<(string Key, string Bench, string Ood, Metric Metric), Interval> _intervals = [];
    private readonly Dictionary<(string Key, string Bench, string Ood, Metric Metric), ResampledMetric> _resampled = [];
    private readonly Dictionary<(string Bench, string Ood), Resamples> _draws = [];
    private readonly int _resamples;

    private Benchmark(IReadOnlyList<BenchmarkCell> cells, IReadOnlyList<(Detector Detector, Bench Bench, string Why)> unavailable, int resamples)
    {
        Cells = cells;
        Unavailable = unavailable;
        _resamples = resamples;
    }

    /// <summary>The cells, bench by bench, detector by detector in the order they were given in.</summary>
    public IReadOnlyList<BenchmarkCell> Cells { get; }

    /// <summary>What was left out, and what it needs.</summary>
    public IReadOnlyList<(Detector Detector, Bench Bench, string Why)> Unavailable { get; }

    /// <summary>The roles of the ID sets, in the order of the benches.</summary>
    public IReadOnlyList<string> Benches => [.. Cells.Select(cell => cell.Bench.Role).Distinct()];

    /// <summary>Scores every detector on every pair of every bench.</summary>
    /// <param name="detectors">The detectors, such as <see cref="DetectorCatalog.All"/>.</param>
    /// <param name="benches">The benches; those of one role and several splits are repeats of one.</param>
    /// <param name="options">Seeds, resamples and a folder to resume from. Defaults to the seed of each bench and no folder.</param>
    /// <param name="progress">Told what is scored next.</param>
    /// <exception cref="ArgumentException">There is no detector, no bench or no seed.</exception>
    public static Benchmark Run(
        IEnumerable<Detector> detectors, IEnumerable<Bench> benches, BenchmarkOptions? options = null, IProgress<string>? progress = null)
    {
        Detector[] all = [.. detectors];
        Bench[] given = [.. benches];
        options ??= new();
        if (all.Length == 0 || given.Length == 0 || options.Seeds is [])
        {
            throw new ArgumentException($"Got {all.Length} detectors, {given.Length} benches and {options.Seeds?.Count ?? 1} seeds, expected at least one of each.", nameof(detectors));
        }

        List<BenchmarkCell> cells = [];
        List<(Detector, Bench, string)> unavailable = [];
        foreach ((Bench bench, Detector detector) in from bench in given from detector in all select (bench, detector))
        {
            if (detector.Missing(bench.Known) is string why)
            {
                unavailable.Add((detector, bench, why));
                continue;
            }

            foreach ((int seed, OodSet ood) in from seed in options.Seeds ?? [bench.Seed] from ood in bench.Ood.Values select (seed, ood))
            {
                progress?.Report(string.Create(CultureInfo.InvariantCulture, $"{detector.Card.Name} on {bench.Role} against {ood.Role}, split {bench.Split}, seed {seed}"));
                cells.Add(Score(detector, bench, ood, seed, options.Folder));
            }
        }

        return new Benchmark(cells, unavailable, options.Resamples);
    }

    /// <summary>The detectors that were run on a bench.</summary>
    /// <param name="bench">Role of the ID set.</param>
    public IReadOnlyList<Detector> DetectorsOn(string bench) => [.. Of(bench).Select(cell => cell.Detector).Distinct()];

    /// <summary>The OOD sets of a bench, by role.</summary>
    /// <param name="bench">Role of the ID set.</param>
    public IReadOnlyList<string> OodSetsOf(string bench) => [.. Of(bench).Select(cell => cell.Ood.Role).Distinct()];

    /// <summary>
    /// A metric of a detector on a pair: of one repeat with an interval over images; of several splits their mean with an interval over
    /// splits, each the mean of its seeds, as seeds of one split are no draws of their own; of several seeds of one split an interval over seeds.
    /// </summary>
    /// <param name="detector">Key of the detector.</param>
    /// <param name="bench">Role of the ID set.</param>
    /// <param name="ood">Role of the OOD set.</param>
    /// <param name="metric">The metric.</param>
    /// <exception cref="KeyNotFoundException">The detector was not run on the pair; the message says why where it is known.</exception>
    public Interval this[string detector, string bench, string ood, Metric metric]
    {
        get
        {
            if (_intervals.TryGetValue((detector, bench, ood, metric), out Interval? known))
            {
                return known;
            }

            BenchmarkCell[] repeats = Repeats(detector, bench, ood);
            return _intervals[(detector, bench, ood, metric)] = repeats.Length == 1
                ? Resampled(detector, bench, ood, metric).Interval
                : Inference.OfMean(Units(repeats, [.. repeats.Select(cell => metric.Of(cell.IdScores, cell.OodScores))]));
        }
    }

    /// <summary>
    /// How much better one detector is than another, averaged over the OOD sets of a bench: on the same images where there is one repeat, on
    /// the same splits, or seeds of one split, where there are several. Positive where the first is better, also of a metric of which lower is better.
    /// </summary>
    /// <param name="better">Key of the first detector.</param>
    /// <param name="worse">Key of the second detector.</param>
    /// <param name="bench">Role of the ID set.</param>
    /// <param name="metric">The metric.</param>
    /// <returns>The mean difference with its 95 % interval and p-value.</returns>
    /// <exception cref="KeyNotFoundException">A detector was not run on the bench; the message says why where it is known.</exception>
    public PairedDifference Difference(string better, string worse, string bench, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        int sign = metric.HigherIsBetter ? 1 : -1;
        IReadOnlyList<string> sets = OodSetsOf(bench);
        BenchmarkCell[] repeats = Repeats(better, bench, sets[0]);
        if (repeats.Length > 1)
        {
            return Inference.OfDifferences(Units(repeats, Differences(better, worse, bench, metric)));
        }

        // The draws of the ID images are the same for every OOD set, as they have one seed.
        (ResampledMetric A, ResampledMetric B)[] pairs = [.. sets.Select(ood => (Resampled(better, bench, ood, metric), Resampled(worse, bench, ood, metric)))];
        double estimate = sign * pairs.Average(pair => pair.A.Estimate - pair.B.Estimate);
        double[] drawn = [.. Enumerable.Range(0, _resamples).Select(r => sign * pairs.Average(pair => pair.A.Values[r] - pair.B.Values[r]))];
        double error = MathNet.Numerics.Statistics.ArrayStatistics.StandardDeviation(drawn);
        double p = estimate == 0 ? 1 : error == 0 ? 0 : 2 * MathNet.Numerics.Distributions.Normal.CDF(0, 1, -Math.Abs(estimate) / error);
        return new PairedDifference(new Interval(estimate - (1.96 * error), estimate + (1.96 * error), estimate), p);
    }

    /// <summary>
    /// Verdicts on claims that one detector beats another on a bench, by the mean AUROC of its OOD sets. The word needs the interval of the
    /// difference, a p-value below 0.05 when corrected for all the claims (<see cref="Inference.Holm"/>), and every seed on the side of
    /// the mean; otherwise it is "undecided".
    /// </summary>
    /// <param name="bench">Role of the ID set.</param>
    /// <param name="claims">Keys of the better and of the worse detector, the published difference where there is one, and why it cannot be told here, null where it can.</param>
    /// <param name="margin">Smallest difference that matters, as a share. Defaults to half a point.</param>
    /// <param name="spread">As of <see cref="Verdict.Judge"/>. Defaults to 0.001.</param>
    /// <returns>A verdict per claim, in their order. A detector that was not run gives "cannot be told here".</returns>
    public IReadOnlyList<Verdict> Judge(
        string bench, IReadOnlyList<(string Better, string Worse, double? Published, string? Because)> claims, double margin = 0.005, double spread = 0.001)
    {
        ArgumentNullException.ThrowIfNull(claims);
        string?[] reasons = [.. claims.Select(claim => claim.Because ?? new[] { claim.Better, claim.Worse }.Select(key => WhyNot(key, bench)).FirstOrDefault(why => why is not null))];
        PairedDifference?[] differences = [.. claims.Select((claim, i) => reasons[i] is null ? Difference(claim.Better, claim.Worse, bench, Metric.Auroc) : null)];
        Queue<double> corrected = new(Inference.Holm([.. differences.OfType<PairedDifference>().Select(difference => difference.PValue)]));
        return [.. claims.Select((claim, i) =>
        {
            (string better, string worse) = (DetectorCatalog.Of(claim.Better).Card.Label, DetectorCatalog.Of(claim.Worse).Card.Label);
            string sentence = $"{better} beats {worse} on {bench}";
            if (differences[i] is not PairedDifference difference)
            {
                return Verdict.CannotBeTold(sentence, reasons[i]!);
            }

            double p = corrected.Dequeue();
            BenchmarkCell[] repeats = Repeats(claim.Better, bench, OodSetsOf(bench)[0]);
            return Verdict.Judge(sentence, difference.Interval, CountOf(repeats), margin, spread, claim.Published)
                .Doubted(p >= 0.05
                    ? string.Create(CultureInfo.InvariantCulture, $"corrected for {differences.Count(d => d is not null)} claims its p-value is {p:F2}")
                    : Otherwise(repeats, Differences(claim.Better, claim.Worse, bench, Metric.Auroc), difference.Interval.Estimate, margin));
        })];
    }

    /// <summary>The published values beside ours, each in the convention of its source.</summary>
    /// <param name="id">The published ID set, such as "ImageNet-1k".</param>
    /// <param name="against">The published OOD set, such as "Textures".</param>
    /// <param name="bench">Role of the ID set that stands for it here.</param>
    /// <param name="ood">Role of the OOD set that stands for it here.</param>
    /// <param name="metric">"auroc", or "fpr95" for every convention.</param>
    /// <returns>The published rows of the detectors that were run, in the order of the file, and our value in the row's convention.</returns>
    public IReadOnlyList<(PublishedRow Row, double Ours)> BesidePublished(string id, string against, string bench, string ood, string metric)
    {
        HashSet<string> run = [.. DetectorsOn(bench).Select(detector => detector.Card.Key)];
        return [.. Published.Find(id: id, ood: against, metric: metric)
            .Where(row => run.Contains(row.Detector) && Metric.All.Any(known => known.Key == row.MetricKey))
            .Select(row => (row, ValueOf(row.Detector, bench, ood, Metric.Parse(row.MetricKey))))];
    }

    /// <summary>A metric averaged over repeats, without an interval.</summary>
    /// <inheritdoc cref="this[string, string, string, Metric]"/>
    public double ValueOf(string detector, string bench, string ood, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return Repeats(detector, bench, ood).Average(cell => metric.Of(cell.IdScores, cell.OodScores));
    }

    /// <summary>A metric averaged over the OOD sets of a bench, and over repeats.</summary>
    /// <param name="detector">Key of the detector.</param>
    /// <param name="bench">Role of the ID set.</param>
    /// <param name="metric">The metric.</param>
    public double MeanOf(string detector, string bench, Metric metric) => OodSetsOf(bench).Average(ood => ValueOf(detector, bench, ood, metric));

    /// <summary>The rank of every detector by AUROC, averaged over the OOD sets of a bench; 1 = best on every set, equal values share the better rank.</summary>
    /// <param name="bench">Role of the ID set.</param>
    /// <returns>Mean ranks in the order of <see cref="DetectorsOn"/>.</returns>
    public IReadOnlyList<double> MeanRanks(string bench)
    {
        string[] keys = [.. DetectorsOn(bench).Select(detector => detector.Card.Key)];
        double[][] auroc = [.. OodSetsOf(bench).Select(ood => keys.Select(key => ValueOf(key, bench, ood, Metric.Auroc)).ToArray())];
        return [.. keys.Select((_, i) => auroc.Average(set => 1.0 + set.Count(other => other > set[i])))];
    }

    /// <summary>One family of detectors on one bench: rank, mean, and AUROC and FPR95 with intervals on every OOD set; the best first.</summary>
    /// <param name="bench">Role of the ID set.</param>
    /// <param name="family">The family, whose numbers compare.</param>
    /// <param name="convention">How FPR95 is read off the ROC points.</param>
    public ResultTable Table(string bench, DetectorFamily family, FprConvention convention = FprConvention.FirstAtLeast)
    {
        var rows = DetectorsOn(bench).Zip(MeanRanks(bench), (Detector, Rank) => (Detector.Card, Rank))
            .Where(row => row.Card.Family == family).OrderBy(row => row.Rank).ToArray();
        Metric fpr95 = Metric.Fpr95(convention);
        ResultTable table = new ResultTable($"{bench}: {DetectorCatalog.NameOf(family)}")
            .Text("Detector", rows.Select(row => row.Card.Label))
            .Number("Mean rank ↓", rows.Select(row => row.Rank), Best.Lowest)
            .Percent("Mean AUROC ↑", rows.Select(row => MeanOf(row.Card.Key, bench, Metric.Auroc)), Best.Highest);
        foreach (string ood in OodSetsOf(bench))
        {
            table = table
                .Text($"AUROC ↑ {ood}", rows.Select(row => Percent(this[row.Card.Key, bench, ood, Metric.Auroc])))
                .Text($"FPR95 ↓ {ood}", rows.Select(row => Percent(this[row.Card.Key, bench, ood, fpr95])));
        }

        int splits = Of(bench).Select(cell => cell.Bench.Split).Distinct().Count(), seeds = Of(bench).Select(cell => cell.Seed).Distinct().Count();
        string interval = string.Create(CultureInfo.InvariantCulture, $"{(splits, seeds) switch
        {
            (1, 1) => $"95 % intervals from {_resamples:N0} resamples of the images",
            (1, _) => $"means and 95 % intervals of {seeds} repeats",
            _ => $"means and 95 % intervals of {splits} splits, each the mean of {seeds} seeds",
        }}");
        return table
            .Text("Paper", rows.Select(row => row.Card.Citation))
            .Note($"* substitute. FPR95: {convention}, ID positive. In brackets {interval}. The rank is over all detectors of the bench, averaged over OOD sets.");
    }

    /// <summary>AUROC of all detectors on all pairs; NaN where a detector was not run.</summary>
    /// <param name="labels">Labels of the rows, detectors.</param>
    /// <param name="pairs">Labels of the columns, pairs of an ID and an OOD set.</param>
    public Matrix AurocGrid(out IReadOnlyList<string> labels, out IReadOnlyList<string> pairs)
    {
        DetectorCard[] cards = [.. Cells.Select(cell => cell.Detector.Card).DistinctBy(card => card.Key)];
        (string Bench, string Ood)[] columns = [.. Cells.Select(cell => (cell.Bench.Role, cell.Ood.Role)).Distinct()];
        labels = [.. cards.Select(card => card.Label)];
        pairs = [.. columns.Select(column => $"{column.Bench}, {column.Ood}")];
        return Matrix.FromRows([.. cards.Select(card => columns.Select(column =>
            Cells.Any(cell => cell.Detector.Card.Key == card.Key && cell.Bench.Role == column.Bench)
                ? ValueOf(card.Key, column.Bench, column.Ood, Metric.Auroc)
                : double.NaN).ToArray())]);
    }

    /// <summary>What a detector costs on a bench: time per image where it was measured in this run, and what it needs.</summary>
    /// <param name="bench">Role of the ID set.</param>
    public ResultTable Costs(string bench)
    {
        DetectorCard[] cards = [.. DetectorsOn(bench).Select(detector => detector.Card)];
        return new ResultTable($"{bench}: what it costs")
            .Text("Detector", cards.Select(card => card.Label))
            .Text("Time per image", cards.Select(card => TimeOf(Of(bench).Where(cell => cell.Detector.Card.Key == card.Key))))
            .Text("Needs", cards.Select(DetectorCatalog.NeedsOf))
            .Note("Times are of this run and this machine, the fit included in the first pair; they are not recorded.");
    }

    // With the unit at the number, so that what compares two runs sees a span of time.
    private static string TimeOf(IEnumerable<BenchmarkCell> cells)
    {
        double milliseconds = cells.Average(cell => cell.Milliseconds);
        return double.IsNaN(milliseconds) ? "kept from before" : string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F4} ms");
    }

    private static BenchmarkCell Score(Detector detector, Bench bench, OodSet ood, int seed, string? folder)
    {
        string? file = folder is null ? null : Path.Combine(folder, FileName(detector, bench, ood, seed));
        if (file is not null && Read(file, detector, bench, ood) is { } kept)
        {
            return new BenchmarkCell(detector, bench, ood, seed, kept.Id, kept.Ood, double.NaN);
        }

        Stopwatch clock = Stopwatch.StartNew();
        (IdScores id, IdScores outside) = bench.Score(detector, ood.Images, seed);
        double milliseconds = clock.Elapsed.TotalMilliseconds / (id.Count + outside.Count);
        if (file is not null)
        {
            Directory.CreateDirectory(folder!);
            AtomicFile.Write(file, temporary => File.WriteAllText(temporary, JsonSerializer.Serialize(new Kept(id.ToArray(), outside.ToArray()))));
        }

        return new BenchmarkCell(detector, bench, ood, seed, id, outside, milliseconds);
    }

    private static (IdScores Id, IdScores Ood)? Read(string file, Detector detector, Bench bench, OodSet ood)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            // A file that is not whole is as good as none: it is computed again and replaced.
            return JsonSerializer.Deserialize<Kept>(File.ReadAllText(file)) is { } kept && kept.Id.Length == bench.Test.Count && kept.Ood.Length == ood.Images.Count
                ? (new IdScores(detector.Card.Name, kept.Id), new IdScores(detector.Card.Name, kept.Ood))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string FileName(Detector detector, Bench bench, OodSet ood, int seed)
    {
        string build = typeof(Benchmark).Assembly.ManifestModule.ModuleVersionId.ToString("N");
        string what = string.Create(
            CultureInfo.InvariantCulture,
            $"{build} {bench.World} {bench.Role} {bench.Split} {bench.Test.Provenance} {ood.Role} {ood.Images.Provenance} {detector.Card.Key} {seed}");
        return $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)))[..24]}.json";
    }

    private ResampledMetric Resampled(string detector, string bench, string ood, Metric metric)
    {
        if (!_resampled.TryGetValue((detector, bench, ood, metric), out ResampledMetric? known))
        {
            BenchmarkCell cell = Repeats(detector, bench, ood)[0];
            if (!_draws.TryGetValue((bench, ood), out Resamples? draws))
            {
                _draws[(bench, ood)] = draws = new Resamples(cell.IdScores.Count, cell.OodScores.Count, _resamples);
            }

            _resampled[(detector, bench, ood, metric)] = known = draws.Of(cell.IdScores, cell.OodScores, metric);
        }

        return known;
    }

    private double[] Differences(string better, string worse, string bench, Metric metric)
    {
        int sign = metric.HigherIsBetter ? 1 : -1;
        double[][] bySet = [.. OodSetsOf(bench).Select(ood => Repeats(better, bench, ood)
            .Zip(Repeats(worse, bench, ood), (a, b) => sign * (metric.Of(a.IdScores, a.OodScores) - metric.Of(b.IdScores, b.OodScores)))
            .ToArray())];
        return [.. bySet[0].Select((_, repeat) => bySet.Average(set => set[repeat]))];
    }

    /// <summary>Means over the seeds of each split; the values themselves where there is one split.</summary>
    private static double[] Units(BenchmarkCell[] repeats, double[] values) => repeats.Select(cell => cell.Bench.Split).Distinct().Count() == 1
        ? values
        : [.. repeats.Zip(values).GroupBy(pair => pair.First.Bench.Split).Select(group => group.Average(pair => pair.Second))];

    /// <summary>Images where there is one repeat, splits where there are several, seeds otherwise.</summary>
    private static int CountOf(BenchmarkCell[] repeats) => repeats.Length == 1
        ? repeats[0].IdScores.Count + repeats[0].OodScores.Count
        : Units(repeats, new double[repeats.Length]).Length;

    /// <summary>The first seed whose mean over splits lies on the other side of the margin than the estimate.</summary>
    private static string? Otherwise(BenchmarkCell[] repeats, double[] values, double estimate, double margin) => repeats.Length == 1 ? null : repeats
        .Zip(values).GroupBy(pair => pair.First.Seed, pair => pair.Second)
        .Where(group => group.Average() > margin != estimate > margin)
        .Select(group => string.Create(CultureInfo.InvariantCulture, $"seed {group.Key} alone says otherwise, {group.Average():F4}"))
        .FirstOrDefault();

    private string? WhyNot(string detector, string bench) => Cells.Any(cell => cell.Detector.Card.Key == detector && cell.Bench.Role == bench)
        ? null
        : Unavailable.FirstOrDefault(item => item.Detector.Card.Key == detector && item.Bench.Role == bench).Why ?? $"{detector} was not run there";

    private BenchmarkCell[] Repeats(string detector, string bench, string ood)
    {
        BenchmarkCell[] cells = [.. Cells.Where(cell => cell.Detector.Card.Key == detector && cell.Bench.Role == bench && cell.Ood.Role == ood)];
        return cells.Length > 0 ? cells : throw new KeyNotFoundException(
            Unavailable.FirstOrDefault(item => item.Detector.Card.Key == detector && item.Bench.Role == bench).Why
            ?? $"'{detector}' was not run on {bench} against {ood}.");
    }

    private BenchmarkCell[] Of(string bench) => [.. Cells.Where(cell => cell.Bench.Role == bench)];

    private static string Percent(Interval x) => string.Create(
        CultureInfo.InvariantCulture, $"{100 * x.Estimate:F1} [{100 * x.Low:F1}, {100 * x.High:F1}]");

    private sealed record Kept(double[] Id, double[] Ood);
}
