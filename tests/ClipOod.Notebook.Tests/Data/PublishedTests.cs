using System.Globalization;
using System.Text.RegularExpressions;

namespace ClipOod.Notebook.Tests;

public sealed partial class PublishedTests
{
    [Fact]
    public void EveryRow_HasItsSource_AndIsTheOnlyOneOfItsKind()
    {
        Assert.All(Published.All, row => Assert.False(string.IsNullOrWhiteSpace(row.Source)));
        Assert.Distinct(Published.All.Select(row => row with { Percent = 0 }));
    }

    [Fact]
    public void FprOfPapers_HasAConvention_UnlessTheSourceDoesNotSay()
    {
        PublishedRow[] fpr = [.. Published.All.Where(row => row.Metric == "fpr95")];
        Assert.All(fpr.Where(row => row.Source.StartsWith("YBZh/OpenOOD-VLM", StringComparison.Ordinal)), row => Assert.Equal(FprConvention.OpenOod, row.Convention));
        Assert.All(fpr.Where(row => row.Source.StartsWith("xmed-lab/CLIPN", StringComparison.Ordinal)), row => Assert.Equal(FprConvention.Interp, row.Convention));
        Assert.All(fpr.Where(row => row.Source.StartsWith("CoVer", StringComparison.Ordinal)), row => Assert.Equal(FprConvention.NearestRecall, row.Convention));
        Assert.All(fpr.Where(row => row.Source == "LogitGap, paper"), row => Assert.Null(row.Convention));
    }

    [Fact]
    public void Find_GivesTheRowsOfADetectorPairAndMetric()
    {
        PublishedRow zoc = Assert.Single(Published.Find("zoc", "ImageNet-1K", "Textures", "auroc"));
        Assert.Equal((0.7646, "ViT-B/16"), (zoc.Value, zoc.Backbone));
        PublishedRow log = Assert.Single(Published.Find("mcm", "CIFAR10", "Textures", Metric.Fpr95(FprConvention.OpenOod).Key));
        Assert.Equal(20.59, log.Percent);
        Assert.Empty(Published.Find("mcm", "CIFAR10", "Textures", Metric.Fpr95(FprConvention.NearestRecall).Key));
        Assert.Equal(61.63, Assert.Single(Published.Find("mcm", "ImageNet-1K", "Textures", "fpr95"), row => row.Backbone == "ViT-B/32").Percent);
        Assert.Contains(Published.Find("clipn-atd", ood: "Textures", metric: "fpr95"), row => row is { Percent: 40.91, Convention: FprConvention.Interp });
        Assert.DoesNotContain(Published.Find("plp"), row => row.Over is not null);
    }

    [Fact]
    public void DetectorsOfThisWorkbook_AreUnderTheirKeys() => Assert.All(
        (string[])["mcm", "gl-mcm", "neglabel", "csp", "eoe", "negrefine", "zoc", "clipn-ctw", "clipn-atd", "adaneg", "tanl", "mds", "knn", "vim", "odin", "react", "energy", "msp", "max-logit", "logitgap", "1-nn"],
        key =>
        {
            Assert.NotEmpty(Published.Find(key));
            Assert.Contains(DetectorCatalog.All, detector => detector.Card.Key == key);
        });

    [Theory]
    [InlineData("\"source\": \" \"", "no source")]
    [InlineData("\"source\": null", "source")]
    [InlineData("\"note\": \"x\"", "note")]
    [InlineData("\"source\": \"a\", \"convention\": \"Interp\"", "Only a row of fpr95")]
    [InlineData("\"source\": \"a\", \"convention\": \"Median\"", "convention")]
    [InlineData("\"source\": \"a\", \"where\": \"b\"", "where")]
    public void Row_ThatSaysTooLittle_IsNamed(string field, string what)
    {
        string json = $$"""
            [{"detector": "mcm", "backbone": "b", "id": "i", "ood": "o", "metric": "auroc", "percent": 90, "source": "s"},
             {"detector": "zoc", "backbone": "b", "id": "i", "ood": "o", "metric": "auroc", "percent": 90, {{field}}}]
            """;
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Published.Read(json, "p.json"));
        Assert.StartsWith("p.json, row 2, {\"detector\": \"zoc\"", error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[")]
    public void FileThatIsNoList_IsNamed(string json) =>
        Assert.StartsWith("p.json", Assert.Throws<InvalidDataException>(() => Published.Read(json, "p.json")).Message, StringComparison.Ordinal);

    /// <summary>Every pair of AUROC and FPR95 that the specification prints, but for those recalled from memory.</summary>
    [Fact]
    public void Rows_AreThoseOfTheSpecification()
    {
        string? folder = Environment.GetEnvironmentVariable("CLIPOOD_SPEC");
        Assert.SkipUnless(folder is not null, "CLIPOOD_SPEC is unset: it names the folder that holds the specification's TABLES.md.");
        var pairs = Published.All
            .Where(row => row.Over is null)
            .GroupBy(row => (row.Detector, row.Variant, row.Backbone, row.Id, row.Ood, row.Source))
            .Select(rows => (rows.FirstOrDefault(row => row.Metric == "auroc")?.Percent, rows.FirstOrDefault(row => row.Metric == "fpr95")?.Percent))
            .ToHashSet();
        (double, double)[] printed =
        [
            .. File.ReadLines(Path.Combine(folder, "TABLES.md"))
                .Where(line => !line.Contains("[m]", StringComparison.Ordinal))
                .SelectMany(line => Pair().Matches(line.Replace("33..85", "33.85", StringComparison.Ordinal)))
                .Select(match => (Number(match.Groups[1]), Number(match.Groups[2]))),
        ];
        Assert.True(printed.Length > 200, $"Found only {printed.Length} pairs.");
        Assert.All(printed, pair => Assert.True(
            pairs.Contains(pair) || pairs.Contains((pair.Item2, pair.Item1)), string.Create(CultureInfo.InvariantCulture, $"{pair.Item1}/{pair.Item2} is no row.")));
    }

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<![\d./])(\d{1,2}\.\d{1,2})/(\d{1,2}\.\d{1,2})")]
    private static partial Regex Pair();
}
