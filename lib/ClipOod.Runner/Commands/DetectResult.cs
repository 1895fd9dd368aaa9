using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Notebook;
using ClipOod.Runner.Rendering;
using Html = ClipOod.Runner.Rendering.Html;

namespace ClipOod.Runner.Commands;

/// <summary>What <c>clipood detect</c> found, as text, CSV, JSON and a page.</summary>
/// <param name="Detector">The detector.</param>
/// <param name="Report">What it says.</param>
/// <param name="Images">The new images, with thumbnails.</param>
/// <param name="Names">Their names within the folder.</param>
/// <param name="LeftOut">What was not judged.</param>
internal sealed record DetectResult(
    NoveltyDetector Detector, NoveltyReport Report, EncodedFolder Images, IReadOnlyList<string> Names, IReadOnlyList<LeftOut> LeftOut)
{
    private const int RowsShown = 20;
    private const int PicturesShown = 48;

    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The known images with thumbnails, where they were encoded just now.</summary>
    public EncodedFolder? Known { get; init; }

    /// <summary>Whether the first part of a name is a period.</summary>
    public bool Periods { get; init; }

    /// <summary>What the images show, where the user knows.</summary>
    public Truth? Truth { get; init; }

    /// <summary>Prints the verdicts, strangest first, and what they say together.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine(Report.ToTable(Names, RowsShown));
        if (Names.Count > RowsShown)
        {
            output.WriteLine($"The {RowsShown} strangest of {Names.Count}; --csv FILE writes all.");
        }

        foreach (string line in Sentences())
        {
            output.WriteLine(line);
        }

        if (Periods)
        {
            output.WriteLine(PeriodTable());
        }
    }

    public string ToCsv() => CsvFile.Write(
    [
        ["file", "verdict", "p", "class_p", "score", "class", "nearest", "cosine", "cluster"],
        .. Report.StrangestFirst.Select(row => (object?[])
        [
            Names[row.Index], NoveltyReport.VerdictOf(row), row.PValue, row.ClassPValue, row.Score, row.Class, row.Nearest,
            double.IsNaN(row.Cosine) ? null : row.Cosine, row.Cluster < 0 ? null : row.Cluster + 1,
        ]),
    ]);

    public string ToJson() => new JsonObject
    {
        ["model"] = Detector.Options.Model,
        ["modelHash"] = Detector.Options.ModelHash,
        ["classes"] = new JsonArray([.. Detector.Classes.Zip(Detector.Counts, (name, count) => new JsonObject { ["name"] = name, ["images"] = count })]),
        ["accuracy"] = Number(Detector.Accuracy),
        ["chance"] = Detector.Chance,
        ["scores"] = new JsonArray([.. Detector.Scores.Select(score => new JsonObject { ["key"] = score.Key, ["name"] = score.Name, ["selfTestAuroc"] = Number(score.SelfTest), ["used"] = score.Used })]),
        ["forgotten"] = new JsonArray([.. Detector.Forgotten.Select(entry => new JsonObject { ["class"] = entry.Name, ["images"] = entry.Images, ["auroc"] = entry.Auroc, ["caught"] = entry.Caught })]),
        ["falseAlarm"] = NoveltyDetector.FalseAlarm,
        ["falseDiscoveryRate"] = Report.FalseDiscoveryRate,
        ["shift"] = new JsonObject { ["distance"] = Report.Shift.Distance, ["p"] = Report.Shift.PValue, ["newShare"] = Report.Shift.NewShare },
        ["clusters"] = new JsonArray([.. Report.Clusters.Select(cluster => new JsonObject
        {
            ["files"] = new JsonArray([.. cluster.Images.Select(i => JsonValue.Create(Names[i]))]),
            ["words"] = new JsonArray([.. cluster.Words.Select(word => JsonValue.Create(word))]),
        })]),
        ["images"] = new JsonArray([.. Report.StrangestFirst.Select(row => new JsonObject
        {
            ["file"] = Names[row.Index],
            ["verdict"] = NoveltyReport.VerdictOf(row),
            ["p"] = row.PValue,
            ["classP"] = row.ClassPValue,
            ["score"] = row.Score,
            ["class"] = row.Class,
            ["nearest"] = row.Nearest,
            ["cosine"] = Number(row.Cosine),
        })]),
        ["leftOut"] = new JsonArray([.. LeftOut.Select(entry => new JsonObject { ["name"] = entry.Name, ["reason"] = entry.Reason })]),
        ["broken"] = new JsonArray([.. Images.Failures.Select(failure => JsonValue.Create(Path.GetFileName(failure.Path)))]),
        ["auroc"] = Truth?.Auroc(Report, Names) is { } auroc ? new JsonObject { ["value"] = auroc.Estimate, ["low"] = auroc.Low, ["high"] = auroc.High } : null,
    }.ToJsonString(_indented) + "\n";

    /// <summary>A page that needs nothing else.</summary>
    /// <param name="pictures">Whether thumbnails are part of it.</param>
    public string ToPage(bool pictures)
    {
        const string Title = "New images, strangest first";
        NoveltyVerdict[] first = [.. Report.StrangestFirst.Take(PicturesShown)];
        string privacy = pictures
            ? $"This page embeds small pictures of {first.Length} of your images{(Known is null ? "" : " and of the known images nearest to them")}, without EXIF data, and their file names. Give --no-pictures for a page without pictures."
            : "This page embeds no pictures; it holds file names within the folder that was judged.";
        return PageFrame.SingleFile(PageFrame.Page("index", Title, $"<span>{Html.Text(Title)}</span>", $"""
            <main id="content"><header class="title"><h1>{Html.Text(Title)}</h1>
            <p class="facts">{string.Join("<br>", ((string[])[privacy, Detector.Explain(), .. Sentences()]).Select(Html.Text))}</p></header>
            {(pictures ? Pictures(first) : "")}
            {(Detector.Forgotten.Count > 0 ? Detector.SelfTestTable().ToHtml() : "")}
            {(Periods ? PeriodTable().ToHtml() : "")}
            {Report.ToTable(Names).ToHtml()}
            </main>
            """), ChartView.PlotlyLoader);
    }

    private string Pictures(NoveltyVerdict[] rows)
    {
        string grid = ImageGrid.Show(
            Images.Set.Images!.Select([.. rows.Select(row => row.Index)]),
            [.. rows.Select(row => (Caption(row), (bool?)(!row.Listed)))]).ToHtml();
        return Known is null ? grid : grid + "<h2>The known image nearest to each</h2>" + ImageGrid.Show(
            Known.Set.Images!.Select([.. rows.Select(row => row.NearestRow)]),
            [.. rows.Select(row => (row.Nearest!, (bool?)null))]).ToHtml();
    }

    private string Caption(NoveltyVerdict row) => string.Create(CultureInfo.InvariantCulture, $"{Names[row.Index]}\n{row.Class}? p {row.PValue:G2}");

    private IEnumerable<string> Sentences()
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{Report.Listed} of {Names.Count} images are called new: on this list, at most {100 * Report.FalseDiscoveryRate:F0} % should be known (Benjamini-Hochberg). {Report.Verdicts.Count(row => NoveltyReport.VerdictOf(row) == "new in its class")} more are new by the threshold of their class alone ({100 * NoveltyDetector.FalseAlarm:F0} % false alarms).");
        yield return Report.Price;
        if (Detector.Counts.Any(count => count + 1 < 1 / NoveltyDetector.FalseAlarm))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Classes of fewer than {(1 / NoveltyDetector.FalseAlarm) - 1:F0} known images have no threshold of their own: {string.Join(", ", Detector.Classes.Where((_, k) => Detector.Counts[k] + 1 < 1 / NoveltyDetector.FalseAlarm))}.");
        }

        yield return Report.Whole;
        foreach ((StrangerCluster cluster, int i) in Report.Clusters.Select((cluster, i) => (cluster, i)))
        {
            string words = cluster.Words.Count == 0 ? "" : $", nearest words: {string.Join(", ", cluster.Words)}";
            yield return $"Cluster {i + 1} of the new ones: {cluster.Images.Count} images, such as {string.Join(", ", cluster.Images.Take(3).Select(row => Names[row]))}{words}.";
        }

        if (Truth is not null)
        {
            yield return Truth.Describe(Report, Names);
        }
    }

    private ResultTable PeriodTable()
    {
        (string Name, NoveltyVerdict[] Rows)[] periods = [.. Report.Verdicts
            .GroupBy(row => Names[row.Index][..Math.Max(0, Names[row.Index].IndexOf('/', StringComparison.Ordinal))])
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, group.ToArray()))];
        IdScores Of(int period) => Report.Scores.Select(periods[period].Rows.Select(row => row.Index));
        ShiftTest[] shifts = [.. periods.Skip(1).Select((_, i) => Conformal.Shift(Of(0), Of(i + 1)))];
        IReadOnlyList<double> corrected = Inference.Holm([.. shifts.Select(shift => shift.PValue)]);
        return new ResultTable($"Each period against the first, {periods[0].Name}")
            .Text("Period", periods.Select(period => period.Name))
            .Count("Images", periods.Select(period => period.Rows.Length))
            .Count("Called new", periods.Select(period => period.Rows.Count(row => row.Listed)))
            .Percent("Estimated share of new", periods.Select((_, i) => Conformal.Shift(Detector.HeldOut, Of(i)).NewShare))
            .Number("Distance from the first", [double.NaN, .. shifts.Select(shift => shift.Distance)])
            .Number("p (Holm)", [double.NaN, .. corrected])
            .Text("Drift", ["–", .. corrected.Select(p => p < 0.05 ? "yes" : "not seen")])
            .Note("Distance and p: the two-sample test of Kolmogorov and Smirnov of the scores; p corrected for the number of periods.");
    }

    private static JsonValue? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;
}

/// <summary>What images show, as their owner says: CSV with the columns file and truth.</summary>
internal sealed class Truth
{
    private readonly string _path;
    private readonly Dictionary<string, bool> _isNew;

    private Truth(string path, Dictionary<string, bool> isNew) => (_path, _isNew) = (path, isNew);

    /// <summary>Reads the file.</summary>
    /// <exception cref="InvalidDataException">A column is missing, or a value is neither known nor new.</exception>
    public static Truth Read(string path)
    {
        List<(int Line, string[] Fields)> rows = CsvFile.Read(path);
        string[] header = rows.Count == 0 ? [] : rows[0].Fields;
        int file = Array.FindIndex(header, name => name.Equals("file", StringComparison.OrdinalIgnoreCase));
        int truth = Array.FindIndex(header, name => name.Equals("truth", StringComparison.OrdinalIgnoreCase));
        if (file < 0 || truth < 0)
        {
            throw new InvalidDataException($"{path}: got the columns {string.Join(", ", header)}, expected file and truth in the first line.");
        }

        Dictionary<string, bool> isNew = new(StringComparer.Ordinal);
        foreach ((int line, string[] fields) in rows.Skip(1))
        {
            bool side = fields[truth].ToLowerInvariant() switch
            {
                "new" or "ood" => true,
                "known" or "id" => false,
                _ => throw new InvalidDataException($"{path}, line {line}: truth is '{fields[truth]}', expected known or new."),
            };
            if (!isNew.TryAdd(fields[file].Replace('\\', '/'), side))
            {
                throw new InvalidDataException($"{path}, line {line}: '{fields[file]}' was named before. Name each file once.");
            }
        }

        return new Truth(path, isNew);
    }

    /// <summary>AUROC of known against new images with its interval.</summary>
    /// <exception cref="CommandException">The file names hardly any of the images.</exception>
    public Interval Auroc(NoveltyReport report, IReadOnlyList<string> names)
    {
        (int[] known, int[] strange) = Sides(names);
        return new Resamples(known.Length, strange.Length).Of(report.Scores.Select(known), report.Scores.Select(strange), Metric.Auroc).Interval;
    }

    /// <summary>How good the verdicts are, in words.</summary>
    public string Describe(NoveltyReport report, IReadOnlyList<string> names)
    {
        (int[] known, int[] strange) = Sides(names);
        Interval auroc = Auroc(report, names);
        int falsely = known.Count(i => report.Verdicts[i].Listed), rightly = strange.Count(i => report.Verdicts[i].Listed);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"By {Path.GetFileName(_path)}, {known.Length} images are known and {strange.Length} new: AUROC {100 * auroc.Estimate:F1} % (95 % interval {100 * auroc.Low:F1} to {100 * auroc.High:F1} %); of the new ones {rightly} are on the list, with {falsely} known ones.");
    }

    private (int[] Known, int[] New) Sides(IReadOnlyList<string> names)
    {
        int[] told = [.. Enumerable.Range(0, names.Count).Where(i => _isNew.ContainsKey(names[i]))];
        (int[] known, int[] strange) = ([.. told.Where(i => !_isNew[names[i]])], [.. told.Where(i => _isNew[names[i]])]);
        return known.Length >= 2 && strange.Length >= 2
            ? (known, strange)
            : throw new CommandException(
                $"--truth {_path}: of the {names.Count} images judged it names {known.Length} known and {strange.Length} new ones, expected at least 2 of each. Name files as within the folder, such as {names[0]}.");
    }
}
