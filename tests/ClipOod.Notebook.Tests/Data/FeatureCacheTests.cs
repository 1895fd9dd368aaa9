namespace ClipOod.Notebook.Tests;

/// <summary>Features kept as files: computed once, whoever asks, and repaired where a file is broken.</summary>
public sealed class FeatureCacheTests
{
    private static readonly FeatureSet _set = new(
        "Toy", "test", Embeddings.FromRows([1, 0], [0, 1]), [0, 1], ["a", "b"], "made by hand", new ImageBatch(2, 1, 1, [1, 2, 3, 4, 5, 6]));

    [Fact]
    public void GetOrCompute_ComputesOnce_AndReadsAfterwards()
    {
        using TemporaryFolder folder = new();
        int computed = 0;
        FeatureSet Get() => new FeatureCache(folder.PathOf("cache")).GetOrCompute("A-test", () =>
        {
            computed++;
            return _set;
        });
        FeatureSet first = Get(), second = Get();
        Assert.Equal(1, computed);
        Assert.Equal(first.ToString(), second.ToString());
        Assert.Equal(_set.Features.Values.ToArray(), second.Features.Values.ToArray());
        Assert.Equal(_set.Images!.Pixels.ToArray(), second.Images!.Pixels.ToArray());
    }

    [Fact]
    public async Task GetOrCompute_FromManyAtOnce_ComputesOnce()
    {
        using TemporaryFolder folder = new();
        int computed = 0;
        FeatureSet[] sets = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => new FeatureCache(folder.Path).GetOrCompute("A-test", () =>
        {
            Interlocked.Increment(ref computed);
            Thread.Sleep(100);
            return _set;
        }))));
        Assert.Equal(1, computed);
        Assert.All(sets, set => Assert.Equal(_set.Labels, set.Labels));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(100)]
    public void GetOrCompute_OfAFileCutShort_ComputesItAnew(int length)
    {
        using TemporaryFolder folder = new();
        FeatureCache cache = new(folder.Path);
        cache.GetOrCompute("A-test", () => _set);
        string path = folder.PathOf("A-test.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..length]);
        Assert.Equal(_set.Count, cache.GetOrCompute("A-test", () => _set).Count);
        Assert.Equal(_set.Count, FeatureSet.Load(path).Count);
    }

    [Fact]
    public void GetOrCompute_ThatFails_LeavesNothingUnderTheFinalName()
    {
        using TemporaryFolder folder = new();
        FeatureCache cache = new(folder.Path);
        Assert.Throws<InvalidOperationException>(() => cache.GetOrCompute("A-test", () => throw new InvalidOperationException()));
        Assert.False(File.Exists(folder.PathOf("A-test.safetensors")));
        Assert.Equal(_set.Count, cache.GetOrCompute("A-test", () => _set).Count);
    }
}
