using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Notebook;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood results</c>: all recorded results in one file, and the papers of the methods that they are of.</summary>
internal sealed class ResultsCommand : Command
{
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] _fields =
        ["world", "notebook", "kind", "name", "detector", "id", "ood", "metric", "seed", "value", "tolerance", "word", "low", "high", "n", "margin", "source"];

    private readonly Option<string> _expected = new("--expected")
    {
        Description = "Folder of the recorded results, with a folder for each world [default: notebooks/expected of the repository]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _csv = new("--csv") { Description = "Write them as CSV", HelpName = "FILE" };

    private readonly Option<string> _json = new("--json") { Description = "Write them as JSON", HelpName = "FILE" };

    private readonly Option<string> _bibtex = new("--bibtex") { Description = "Write the papers of the methods as BibTeX", HelpName = "FILE" };

    public ResultsCommand()
        : base("results", "Count the recorded results of all notebooks and worlds, and save them as CSV or JSON, their methods' papers as BibTeX")
    {
        foreach (Option option in new Option[] { _csv, _json, _bibtex, _expected })
        {
            Options.Add(option);
        }

        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        (string? csv, string? json, string? bibtex) = (parse.GetValue(_csv), parse.GetValue(_json), parse.GetValue(_bibtex));
        string folder = parse.GetValue(_expected) ?? Path.Combine(WorkbookFolders.Find("give --expected FOLDER").Notebooks, "expected");
        OutputFile.Require([("--csv", csv), ("--json", json), ("--bibtex", bibtex)]);
        Recorded[] results = [.. Load(folder)];
        Print(Terminal.On(parse.InvocationConfiguration.Output), results);
        Write(csv, () => CsvFile.Write([_fields, .. results.Select(result => result.Values())]));
        Write(json, () => ToJson(results));
        Write(bibtex, () => Bibliography.Of(DetectorCatalog.All.Select(detector => detector.Card)));
        return ExitCodes.Passed;

        void Write(string? path, Func<string> text) => OutputFile.Write(path, text, parse.InvocationConfiguration.Output);
    }

    private static IEnumerable<Recorded> Load(string folder)
    {
        string[] files = Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder).SelectMany(world => Directory.GetFiles(world, "*.json")).Order(StringComparer.Ordinal)]
            : [];
        if (files.Length == 0)
        {
            throw new CommandException(
                $"{Path.GetFullPath(folder)} holds no recorded results, expected files such as pictograms/01.json. Check --expected, or record some: clipood run --record");
        }

        return files.SelectMany(file => ExpectedValues.Load(file).Values.Select(result => new Recorded(
            Path.GetFileName(Path.GetDirectoryName(file))!, Path.GetFileNameWithoutExtension(file), result)));
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<Recorded> results)
    {
        Table table = new Table().AddColumns("world", "notebooks", "numbers", "metrics", "verdicts");
        foreach (IGrouping<string, Recorded> world in results.GroupBy(result => result.World))
        {
            table.AddRow(
                Markup.Escape(world.Key),
                $"{world.Select(result => result.Notebook).Distinct().Count()}",
                $"{world.Count(result => result.Result is NumberResult)}",
                $"{world.Count(result => result.Result is MetricResult)}",
                $"{world.Count(result => result.Result is VerdictResult)}");
        }

        console.Write(table);
    }

    // Numbers that JSON has no form for are named, as in the files of recorded results.
    private static string ToJson(IEnumerable<Recorded> results) => new JsonArray(
    [
        .. results.Select(result => new JsonObject(_fields.Zip(result.Values())
            .Where(field => field.Second is not null)
            .Select(field => KeyValuePair.Create(field.First, (JsonNode?)(field.Second switch
            {
                double number when double.IsFinite(number) => JsonValue.Create(number),
                int number => JsonValue.Create(number),
                var other => JsonValue.Create(FormattableString.Invariant($"{other}")),
            }))))),
    ]).ToJsonString(_indented) + "\n";

    /// <summary>A recorded result and where it stands.</summary>
    private sealed record Recorded(string World, string Notebook, DeclaredResult Result)
    {
        /// <summary>Its fields, in the order of the columns; null where it has none of that name.</summary>
        public object?[] Values() => Result switch
        {
            NumberResult number => [World, Notebook, "number", number.Name, null, null, null, null, null, number.Value, number.Tolerance, null, null, null, null, null, null],
            MetricResult metric => [World, Notebook, "metric", metric.Key, metric.Detector, metric.Id, metric.Ood, metric.Metric, metric.Seed, metric.Value, metric.Tolerance, null, null, null, null, null, null],
            VerdictResult verdict => [World, Notebook, "verdict", verdict.Verdict, null, null, null, null, null, verdict.Estimate, verdict.Tolerance, verdict.Word, verdict.Low, verdict.High, verdict.N, verdict.Margin, verdict.Source],
            _ => throw new InvalidOperationException($"No row is known for {Result.GetType()}."),
        };
    }
}
