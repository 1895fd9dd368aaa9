using System.Text.RegularExpressions;
using ClipOod.Notebook;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests;

/// <summary>What the recorded results of all notebooks keep to: one value under one name, in every world.</summary>
public sealed partial class WorkbookResultsTests
{
    private static readonly string _folder = Path.Combine(Repository.Root, "notebooks", "expected");

    public static TheoryData<string> Worlds => [.. Directory.GetDirectories(_folder).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>A detector has one value per ID set, OOD set, metric and seed, whichever notebook declares it.</summary>
    [Theory]
    [MemberData(nameof(Worlds))]
    public void Metric_HasOneValueInAllNotebooks(string world) => Assert.Empty(Conflicts(Files(world)));

    [Theory]
    [MemberData(nameof(Worlds))]
    public void Metric_IsOfTheClosedList(string world) => Assert.All(
        Files(world).SelectMany(file => file.Results).OfType<MetricResult>(),
        result => Assert.Equal(Metric.Parse(result.Metric).IsOfPair, result.Ood is not null));

    /// <summary>A metric of a detector is declared by <c>Expect.Metric</c>, not as a free number.</summary>
    [Theory]
    [MemberData(nameof(Worlds))]
    public void FreeNumber_IsNoMetricOfADetector(string world) => Assert.Empty(
        Files(world).SelectMany(file => file.Results.OfType<NumberResult>().Where(number => IsMetricOfDetector(number.Name)).Select(number => $"{file.Name}: {number.Name}")));

    /// <summary>Where mechanism is taught, no claim in print is judged; its estimate is recorded where there is one.</summary>
    [Fact]
    public void ClaimInPrint_IsNotJudgedByPictograms()
    {
        VerdictResult[] claims = [.. Files("pictograms").SelectMany(file => file.Results).OfType<VerdictResult>().Where(verdict => verdict.Source is not null)];
        Assert.NotEmpty(claims);
        Assert.All(claims, verdict => Assert.False(verdict.IsTold, $"{verdict.Key} ({verdict.Source}): {verdict.Word}"));
    }

    /// <summary>A claim that one world knows to be in print is not taken for mechanism by another.</summary>
    [Fact]
    public void Claim_IsInPrintInEveryWorld() => Assert.Empty(
        Worlds.Select(world => world.Data)
            .SelectMany(world => Files(world).SelectMany(file => file.Results.OfType<VerdictResult>().Select(verdict => (Name: $"{file.Name}: {verdict.Key}", IsInPrint: verdict.Source is not null))))
            .GroupBy(claim => claim.Name)
            .Where(claims => claims.Distinct().Count() > 1)
            .Select(claims => claims.Key));

    [Fact]
    public void Conflicts_NamesBothNotebooks()
    {
        MetricResult Of(double value, int seed = 0) => new("mcm", "A", "near", "auroc", seed, value, 0.01);
        Assert.Equal(
            ["mcm · A → near · auroc · seed 0: 0.5 in 09.json, 0.75 in 10.json"],
            Conflicts([("09.json", [Of(0.5), Of(0.25, 1)]), ("10.json", [Of(0.75), Of(0.25, 1), new NumberResult("n", 1, 0)])]));
    }

    [Theory]
    [InlineData("auroc-mcm-A-near", true)]
    [InlineData("auroc-A-near-clipn-atd", true)]
    [InlineData("fpr95-mcm-large-all-textures", true)]
    [InlineData("AUPR of max-logit, C against B", true)]
    [InlineData("msp-auroc-mean", true)]
    [InlineData("ranked by AUROC, A → B", true)]
    [InlineData("auroc-class-leaked", false)]
    [InlineData("interval-width-auroc-a", false)]
    [InlineData("mcm-highest-a", false)]
    [InlineData("accuracy-large-first-prompt", false)]
    public void IsMetricOfDetector_ReadsTheName(string name, bool expected) => Assert.Equal(expected, IsMetricOfDetector(name));

    private static (string Name, DeclaredResult[] Results)[] Files(string world) =>
    [
        .. Directory.GetFiles(Path.Combine(_folder, world), "*.json")
            .Order(StringComparer.Ordinal)
            .Select(path => (Path.GetFileName(path), ExpectedValues.Load(path).Values.ToArray())),
    ];

    private static IEnumerable<string> Conflicts(IEnumerable<(string Name, DeclaredResult[] Results)> files) => files
        .SelectMany(file => file.Results.OfType<MetricResult>().Select(result => (file.Name, Result: result)))
        .GroupBy(entry => entry.Result.Key)
        .Where(entries => entries.Select(entry => entry.Result.Value).Distinct().Count() > 1)
        .Select(entries => $"{entries.Key}: {string.Join(", ", entries.Select(entry => $"{entry.Result.Show("R")} in {entry.Name}"))}");

    // A metric with a detector or with two sets, in any order.
    private static bool IsMetricOfDetector(string name) =>
        MetricName().IsMatch(name)
        && (SetName().Count(name) >= 2 || DetectorCatalog.All.Any(detector => Regex.IsMatch(name, $@"(?<![\w]){Regex.Escape(detector.Card.Key)}(?![\w])", RegexOptions.IgnoreCase)));

    [GeneratedRegex(@"auroc|fpr|aupr|\bap\b|average.precision", RegexOptions.IgnoreCase)]
    private static partial Regex MetricName();

    [GeneratedRegex(@"(?<!\w)(A|B|C|large|near|far|textures|noise)(?!\w)", RegexOptions.IgnoreCase)]
    private static partial Regex SetName();
}
