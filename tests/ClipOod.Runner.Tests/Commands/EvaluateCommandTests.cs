using System.Globalization;
using System.Text.Json;
using ClipOod.Notebook;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

public sealed class EvaluateCommandTests : IDisposable
{
    private static readonly double[] _id = Draw(40, 1);
    private static readonly double[] _ood = Draw(30, 0);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Metrics_AreThoseOfTheLibrary_InEveryFile()
    {
        string[] files = [_folder.PathOf("new/m.json"), _folder.PathOf("m.csv"), _folder.PathOf("m.html")];

        var (code, output, error) = await EvaluateAsync(
            _folder.Write("scores.csv", Labelled("id", "ood")), "--seed", "3", "--json", files[0], "--csv", files[1], "--html", files[2]);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("mcm: 40 ID and 30 OOD images; a higher score is taken to say ID, the default of --higher.", output, StringComparison.Ordinal);
        var resamples = new Resamples(_id.Length, _ood.Length, 200, 3);
        Metric[] metrics = [.. Metric.All.Where(metric => metric.IsOfPair)];
        JsonElement[] rows = [.. Json(files[0]).GetProperty("metrics").EnumerateArray()];
        string[] csv = File.ReadAllLines(files[1]);
        string page = File.ReadAllText(files[2]);
        Assert.Equal(13, metrics.Length);
        Assert.Equal(metrics.Select(metric => metric.Key), rows.Select(row => row.GetProperty("metric").GetString()));
        Assert.Equal("metric,name,value,low,high,coverage,definition", csv[0]);
        Assert.All(metrics.Zip(rows, csv.Skip(1)), row =>
        {
            Interval expected = resamples.Of(new IdScores("mcm", _id), new IdScores("mcm", _ood), row.First).Interval;
            Assert.Equal(expected.Estimate, row.Second.GetProperty("value").GetDouble());
            Assert.Equal(expected.Low, row.Second.GetProperty("low").GetDouble());
            Assert.Equal(expected.High, row.Second.GetProperty("high").GetDouble());
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $",{expected.Estimate},{expected.Low},{expected.High},"), row.Third, StringComparison.Ordinal);
            Assert.Contains(row.First.Name, output, StringComparison.Ordinal);
            Assert.Contains(row.First.Definition, output, StringComparison.Ordinal);
            Assert.Contains(row.First.Name, page, StringComparison.Ordinal);
        });
        Assert.All(files, file => Assert.Contains($"Wrote {file}", output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_HoldsItsChartsAndAllTheyNeed()
    {
        string path = _folder.PathOf("m.html");

        await EvaluateAsync(_folder.Write("scores.csv", Labelled("id", "ood")), "--html", path);

        string page = File.ReadAllText(path);
        Assert.DoesNotContain("assets/", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("data-clipood-chart=\"").Length - 1 - (page.Split("[data-clipood-chart=\"").Length - 1));
        Assert.Equal(2, page.Split(ChartView.PlotlyLoader).Length);
        Assert.Contains("ROC of mcm", page, StringComparison.Ordinal);
        Assert.Equal(["m.html", "scores.csv"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("[b]<i>x</i>", "[b]<i>x</i>")]
    [InlineData("", "score")]
    public async Task AnyNameOfAColumn_IsShownAsItIs(string column, string shown)
    {
        string path = _folder.PathOf("m.html");

        var (code, output, _) = await EvaluateAsync(_folder.Write("scores.csv", Labelled("id", "ood").Replace("mcm", column, StringComparison.Ordinal)), "--html", path);

        Assert.Equal(0, code);
        Assert.StartsWith($"{shown}: 40 ID", output, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>x", File.ReadAllText(path), StringComparison.Ordinal);
    }

    // One set of scores in every form that is read.
    [Fact]
    public async Task EveryForm_GivesTheSameMetrics()
    {
        string[] expected = await MetricsAsync(_folder.Write("scores.csv", Labelled("id", "ood")));

        Assert.Equal(expected, await MetricsAsync(_folder.Write("ones.csv", Labelled("1", "0.0")), "--ones", "id"));
        Assert.Equal(expected, await MetricsAsync(_folder.Write("zeros.csv", Labelled("0", "1")), "--ones", "ood"));
        Assert.Equal(expected, await MetricsAsync(_folder.Write("sides.csv", Sides("id", "ood"))));
        Assert.Equal(expected, await MetricsAsync(_folder.Write("savetxt.csv", "# " + Sides("id", "ood"))));
        Assert.Equal(expected, await MetricsAsync("--columns", "in", "out", _folder.Write("named.csv", Sides("in", "out"))));
        Assert.Equal(expected, await MetricsAsync(_folder.Write("quoted.csv", Quoted()), "--label", "the \"label\"", "--score", "s"));
        Assert.Equal(expected, await MetricsAsync("--id", Npy("id.npy", $"({_id.Length},)", _id), "--ood", Npy("ood.npy", $"({_ood.Length}, 1)", _ood)));
        Assert.Equal(expected, await MetricsAsync("--id", _folder.Write("id.txt", Lines(_id)), "--ood", _folder.Write("ood.csv", "mcm\n" + Lines(_ood))));
        Assert.Equal(expected, await MetricsAsync(Npy("labels.npy", $"({_id.Length + _ood.Length}, 2)", [.. _id.SelectMany(s => (double[])[s, 1]), .. _ood.SelectMany(s => (double[])[s, 0])]), "--ones", "id"));
        Assert.Equal(expected, await MetricsAsync(_folder.Write("negated.csv", Labelled("id", "ood", -1)), "--higher", "ood"));

        static string Lines(double[] values) => string.Join("\r\n", values.Select(Show));
        static string Quoted() => "image,s,\"the \"\"label\"\"\"\n"
            + string.Concat(_id.Select(s => $"\"a, b\",{Show(s)},ID\n")) + "\n" + string.Concat(_ood.Select(s => $"c,\"{Show(s)}\",OOD\n"));
        static string Sides(string id, string ood) => $"{id},{ood}\n"
            + string.Concat(_id.Select((s, i) => $"{Show(s)},{(i < _ood.Length ? Show(_ood[i]) : "")}\n"));
    }

    [Fact]
    public async Task TwoColumnsOfNpy_AreIdAndOod()
    {
        string path = Npy("two.npy", "(30, 2)", [.. _ood.Zip(_id).SelectMany(pair => (double[])[pair.Second, pair.First])]);
        string json = _folder.PathOf("m.json");

        await EvaluateAsync(path, "--json", json);

        Assert.Equal(
            Metrics.Auroc(new IdScores("two", _id[..30]), new IdScores("two", _ood)),
            Json(json).GetProperty("metrics")[0].GetProperty("value").GetDouble());
    }

    [Theory]
    [InlineData("id", "the scores look OOD-high (higher = more out-of-distribution). If they are, give --higher ood.")]
    [InlineData("ood", "the scores look ID-high (higher = more in-distribution). If they are, give --higher id.")]
    public async Task Auroc_BelowOneHalf_NamesTheOption(string higher, string says)
    {
        string path = _folder.Write("scores.csv", Labelled("id", "ood", higher == "id" ? -1 : 1));

        Assert.Contains(says, (await EvaluateAsync(path, "--higher", higher)).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("AUROC is below", (await EvaluateAsync(path, "--higher", higher == "id" ? "ood" : "id")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infinities_AreScores()
    {
        var (code, output, _) = await EvaluateAsync(_folder.Write("scores.csv", "id,ood\ninf,-inf\nInfinity,-Infinity\n"));

        Assert.Equal(0, code);
        Assert.Contains("100.00 %", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "the file is empty, expected a first line with names of columns")]
    [InlineData("1,0\n2,1\n", "line 1 holds numbers, expected a first line with names of columns. Add one, such as score,label or id,ood.")]
    [InlineData("score;label\n1;id\n", "expected commas between columns. Save it with commas.")]
    [InlineData("score,label,score\n", "two columns are called 'score'")]
    [InlineData("score,label\n1,id\n2\n", "line 3: got 1 fields, expected 2 as in line 1.")]
    [InlineData("score,label\n1,\"id\n", "line 2: a quote is not closed")]
    [InlineData("score,side\n1,id\n", "there is no column 'label', there are: score, side.", "Name yours with --label.")]
    [InlineData("a,b,label\n1,2,id\n", "there is no column 'score', there are: a, b, label.", "Name yours with --score.")]
    [InlineData("score,label\n1,id\nnan,id\n", "line 3: score is NaN, expected a number")]
    [InlineData("score,label\n1,id\n\nabc,id\n", "line 4: score is 'abc', expected a number such as 0.73.")]
    [InlineData("score,label\n1,id\n,id\n", "line 3: score is '', expected a number")]
    [InlineData("score,label\n1,id\n2,cat\n", "line 3: the label is 'cat', expected id or ood, or 0 or 1.")]
    [InlineData("score,label\n1,id\n2,0\n", "line 3: the label is '0', but the first one is 'id'. Use either id and ood, or 0 and 1.")]
    [InlineData("score,label\n1,0\n2,1\n", "its labels are 0 and 1.", "Give --ones id or --ones ood.")]
    [InlineData("score,label\n1,id\n2,id\n3,ood\n", "got scores of 2 ID and 1 OOD images, expected at least 2 of each")]
    [InlineData("score,label\n1,id\n2,id\n", "got scores of 2 ID and 0 OOD images")]
    [InlineData("id,score,ood\n1,0.5,0\n2,0.7,1\n", "the column ood holds only 0 and 1, as labels do.", "give --label ood --ones ood")]
    [InlineData("id,ood\n1,2\n,3\n4,5\n", "line 3: id is '', expected a number")]
    public async Task BrokenCsv_Gives2_SaysWhereAndWhatToDo_AndWritesNothing(string text, params string[] says) =>
        await AssertRefusedAsync([_folder.Write("scores.csv", text)], says);

    [Theory]
    [InlineData("(3,)", new[] { 1.0, 2, 3 }, "got shape (3), expected (N, 2).", "--id id.npy --ood ood.npy")]
    [InlineData("(2, 2)", new[] { 1.0, 0, 2, 1 }, "the second column holds only 0 and 1", "Give --ones id or --ones ood.")]
    [InlineData("(2, 2)", new[] { 1.0, 0, 2, double.NaN }, "score 1 of 2 is NaN")]
    public async Task NpyOfAnotherKind_IsRefused(string shape, double[] values, params string[] says) =>
        await AssertRefusedAsync([Npy("scores.npy", shape, values)], says);

    [Theory]
    [InlineData("<i8", "False", "got numbers of type I64, expected float16, float32 or float64. Save it with np.save(path, array.astype(np.float64)).")]
    [InlineData(">f8", "False", "holds >f8, expected <f2, <f4, <f8")]
    [InlineData("<f8", "True", "with fortran_order False. Save it with np.save(path, np.ascontiguousarray(array, np.float64)).")]
    [InlineData("<f4", "False", "holds 16 bytes of data, expected those of the shape (2)")]
    public async Task NpyOfAnotherType_IsRefused(string type, string fortran, string says) =>
        await AssertRefusedAsync(["--id", Npy("id.npy", "(2,)", [1, 2], type, fortran), "--ood", Npy("ood.npy", "(2,)", [1, 2])], says, "id.npy");

    [Fact]
    public async Task SinglesOfNpy_AreScores()
    {
        string path = Npy("id.npy", "(4,)", [1, 2], "<f4"), json = _folder.PathOf("m.json");

        var (code, _, error) = await EvaluateAsync("--id", path, "--ood", path, "--json", json);

        Assert.Equal((0, ""), (code, error));
        Assert.Equal((4, 0.5), (Json(json).GetProperty("ood").GetInt32(), Json(json).GetProperty("metrics")[0].GetProperty("value").GetDouble()));
    }

    [Fact]
    public async Task WrongArguments_AreSaidBeforeTheWork()
    {
        string csv = _folder.Write("scores.csv", Labelled("id", "ood")), id = Npy("id.npy", "(2,)", [1, 2]);
        Directory.CreateDirectory(_folder.PathOf("folder"));

        await AssertRefusedAsync([], "Give either one file with the scores of both sides");
        await AssertRefusedAsync([csv, "--id", id], "Give either one file");
        await AssertRefusedAsync(["--id", id], "both --id FILE and --ood FILE");
        await AssertRefusedAsync([_folder.PathOf("none.csv")], "There is no file", "none.csv to take scores from");
        await AssertRefusedAsync(["--id", id, "--ood", id, "--ones", "id"], "Leave --label, --ones and --columns out.");
        await AssertRefusedAsync([csv, "--ones", "id"], "its labels are id and ood, so --ones says nothing.");
        await AssertRefusedAsync([csv, "--columns", "mcm", "label", "--label", "label"], "so there is no label");
        await AssertRefusedAsync([id, "--label", "x"], "has no names of columns");
        await AssertRefusedAsync([csv, "--higher", "up"], "'up'", "'id'");
        await AssertRefusedAsync([csv, "--resamples", "99"], "--resamples must be at least 100. Got '99'.");
        await AssertRefusedAsync([csv, "--resamples", "2000000000"], "--resamples 2000000000 of 40 images take 80000000000 bytes", "or fewer");
        await AssertRefusedAsync([csv, "--csv", csv], $"--csv {csv} is the file of the scores too");
        await AssertRefusedAsync([csv, "--csv", _folder.PathOf("a"), "--html", _folder.PathOf("a")], "--html", "is the file of --csv too");
        await AssertRefusedAsync([csv, "--html", _folder.PathOf("folder")], "--html", "is a folder, expected a file");
        await AssertRefusedAsync([csv, "--html", Path.Combine(csv, "m.html")], "--html", "scores.csv is a file, expected a folder");
        Assert.Equal(Labelled("id", "ood"), File.ReadAllText(csv));
    }

    private async Task AssertRefusedAsync(string[] arguments, params string[] says)
    {
        string[] before = [.. Directory.GetFileSystemEntries(_folder.Path)];

        var (code, output, error) = await InvokeAsync(["evaluate", .. arguments, .. arguments.Contains("--json") ? (string[])[] : ["--json", _folder.PathOf("m.json")]]);

        Assert.Equal((2, ""), (code, output));
        Assert.All(says, part => Assert.Contains(part, error, StringComparison.Ordinal));
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path));
    }

    private static Task<(int Code, string Output, string Error)> EvaluateAsync(params string[] arguments) =>
        InvokeAsync(["evaluate", "--resamples", "200", .. arguments]);

    private async Task<string[]> MetricsAsync(params string[] arguments)
    {
        string json = _folder.PathOf("m.json");
        var (code, _, error) = await EvaluateAsync(["--json", json, .. arguments]);
        Assert.Equal((0, ""), (code, error));
        return [.. Json(json).GetProperty("metrics").EnumerateArray().Select(metric => metric.ToString())];
    }

    private static JsonElement Json(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    private static string Labelled(string id, string ood, double sign = 1) => "label,mcm\n"
        + string.Concat(_id.Select(s => $"{id},{Show(sign * s)}\n")) + string.Concat(_ood.Select(s => $"{ood},{Show(sign * s)}\n"));

    private string Npy(string name, string shape, double[] values, string type = "<f8", string fortran = "False")
    {
        byte[] header = System.Text.Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        return _folder.Write(name, [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. values.SelectMany(BitConverter.GetBytes)]);
    }

    private static string Show(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static double[] Draw(int count, double mean)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => mean + random.NextDouble() + random.NextDouble())];
    }
}
