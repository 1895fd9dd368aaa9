namespace ClipOod.Notebook.Tests;

public sealed class BenchmarkTests
{
    private static readonly string[] _keys = ["msp", "mcm", "1-nn", "adaneg"];

    private static readonly Lazy<Benchmark> _run = new(() => Benchmark.Run(
        [.. _keys.Select(DetectorCatalog.Of), DetectorCatalog.Of("odin")], [ToyWorld.Make().Bench("A")], new BenchmarkOptions { Resamples = 200 }));

    [Fact]
    public void Run_ScoresEveryDetectorOnEveryPair_AndSaysWhatItLeftOut()
    {
        Assert.Equal(_keys.Length * 2, _run.Value.Cells.Count);
        Assert.Equal(["A"], _run.Value.Benches);
        Assert.Equal(["near", "noise"], _run.Value.OodSetsOf("A"));
        Assert.Equal("odin", Assert.Single(_run.Value.Unavailable).Detector.Card.Key);
        Assert.Contains("needs the pixels", Assert.Throws<KeyNotFoundException>(() => _run.Value["odin", "A", "near", Metric.Auroc]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMetric_IsThatOfTheScores_WithAnIntervalAroundIt()
    {
        (IdScores id, IdScores ood) = ToyWorld.Make().Bench("A").Score(DetectorCatalog.Of("mcm"), "near");
        Interval auroc = _run.Value["mcm", "A", "near", Metric.Auroc];
        Assert.Equal(Metrics.Auroc(id, ood), auroc.Estimate, 1e-12);
        Assert.InRange(auroc.Estimate, auroc.Low, auroc.High);
        Assert.Equal(auroc.Estimate, _run.Value.ValueOf("mcm", "A", "near", Metric.Auroc), 1e-12);
    }

    [Fact]
    public void MeanRanks_CountTheBetterOnes_AndDifferencesHaveASign()
    {
        IReadOnlyList<double> ranks = _run.Value.MeanRanks("A");
        double[] means = [.. _keys.Select(key => _run.Value.MeanOf(key, "A", Metric.Auroc))];
        Assert.Equal(_keys.Length, ranks.Count);
        Assert.All(ranks, rank => Assert.InRange(rank, 1, _keys.Length));
        Interval gain = _run.Value.Difference("1-nn", "msp", "A", Metric.Auroc).Interval;
        Assert.Equal(means[2] - means[0], gain.Estimate, 1e-12);
        Assert.Equal(-gain.Estimate, _run.Value.Difference("msp", "1-nn", "A", Metric.Auroc).Interval.Estimate, 1e-12);
        Assert.InRange(gain.Estimate, gain.Low, gain.High);
    }

    [Fact]
    public void SeveralSeeds_AreRepeats_WithAnIntervalOverThem()
    {
        Benchmark repeats = Benchmark.Run([DetectorCatalog.Of("adaneg"), DetectorCatalog.Of("mcm")], [ToyWorld.Make().Bench("A")], new BenchmarkOptions { Seeds = [0, 1, 2] });
        double[] values = [.. repeats.Cells.Where(cell => cell.Detector.Card.Key == "adaneg" && cell.Ood.Role == "near").Select(cell => Metrics.Auroc(cell.IdScores, cell.OodScores))];
        Assert.Equal(3, values.Length);
        Assert.Equal(values.Average(), repeats["adaneg", "A", "near", Metric.Auroc].Estimate, 1e-12);
        Assert.Contains("means and 95 % intervals of 3 repeats", repeats.Table("A", DetectorFamily.ZeroShot).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolder_KeepsWhatIsDone_AndABrokenFileIsComputedAgain()
    {
        using TemporaryFolder folder = new();
        BenchmarkOptions options = new() { Folder = folder.Path, Resamples = 10 };
        Benchmark Again() => Benchmark.Run([DetectorCatalog.Of("mcm")], [ToyWorld.Make().Bench("A")], options);
        Benchmark first = Again();
        string[] files = Directory.GetFiles(folder.Path);
        Assert.Equal(2, files.Length);
        File.WriteAllText(files[0], "{ half");
        Benchmark second = Again();
        Assert.Equal(first.Cells.SelectMany(cell => cell.OodScores), second.Cells.SelectMany(cell => cell.OodScores));
        Assert.Equal(1, second.Cells.Count(cell => double.IsNaN(cell.Milliseconds)));
        Assert.All(files, file => Assert.True(new FileInfo(file).Length > 100));
    }

    [Fact]
    public void Tables_HaveARowPerDetectorOfTheFamily()
    {
        Assert.Equal(2, _run.Value.Table("A", DetectorFamily.ZeroShot).Rows);
        Assert.Equal(1, _run.Value.Table("A", DetectorFamily.TestTimeAdaptive).Rows);
        Assert.Equal(_keys.Length, _run.Value.Costs("A").Rows);
        Assert.Matches(@"<td[^>]*>[\d.]+ ms</td>", _run.Value.Costs("A").ToHtml());
        Matrix grid = _run.Value.AurocGrid(out IReadOnlyList<string> labels, out IReadOnlyList<string> pairs);
        Assert.Equal((_keys.Length, 2), (grid.Rows, grid.Columns));
        Assert.Equal(["A, near", "A, noise"], pairs);
        Assert.Contains("MCM", labels);
    }

    [Fact]
    public void Run_OfNothing_IsRefused() => Assert.Contains(
        "expected at least one of each", Assert.Throws<ArgumentException>(() => Benchmark.Run([], [ToyWorld.Make().Bench("A")])).Message, StringComparison.Ordinal);
}
