using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Notebook;
using ClipOod.Runner.Rendering;
using Spectre.Console;
using Html = ClipOod.Runner.Rendering.Html;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood evaluate</c>: every metric, in every convention, of scores that another program wrote.</summary>
internal sealed class EvaluateCommand : Command
{
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Argument<string> _scores = new("scores")
    {
        Description = "CSV with a score and a label per image or with columns id and ood, or .npy of shape (N, 2) with ID first",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _id = new("--id") { Description = "Scores of the ID images alone, .npy or text; with --ood", HelpName = "FILE" };

    private readonly Option<string> _ood = new("--ood") { Description = "Scores of the OOD images alone, .npy or text; with --id", HelpName = "FILE" };

    private readonly Option<string> _higher = new Option<string>("--higher")
    {
        Description = "What a higher score says",
        DefaultValueFactory = _ => "id",
    }.AcceptOnlyFromAmong("id", "ood");

    private readonly Option<string> _label = new("--label") { Description = "Column of the labels: id and ood, or 0 and 1 [default: label]", HelpName = "COLUMN" };

    private readonly Option<string> _score = new("--score") { Description = "Column of the scores [default: score, or the only other one]", HelpName = "COLUMN" };

    private readonly Option<string[]> _columns = new("--columns")
    {
        Description = "Columns of the scores of ID and of OOD images [default: id ood]",
        HelpName = "ID OOD",
        Arity = new ArgumentArity(2, 2),
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string> _ones = new Option<string>("--ones") { Description = "What a label of 1 says, where labels are 0 and 1" }.AcceptOnlyFromAmong("id", "ood");

    private readonly Option<int> _resamples = BoundedOption.Of(
        "--resamples", "N", "Bootstrap resamples behind the intervals", 1000, count => count >= 100, "at least 100");

    private readonly Option<int> _seed = new("--seed") { Description = "Of the resamples", HelpName = "N", DefaultValueFactory = _ => 0 };

    private readonly Option<string> _json = new("--json") { Description = "Also write the metrics as JSON", HelpName = "FILE" };

    private readonly Option<string> _csv = new("--csv") { Description = "Also write the metrics as CSV", HelpName = "FILE" };

    private readonly Option<string> _html = new("--html") { Description = "Also write a page with the metrics, the histogram and the ROC curve", HelpName = "FILE" };

    public EvaluateCommand()
        : base("evaluate", "Measure scores that another program wrote: every metric, in every convention, with its 95 % interval")
    {
        Arguments.Add(_scores);
        foreach (Option option in new Option[] { _id, _ood, _higher, _label, _score, _columns, _ones, _resamples, _seed, _json, _csv, _html })
        {
            Options.Add(option);
        }

        SetAction(Evaluate);
    }

    private int Evaluate(ParseResult parse)
    {
        (string? scores, string? idFile, string? oodFile) = (parse.GetValue(_scores), parse.GetValue(_id), parse.GetValue(_ood));
        string[] inputs = (scores, idFile, oodFile) switch
        {
            (string both, null, null) => [both],
            (null, string first, string second) => [first, second],
            _ => throw new CommandException("Give either one file with the scores of both sides, such as scores.csv, or both --id FILE and --ood FILE."),
        };
        OutputFile.Require([("--json", parse.GetValue(_json)), ("--csv", parse.GetValue(_csv)), ("--html", parse.GetValue(_html))], inputs);
        var columns = new ScoreColumns(
            parse.GetValue(_label), parse.GetValue(_score), parse.GetValue(_columns) is [var idColumn, var oodColumn] ? (idColumn, oodColumn) : null, parse.GetValue(_ones));
        ScoreFiles read = inputs is [var one] ? ScoreFiles.Read(one, columns) : ScoreFiles.Read(inputs[0], inputs[1], columns);

        bool oodHigh = parse.GetValue(_higher) == "ood";
        IdScores Of(double[] values) => oodHigh ? IdScores.FromOodHigh($"−{read.Name}", values) : new IdScores(read.Name, values);
        var evaluation = new Evaluation(Of(read.Id), Of(read.Ood), oodHigh, Stated: parse.GetResult(_higher) is { Implicit: false }, parse.GetValue(_resamples), parse.GetValue(_seed));
        evaluation.Measure();
        Print(Terminal.On(parse.InvocationConfiguration.Output), evaluation);
        Write(parse, _json, () => ToJson(evaluation));
        Write(parse, _csv, () => CsvFile.Write(
        [
            ["metric", "name", "value", "low", "high", "coverage", "definition"],
            .. evaluation.Metrics.Select(row => (object?[])[row.Metric.Key, row.Metric.Name, row.Interval.Estimate, row.Interval.Low, row.Interval.High, row.Interval.MeasuredCoverage, row.Metric.Definition]),
        ]));
        Write(parse, _html, () => ToPage(evaluation));
        return ExitCodes.Passed;
    }

    private static void Write(ParseResult parse, Option<string> option, Func<string> text) =>
        OutputFile.Write(parse.GetValue(option), text, parse.InvocationConfiguration.Output);

    private static void Print(IAnsiConsole console, Evaluation evaluation)
    {
        console.WriteLine(evaluation.Heading);
        Table table = new Table().AddColumn("metric").AddColumn(new TableColumn("value").RightAligned()).AddColumns("95 % interval", "better", "what it is");
        foreach ((Metric metric, Interval interval) in evaluation.Metrics)
        {
            table.AddRow(
                Markup.Escape(metric.Name),
                Percent(interval.Estimate),
                Markup.Escape(Evaluation.Bounds(interval)),
                metric.HigherIsBetter ? "higher" : "lower",
                Markup.Escape(metric.Definition));
        }

        console.Write(table);
        foreach (string note in evaluation.Notes)
        {
            console.WriteLine(note);
        }
    }

    private static string ToJson(Evaluation evaluation) => new JsonObject
    {
        ["score"] = evaluation.Id.Name,
        ["id"] = evaluation.Id.Count,
        ["ood"] = evaluation.Ood.Count,
        ["higher"] = evaluation.OodHigh ? "ood" : "id",
        ["resamples"] = evaluation.Resamples,
        ["seed"] = evaluation.Seed,
        ["metrics"] = new JsonArray(
        [
            .. evaluation.Metrics.Select(row => new JsonObject
            {
                ["metric"] = row.Metric.Key,
                ["name"] = row.Metric.Name,
                ["higherIsBetter"] = row.Metric.HigherIsBetter,
                ["value"] = row.Interval.Estimate,
                ["low"] = row.Interval.Low,
                ["high"] = row.Interval.High,
                ["coverage"] = row.Interval.MeasuredCoverage,
                ["definition"] = row.Metric.Definition,
            }),
        ]),
    }.ToJsonString(_indented) + "\n";

    private static string ToPage(Evaluation evaluation)
    {
        string title = $"Metrics of {evaluation.Id.Name}";
        ResultTable table = new ResultTable("Metrics with their 95 % intervals")
            .Text("Metric", evaluation.Metrics.Select(row => row.Metric.Name))
            .Percent("Value", evaluation.Metrics.Select(row => row.Interval.Estimate))
            .Text("95 % interval", evaluation.Metrics.Select(row => Evaluation.Bounds(row.Interval)))
            .Text("Better", evaluation.Metrics.Select(row => row.Metric.HigherIsBetter ? "higher" : "lower"))
            .Text("What it is", evaluation.Metrics.Select(row => row.Metric.Definition));
        return PageFrame.SingleFile(PageFrame.Page("index", title, $"<span>{Html.Text(title)}</span>", $"""
            <main id="content"><header class="title"><h1>{Html.Text(title)}</h1>
            <p class="facts">{string.Join("<br>", ((string[])[evaluation.Heading, .. evaluation.Notes]).Select(Html.Text))}</p></header>
            {table.ToHtml()}
            {Charts.ScoreHistogram(evaluation.Id, evaluation.Ood).ToHtml()}
            {Charts.Roc(evaluation.Id, evaluation.Ood).ToHtml()}
            </main>
            """), ChartView.PlotlyLoader);
    }

    private static string Percent(double share) => (100 * share).ToString("F2", CultureInfo.InvariantCulture) + " %";

    /// <summary>The metrics of ID-high scores, and what is to be said of them.</summary>
    private sealed record Evaluation(IdScores Id, IdScores Ood, bool OodHigh, bool Stated, int Resamples, int Seed)
    {
        public IReadOnlyList<(Metric Metric, Interval Interval)> Metrics { get; private set; } = [];

        public string Heading => string.Create(
            CultureInfo.InvariantCulture,
            $"{Id.Name}: {Id.Count:N0} ID and {Ood.Count:N0} OOD images; a higher score is taken to say {(OodHigh ? "OOD" : "ID")}{(Stated ? "" : ", the default of --higher")}.");

        public IEnumerable<string> Notes
        {
            get
            {
                if (Metrics.First(row => row.Metric == Metric.Auroc).Interval.Estimate < 0.5)
                {
                    yield return OodHigh
                        ? "AUROC is below 50 %: the scores look ID-high (higher = more in-distribution). If they are, give --higher id."
                        : "AUROC is below 50 %: the scores look OOD-high (higher = more out-of-distribution). If they are, give --higher ood.";
                }

                if (Metrics.Any(row => row.Interval.MeasuredCoverage is not null))
                {
                    yield return "Intervals marked 'covers' hold the true value less often than in 95 of 100 cases, as measured in simulations: a side is small.";
                }

                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"Intervals: {Resamples:N0} bootstrap resamples, seed {Seed}. Metrics of the two positive sides, and FPR95 of different conventions, are different quantities.");
            }
        }

        public static string Bounds(Interval interval) =>
            $"{Percent(interval.Low)} to {Percent(interval.High)}{(interval.MeasuredCoverage is double coverage ? string.Create(CultureInfo.InvariantCulture, $" (covers {100 * coverage:F0} %)") : "")}";

        /// <exception cref="CommandException">So many resamples of so many images do not fit.</exception>
        public void Measure()
        {
            int largest = Math.Max(Id.Count, Ood.Count);
            if ((long)largest * Resamples > Array.MaxLength)
            {
                throw new CommandException(
                    $"--resamples {Resamples} of {largest} images take {(long)largest * Resamples} bytes, expected at most {Array.MaxLength}. Give --resamples {Array.MaxLength / largest} or fewer.");
            }

            var resamples = new Resamples(Id.Count, Ood.Count, Resamples, Seed);
            Metrics = [.. Metric.All.Where(metric => metric.IsOfPair).Select(metric => (metric, resamples.Of(Id, Ood, metric).Interval))];
        }
    }
}
