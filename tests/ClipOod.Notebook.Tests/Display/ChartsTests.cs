using System.Text.Json;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using CsCheck;
using Plotly.NET;

namespace ClipOod.Notebook.Tests.Display;

[Collection("process")]
public sealed class ChartsTests
{
    private static readonly IdScores _id = new("MCM", [.. Enumerable.Range(0, 100).Select(i => 0.4 + (0.005 * i))]);
    private static readonly IdScores _ood = new("MCM", [.. Enumerable.Range(0, 200).Select(i => 0.002 * i)]);

    public static TheoryData<string, ChartView> All() => new()
    {
        { "histogram", Charts.ScoreHistogram(("CIFAR-10", _id), [("DTD", _ood), ("SVHN", _id)]) },
        { "histogram of groups", Charts.Histogram("Entropy", "Entropy (nats)", [("right", _id), ("wrong", [1, double.PositiveInfinity])]) },
        { "roc", Charts.Roc(_id, _ood) },
        { "operating points", Charts.OperatingPoints("Flagged", [("MCM", _id, _ood)], [("one", new DetectionResult(150, 10, 50, 90))]) },
        { "pr", Charts.PrecisionRecall(_id, _ood, Positive.Ood) },
        { "reliability", Charts.Reliability([0.2, 0.6, 0.9, 0.95], [false, true, true, false], 5) },
        { "training", Charts.TrainingCurves([("train", [1.5, 0.5])], [("train", [0.5, 0.75]), ("test", [0.4])]) },
        { "thresholds", Charts.ClassThresholds(["cat", "dog"], [0.5, 0.25], "Threshold (nats)", ("global", 0.4), [3, 9], [true, false]) },
        { "heat map", Charts.HeatMap("AUROC", ["A", "B"], ["A", "B"], Matrix.FromRows([double.NaN, 0.5], [0.75, double.NaN]), "AUROC (higher = better)") },
        { "map", Charts.FeatureMap("PCA", Embeddings.FromRows([1, 2], [3, 4], [5, 6]), ["cat", "noise", "cat"], ["a", "b", "c"]) },
        { "line", Charts.Line("Distances", "rank", "distance", [("5-distance", [1, 2, 3], [0.1, 0.2, 0.9])], ("eps", 2, 0.2)) },
        { "fit", Charts.Fit("AUROC over accuracy", "accuracy", "AUROC", [0.9, 0.5, 0.7], [0.8, 0.6, 0.9], LinearFit.Of([0.9, 0.5, 0.7], [0.8, 0.6, 0.9])) },
        { "bars", Charts.Bars("FPR95", "FPR95 (lower = better)", ["MSP", "MCM"], [("DTD", [0.5, double.NaN])]) },
        { "bars with intervals", Charts.Bars("AUROC", "AUROC (higher = better)", ["MSP"], [("DTD", [new Interval(0.4, 0.6, 0.5)])]) },
    };

    [Theory]
    [MemberData(nameof(All))]
    public void Chart_OfAnyKind_HasTitleAltTextNumbersAndNamedAxes(string kind, ChartView chart)
    {
        IHtmlDocument page = new HtmlParser().ParseDocument(chart.ToHtml());
        Assert.Equal(chart.Title, page.QuerySelector("figure .title")!.TextContent);
        Assert.Equal(chart.AltText, page.QuerySelector("[role=img]")!.GetAttribute("aria-label"));
        Assert.NotEmpty(page.QuerySelectorAll("details tbody tr"));
        Assert.EndsWith(chart.Table.ToString(), chart.ToString(), StringComparison.Ordinal);
        JsonElement layout = Figure(chart).GetProperty("layout");
        foreach (JsonProperty axis in layout.EnumerateObject().Where(p => p.Name.StartsWith("yaxis", StringComparison.Ordinal)))
        {
            Assert.NotEqual("", axis.Value.GetProperty("title").GetProperty("text").GetString());
        }

        Assert.False(Json(chart).Contains("NaN", StringComparison.Ordinal), $"The {kind} holds a NaN, which JSON has not.");
        Assert.InRange(layout.GetProperty("height").GetInt32(), 250, 480);
        Assert.Equal("rgba(0,0,0,0)", layout.GetProperty("paper_bgcolor").GetString());
    }

    [Fact]
    public void ScoreHistogram_Densities_IntegrateToOne()
    {
        ResultTable table = Charts.ScoreHistogram(_id, _ood).Table;
        foreach (string side in new[] { "ID", "OOD" })
        {
            Assert.Equal(1, Enumerable.Range(0, table.Rows).Sum(i =>
                (double)table.DataFrame[side][i] * ((double)table.DataFrame["to"][i] - (double)table.DataFrame["from"][i])), 9);
        }
    }

    [Fact]
    public void Histogram_OfGroups_SharesBinsAndGivesEachGroupAnAreaOfOne()
    {
        ChartView chart = Charts.Histogram("Entropy", "Entropy (nats)", [("right", _id), ("wrong", _ood)]);
        Assert.Equal(["right (n = 100)", "wrong (n = 200)"], TraceNames(chart));
        Assert.Contains("wrong: 200 images, median 0.1990.", chart.AltText, StringComparison.Ordinal);
        foreach (string group in new[] { "right", "wrong" })
        {
            Assert.Equal(1, Enumerable.Range(0, chart.Table.Rows).Sum(i => (double)chart.Table.DataFrame[group][i]
                * ((double)chart.Table.DataFrame["to"][i] - (double)chart.Table.DataFrame["from"][i])), 9);
        }
    }

    [Fact]
    public void Histogram_OfNoGroupOrAnEmptyOne_Throws()
    {
        Assert.Throws<ArgumentException>(() => Charts.Histogram("Entropy", "Entropy (nats)", []));
        Assert.Throws<ArgumentException>(() => Charts.Histogram("Entropy", "Entropy (nats)", [("right", [])]));
    }

    [Fact]
    public void ScoreHistogram_WithoutAThreshold_KeepsNinetyFivePercentOfTheIdImages()
    {
        ChartView chart = Charts.ScoreHistogram(("CIFAR-10", _id), [("DTD", _ood)]);
        Assert.Equal("At or above 0.4250, where images are taken as in-distribution, lie 95.0 % of CIFAR-10 and 0.0 % of DTD.", chart.Caption);
        Assert.Contains("AUROC against DTD: 100.0 %", chart.AltText, StringComparison.Ordinal);
        Assert.Equal(["CIFAR-10 (n = 100)", "DTD (n = 200)", "95.0 % of CIFAR-10 at or above: 0.4250"], TraceNames(chart));
        Assert.Equal("MCM score (higher = more in-distribution)", Layout(chart, "xaxis").GetProperty("title").GetProperty("text").GetString());
    }

    [Fact]
    public void ScoreHistogram_WithAThreshold_TellsWhatItAccepts() =>
        Assert.StartsWith("At or above 0.2000, where images are taken as in-distribution, lie 100.0 % of ID and 50.0 % of OOD.",
            Charts.ScoreHistogram(_id, _ood, threshold: 0.2).Caption, StringComparison.Ordinal);

    [Fact]
    public void ScoreHistogram_OfOneRepeatedScore_IsDrawn()
    {
        var same = new IdScores("MSP", [0.5, 0.5]);
        Assert.Equal(20, Charts.ScoreHistogram(same, same).Table.Rows);
    }

    [Fact]
    public void ScoreHistogram_OfInfiniteScores_SaysThatTheyAreNotDrawn() =>
        Assert.EndsWith("1 infinite scores lie outside the chart.",
            Charts.ScoreHistogram(_id, new IdScores("MCM", [0, double.NegativeInfinity])).Caption, StringComparison.Ordinal);

    [Fact]
    public void ScoreHistogram_OfAnEmptySide_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Charts.ScoreHistogram(_id, new IdScores("MCM", [])));
        Assert.Contains("Got no scores of OOD", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Roc_TitleAndMark_AreThoseOfTheMetrics()
    {
        var id = new IdScores("MSP", [1, 3]);
        var ood = new IdScores("MSP", [0, 2]);
        ChartView chart = Charts.Roc(id, ood);
        Assert.Equal("ROC of MSP: AUROC 75.0 %", chart.Title);
        Assert.Equal(["chance", "MSP: AUROC 75.0 % (n = 2 ID, 2 OOD)", "95 % of ID accepted: FPR95 50.0 %"], TraceNames(chart));
        Assert.Equal(0.5, chart.Table.DataFrame["TPR at FPR ≤ 1\u00a0%"][0]);
    }

    [Theory]
    [InlineData(false, "overconfident by 80.0 %")]
    [InlineData(true, "underconfident by 20.0 %")]
    public void Reliability_AltText_SaysOverOrUnderconfident(bool correct, string expected) =>
        Assert.Contains(expected, Charts.Reliability([0.9, 0.7], [correct, correct]).AltText, StringComparison.Ordinal);

    [Fact]
    public void ClassThresholds_Sorted_PutsTheLowestFirst()
    {
        ChartView chart = Charts.ClassThresholds(["cat", "dog", "cow"], [0.5, 0.25, 0.75], "Threshold");
        Assert.Equal(["dog", "cat", "cow"], chart.Table.DataFrame["class"].Cast<string>());
        Assert.Contains("lowest 0.2500 (dog), median 0.5000, highest 0.7500 (cow)", chart.AltText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(101, false)]
    [InlineData(256, false)]
    public void ClassThresholds_OfManyClasses_MovesTheNamesToTheHover(int classes, bool named)
    {
        string[] names = [.. Enumerable.Range(0, classes).Select(i => $"class {i}")];
        ChartView chart = Charts.ClassThresholds(names, [.. names.Select((_, i) => (double)i)], "Threshold");
        Assert.Equal(named, Layout(chart, "xaxis").TryGetProperty("ticktext", out _));
        Assert.Equal(names, Figure(chart).GetProperty("data")[0].GetProperty("customdata").EnumerateArray().Select(e => e.GetString()));
    }

    [Theory]
    [InlineData(Uncertainty.Entropy, "Entropy threshold<br>(nats, above = uncertain)")]
    [InlineData(Uncertainty.Confidence, "Confidence threshold<br>(below = uncertain)")]
    public void ClassThresholds_OfAFit_NamesMeasureAndDirection(Uncertainty measure, string expected) =>
        Assert.Equal(expected, Layout(Charts.ClassThresholds(["cat", "dog"], new ClassThresholds(measure, [0.5, 0.25])), "yaxis")
            .GetProperty("title").GetProperty("text").GetString());

    [Fact]
    public void KDistances_MarksTheRadius()
    {
        var features = Embeddings.FromRows([.. Enumerable.Range(0, 20).Select(i => new[] { Math.Cos(0.01 * i * i), Math.Sin(0.01 * i * i) })]);
        KDistanceCurve curve = Dbscan.KDistances(features, 3);
        JsonElement mark = Figure(Charts.KDistances(curve)).GetProperty("data")[1];
        Assert.Equal(curve.Knee + 1, mark.GetProperty("x")[0].GetDouble());
        Assert.Equal(curve.Eps, mark.GetProperty("y")[0].GetDouble(), 1e-5);
    }

    [Fact]
    public void Bars_WithIntervals_DrawsEachFromLowToHigh()
    {
        ChartView chart = Charts.Bars("AUROC", "AUROC", ["MSP", "MCM"], [("DTD", [new Interval(0.25, 0.75, 0.5), new Interval(0.5, 1, 0.625)])]);
        JsonElement whiskers = Figure(chart).GetProperty("data")[0].GetProperty("error_y");
        Assert.Equal([0.25, 0.375], whiskers.GetProperty("array").EnumerateArray().Select(e => e.GetDouble()));
        Assert.Equal([0.25, 0.125], whiskers.GetProperty("arrayminus").EnumerateArray().Select(e => e.GetDouble()));
        Assert.Equal([1.0, 0.5], new[] { chart.Table.DataFrame["DTD, high"][1], chart.Table.DataFrame["DTD, low"][1] });
    }

    [Theory]
    [InlineData("AUROC (higher = better)", 1)]
    [InlineData("FPR95 (lower = better)", 0)]
    public void Bars_OfAurocs_MarkChance(string quantity, int lines)
    {
        ChartView chart = Charts.Bars("t", quantity, ["MSP"], [("DTD", [0.75])]);
        Assert.Equal(lines, Layout(chart, "shapes").GetArrayLength());
        Assert.Equal(lines == 1, chart.AltText.EndsWith(" Chance is 50 %.", StringComparison.Ordinal));
    }

    [Fact]
    public void Fit_DrawsPointsUnconnectedAndTheLineFromEndToEnd()
    {
        ChartView chart = Charts.Fit("t", "x", "y", [2, 0, 1], [3, 1, 2], LinearFit.Of([2, 0, 1], [3, 1, 2]));
        JsonElement[] traces = [.. Figure(chart).GetProperty("data").EnumerateArray()];
        Assert.Equal(["markers", "lines"], traces.Select(trace => trace.GetProperty("mode").GetString()));
        Assert.Equal([0, 2], traces[1].GetProperty("x").EnumerateArray().Select(x => x.GetDouble()));
        Assert.Equal([1, 3], traces[1].GetProperty("y").EnumerateArray().Select(y => y.GetDouble()));
    }

    [Fact]
    public void Bars_WhenAGroupIsShort_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Charts.Bars("t", "y", ["a", "b"], [("DTD", [0.5])]));
        Assert.Contains("Got 1 values of DTD, expected 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HeatMap_OfOtherShape_SaysWhatItExpected()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            Charts.HeatMap("t", ["A"], ["B"], Matrix.FromRows([1, 2]), "AUROC"));
        Assert.Contains("Got 1 column names, expected 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FeatureMap_OfManyPoints_SaysHowManyAreDrawn()
    {
        string[] groups = [.. Enumerable.Range(0, 7000).Select(i => i % 2 == 0 ? "ID" : "OOD")];
        ChartView chart = Charts.FeatureMap("t", new Embeddings(7000, 2, new float[14000]), groups);
        Assert.Equal("One point in 3 of each group is drawn.", chart.Caption);
        Assert.Equal(["ID (n = 3,500)", "OOD (n = 3,500)"], TraceNames(chart));
        Assert.Equal(1167, Figure(chart).GetProperty("data")[0].GetProperty("x").GetArrayLength());
    }

    [Fact]
    public void Thin_OfALongCurve_StaysWithinAPixelOfIt() =>
        Gen.Int[501, 20_000].Select(Gen.Double[0.1, 9], Gen.Int[0, 1000]).Sample((count, power, seed) =>
        {
            var random = new Random(seed);
            double[] x = [.. Enumerable.Range(0, count).Select(i => (double)i / (count - 1))];
            double[] y = [.. x.Select(v => Math.Pow(v, power) + (1e-4 * random.NextDouble()))];
            int[] kept = Polyline.Thin(x, y);
            Assert.InRange(kept.Length, 2, 500);
            Assert.Equal((0, count - 1), (kept[0], kept[^1]));
            for (int k = 1; k < kept.Length; k++)
            {
                (int a, int b) = (kept[k - 1], kept[k]);
                double length = Math.Sqrt(Math.Pow(x[b] - x[a], 2) + Math.Pow(y[b] - y[a], 2));
                for (int i = a; i < b; i++)
                {
                    double distance = Math.Abs(((x[b] - x[a]) * (y[i] - y[a])) - ((y[b] - y[a]) * (x[i] - x[a]))) / length;
                    Assert.InRange(distance, 0, 1.0 / 400);
                }
            }
        }, iter: 20);

    [Fact]
    public void Thin_OfAShortCurve_KeepsEveryPoint() =>
        Assert.Equal([0, 1, 2], Polyline.Thin([0, 1, 2], [0, 0, 0]));

    private static string Json(ChartView chart) => GenericChart.toJson(chart.Chart);

    private static JsonElement Figure(ChartView chart) => JsonDocument.Parse(Json(chart)).RootElement;

    private static JsonElement Layout(ChartView chart, string name) => Figure(chart).GetProperty("layout").GetProperty(name);

    private static string[] TraceNames(ChartView chart) =>
        [.. Figure(chart).GetProperty("data").EnumerateArray().Select(trace => trace.GetProperty("name").GetString()!)];
}
