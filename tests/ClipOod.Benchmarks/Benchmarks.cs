using BenchmarkDotNet.Attributes;
using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

[ShortRunJob]
[MemoryDiagnoser]
public class SimilarityBenchmarks
{
    private readonly Embeddings _queries = Workloads.UnitRows(Workloads.Queries, 2);
    private readonly Embeddings _texts = Workloads.UnitRows(1_000, 3);
    private readonly Embeddings _train = Workloads.UnitRows(Workloads.TrainRows, 1);
    private NearestNeighbors _neighbors = null!;

    [GlobalSetup]
    public void Fit() => _neighbors = NearestNeighbors.Fit(_train);

    [Benchmark]
    public NearestNeighbors FitNeighbors() => NearestNeighbors.Fit(_train);

    [Benchmark]
    [Arguments(1)]
    [Arguments(20)]
    public IdScores NearestNeighborScores(int k) => _neighbors.Cosine(_queries, k);

    [Benchmark]
    public Matrix Cosines() => Similarity.Cosines(_queries, _texts);
}

[ShortRunJob]
public class LinearHeadBenchmarks
{
    private readonly (Embeddings Features, int[] Labels) _data =
        Workloads.Classes(Workloads.HeadRows, Workloads.HeadClasses, seed: 4);

    [Benchmark]
    public LinearHead SeminarEpoch() => Train(HeadOptions.Seminar);

    [Benchmark]
    public LinearHead PlpEpoch() => Train(HeadOptions.Plp);

    private LinearHead Train(HeadOptions options) =>
        LinearHead.Train(_data.Features, _data.Labels, Workloads.HeadClasses, options with { Epochs = 1 });
}

[ShortRunJob]
public class MetricsBenchmarks
{
    private readonly IdScores _id = Workloads.Scores("ID", Workloads.ScoresPerSide, 1, seed: 6);
    private readonly IdScores _ood = Workloads.Scores("OOD", Workloads.ScoresPerSide, 0, seed: 7);

    [Benchmark]
    public double Auroc() => Metrics.Auroc(_id, _ood);

    [Benchmark]
    public double Fpr95() => Metrics.FprAtTpr(_id, _ood, FprConvention.FirstAtLeast);

    [Benchmark]
    public OodMetrics AllMetrics() => Metrics.Evaluate(_id, _ood);
}

/// <summary>Drawing of pictograms on one core, 1,000 pictures an operation, and their way through the tiny CLIP.</summary>
[ShortRunJob]
public class PictogramBenchmarks
{
    private const int Pictures = 1000;

    private readonly World _world = World.Open();

    [Benchmark(OperationsPerInvoke = Pictures)]
    public int Draw()
    {
        using PictogramArtist artist = new();
        Concept[] concepts = [.. _world.Pictograms.Concepts.Values];
        return Enumerable.Range(0, Pictures).Sum(i => artist.Draw(concepts[i % concepts.Length], i).Pixels[0]);
    }

    [Benchmark]
    public FeatureSet EncodeSetA() => _world.Pictograms.Encode(
        "A", "test", _world.A.Test.Images!, _world.A.Test.Labels, _world.A.Classes);
}
