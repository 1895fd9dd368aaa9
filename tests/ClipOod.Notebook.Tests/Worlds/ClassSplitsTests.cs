namespace ClipOod.Notebook.Tests;

/// <summary>Halves of the classes of one data set as benches.</summary>
public sealed class ClassSplitsTests
{
    private const int Classes = 8, PerClass = 16;

    private static readonly Lazy<World> _world = new(() => Make(Classes, PerClass));

    [Fact]
    public void Halves_ShareNoClass_AndAreAsLarge()
    {
        IReadOnlyList<Bench> benches = _world.Value.SplitBenches("C", splits: 3, seeds: 2);
        Assert.Equal([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)], benches.Select(bench => (bench.Split, bench.Seed)));
        Assert.All(benches, bench =>
        {
            FeatureSet ood = bench.Ood["other half"].Images;
            Assert.Equal(("C halves", Classes / 2, Classes / 2), (bench.Role, bench.Id.NumClasses, ood.NumClasses));
            Assert.Empty(bench.Id.Classes.Intersect(ood.Classes));
            Assert.Equal((PerClass / 2, PerClass / 4, PerClass / 4, PerClass / 4), (
                bench.Id.Train.Count / 4, bench.Id.Validation.Count / 4, bench.Test.Count / 4, ood.Count / 4));
            Assert.Equal(bench.Id.Classes, bench.Known.Text.Classes);
        });
        Assert.Equal(3, benches.Select(bench => string.Join(' ', bench.Id.Classes)).Distinct().Count());
    }

    [Fact]
    public void ASeed_DealsTheImages_AndNoneTwice()
    {
        IReadOnlyList<Bench> benches = _world.Value.SplitBenches("C", splits: 1, seeds: 2);
        static string[] Rows(FeatureSet set) => [.. Enumerable.Range(0, set.Count).Select(i => string.Join(' ', set.Features[i].ToArray()))];
        foreach (Bench bench in benches)
        {
            string[] all = [.. new[] { bench.Id.Train, bench.Id.Validation, bench.Test }.SelectMany(Rows)];
            Assert.Equal(PerClass * Classes / 2, all.Distinct().Count());
            Assert.Empty(all.Intersect(Rows(bench.Ood["other half"].Images)));
        }

        Assert.Equal(benches[0].Id.Classes, benches[1].Id.Classes);
        Assert.NotEqual(Rows(benches[0].Test), Rows(benches[1].Test));
        Assert.Same(benches[0], _world.Value.SplitBenches("C", splits: 1, seeds: 1)[0]);
    }

    [Fact]
    public void ABenchmark_OfSplits_TakesSplitsAsDraws_AndTheBenchesSeeds()
    {
        IReadOnlyList<Bench> benches = _world.Value.SplitBenches("C", splits: 3, seeds: 2);
        Detector mcm = DetectorCatalog.Of("mcm"), nearest = DetectorCatalog.Of("1-nn");
        Benchmark run = Benchmark.Run([mcm, nearest], benches);
        Assert.Equal([0, 1, 0, 1, 0, 1], run.Cells.Where(cell => cell.Detector == mcm).Select(cell => cell.Seed));

        double[] values = [.. benches.Select(bench => bench.Score(mcm, "other half")).Select(scores => Metrics.Auroc(scores.Id, scores.Ood))];
        double[] means = [.. values.Chunk(2).Select(seeds => seeds.Average())];
        Assert.Equal(Inference.OfMean(means), run["mcm", "C halves", "other half", Metric.Auroc]);
        Assert.Contains("3 splits, each the mean of 2 seeds", run.Table("C halves", DetectorFamily.ZeroShot).ToString(), StringComparison.Ordinal);

        Verdict verdict = run.Judge("C halves", [("mcm", "1-nn", null, null)])[0];
        Assert.Equal(3, verdict.Count);
        Assert.Equal(run.Difference("mcm", "1-nn", "C halves", Metric.Auroc).Interval, verdict.Evidence);
        Assert.Equal("1-NN beats KNN on C halves: cannot be told here (because knn was not run there; mechanism, no claim in print)", run.Judge("C halves", [("1-nn", "knn", null, null)])[0].ToString());
        Assert.Equal("too few words", run.Judge("C halves", [("mcm", "1-nn", null, "too few words")])[0].Because);
    }

    [Fact]
    public void TooFewClasses_OrImages_AreRefused()
    {
        Assert.Contains("3 classes with text features here, expected at least 4", Assert.Throws<InvalidOperationException>(() => Make(3, PerClass).SplitBenches("C")).Message, StringComparison.Ordinal);
        Assert.Contains("3 images of class0, expected at least 4 of every class", Assert.Throws<InvalidOperationException>(() => Make(Classes, 3).SplitBenches("C")).Message, StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => _world.Value.SplitBenches("D"));
        Assert.Throws<ArgumentOutOfRangeException>("splits", () => _world.Value.SplitBenches("C", splits: 0));
        Assert.Throws<ArgumentOutOfRangeException>("seeds", () => _world.Value.SplitBenches("C", seeds: 0));
    }

    [Fact]
    public void TheListOfImageNetX_IsHalfOfTheClasses()
    {
        Assert.Equal(500, ClassSplits.ImageNetX.Distinct().Count());
        Assert.All(ClassSplits.ImageNetX, k => Assert.InRange(k, 0, 999));
        Assert.Empty(Make(Classes, PerClass, role: "Large").PublishedSplitBenches());
    }

    private static World Make(int classes, int perClass, string role = "C")
    {
        Random random = new(1);
        string[] names = [.. Enumerable.Range(0, classes).Select(k => $"class{k}")];
        int[] labels = [.. Enumerable.Range(0, classes * perClass).Select(i => i / perClass)];
        Embeddings Rows(IEnumerable<int> axes, double noise) => Embeddings.FromRows([.. axes.Select(axis => Enumerable.Range(0, classes)
            .Select(d => (d == axis ? 1 : 0) + (noise * (random.NextDouble() - 0.5))).ToArray())]).Normalized();
        FeatureSet all = new("Things", "test", Rows(labels, 1.5), labels, names, "made by hand");
        TextFeatures text = new(Rows(Enumerable.Range(0, classes), 0), names, "a {}", "made by hand");
        return new World("toy", "Made by hand.", "none", [new Dataset(role, null, null, all, [.. Enumerable.Range(0, classes)], [text], "Toy.")], [], [("words", text)], logitScale: 20);
    }
}
