using System.Globalization;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

public sealed class EncodingTests : IDisposable
{
    // Three chunks: 256, 256 and 88 images.
    private const int PerClass = 200;

    private readonly TemporaryFolder _folder = new();
    private readonly ClipModel _model = TinyClip.Create();
    private readonly string _images;

    public EncodingTests()
    {
        _images = _folder.PathOf("animals");
        TinyClip.WriteImages(_images, ["cat", "dog", "fox"], PerClass);
        File.WriteAllText(Path.Combine(_images, "dog", "0003.png"), "no picture");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void OneRun_GivesTheRowsOfTheModel_AndSaysWhatMadeThem()
    {
        string path = Encode("one", ClipImageOutputs.Pooled | ClipImageOutputs.Patches);

        FeatureSet set = FeatureSet.Load(path);
        ImageSource source = LocalImages.Open(_images, "all");
        int[] rows = [.. Enumerable.Range(0, source.Count).Where(i => i != PerClass + 3)];
        ClipEncoding expected = _model.EncodeImages([.. rows.Select(i => source.File(i)!)], cancellation: Stop);
        ClipEncoding pooled = _model.EncodePooled([.. rows.Select(i => source.File(i)!)], cancellation: Stop);
        ClipEncoding locals = _model.EncodeLocals([source.Read(rows[^1])], cancellation: Stop);
        Assert.Equal(["cat", "dog", "fox"], set.Classes);
        Assert.Equal(rows.Select(i => source.Labels[i]), set.Labels);
        AssertClose(expected.Values, set.Features.Values.ToArray());
        using SafetensorsFile file = Safetensors.Open(path);
        Assert.Equal(rows, file["rows"].ToInt32s());
        AssertClose(pooled.Values, file["pooled_features"].ToSingles());
        Assert.Equal(_model.ModelHash, file.Metadata["model_sha256"]);
        Assert.Equal("FP32", file.Metadata["precision"]);
        Assert.Contains("resize 16 Bicubic", set.Provenance, StringComparison.Ordinal);
        Assert.Contains("1 of 600 images could not be read and are left out: dog/0003.png", set.Provenance, StringComparison.Ordinal);
        FailedImage failed = Assert.Single(JsonSerializer.Deserialize<FailedImage[]>(file.Metadata["failures"])!);
        Assert.Equal((PerClass + 3, "dog/0003.png"), (failed.Row, failed.Name));
        Assert.DoesNotContain(_folder.Path, failed.Message, StringComparison.Ordinal);
        using SafetensorsFile patches = Safetensors.Open(Path.ChangeExtension(path, ".patches.safetensors"));
        Assert.Equal([599, 4, 16], patches["patch_features"].Shape);
        float[] last = patches["patch_features"].ToSingles()[^64..];
        AssertClose(new Embeddings(4, 16, locals.Values).Normalized().Values.ToArray(), last, 1e-3);
        Assert.False(file.Contains("patch_features"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Shards_InFoldersOfTheirOwn_MergeToTheBytesOfOneRun(int count)
    {
        string one = Encode("one", ClipImageOutputs.Pooled);
        EncodedChunks[] shards = [.. Enumerable.Range(1, count).Select(i => Job($"shard {i}", ClipImageOutputs.Pooled).Run(new(i, count), cancellation: Stop))];
        string merged = _folder.PathOf("merged.safetensors");

        EncodedSets.Merge(shards, merged, out IReadOnlyList<int> twice);

        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(merged));
        Assert.Empty(twice);
    }

    [Fact]
    public void Shards_ArePartsOfTheWhole_AndAsLargeAsEachOther()
    {
        EncodingPlan plan = Job("any").Plan with { Images = 100 * EncodingPlan.ChunkImages };
        foreach (int count in new[] { 1, 3, 7, 100 })
        {
            int[][] shards = [.. Enumerable.Range(1, count).Select(i => plan.ChunksOf(new(i, count)).ToArray())];
            Assert.Equal(Enumerable.Range(0, 100), shards.SelectMany(shard => shard));
            Assert.InRange(shards.Max(shard => shard.Length) - shards.Min(shard => shard.Length), 0, 1);
        }

        Assert.Null(EncodingShard.TryParse("0/4"));
        Assert.Null(EncodingShard.TryParse("5/4"));
        Assert.Null(EncodingShard.TryParse("1"));
        Assert.Equal(new(2, 4), EncodingShard.TryParse("2/4"));
    }

    [Fact]
    public void AStoppedRun_GoesOn_AndGivesTheSameBytes()
    {
        string one = Encode("one");
        using CancellationTokenSource stop = new();
        EncodingJob job = Job("stopped");
        Assert.ThrowsAny<OperationCanceledException>(() => job.Run(EncodingShard.All, new Listener(progress => Cancel(progress, stop)), stop.Token));
        List<int> totals = [];

        EncodedChunks chunks = job.Run(EncodingShard.All, new Listener(progress => totals.Add(progress.Total)), Stop);
        EncodedSets.Merge([chunks], job.Target, out _);

        Assert.Equal(3 * PerClass - EncodingPlan.ChunkImages, totals.Distinct().Single());
        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(job.Target));

        static void Cancel(ClipProgress progress, CancellationTokenSource stop)
        {
            if (progress.Done > EncodingPlan.ChunkImages + 50)
            {
                stop.Cancel();
            }
        }
    }

    [Fact]
    public void ATornChunk_IsEncodedAgain()
    {
        EncodingJob job = Job("torn");
        EncodedChunks chunks = job.Run(EncodingShard.All, cancellation: Stop);
        byte[] whole = File.ReadAllBytes(chunks.PathOf(1));
        File.WriteAllBytes(chunks.PathOf(1), whole[..(whole.Length / 2)]);

        Assert.False(chunks.Has(1));
        job.Run(EncodingShard.All, cancellation: Stop);

        Assert.Equal(whole, File.ReadAllBytes(chunks.PathOf(1)));
    }

    [Fact]
    public void AFolderThatVanishes_StopsTheRun_AndNothingIsMissingAfterwards()
    {
        string one = Encode("one");
        EncodingJob job = Job("vanished");
        string away = _folder.PathOf("away");
        IOException error = Assert.Throws<IOException>(() => job.Run(EncodingShard.All, new Listener(progress =>
        {
            if (progress.Done == EncodingPlan.ChunkImages)
            {
                Directory.Move(_images, away);
            }
        }), Stop));
        Assert.Contains("cannot be read any more", error.Message, StringComparison.Ordinal);
        Assert.Contains("the same command goes on", error.Message, StringComparison.Ordinal);

        Directory.Move(away, _images);
        EncodedSets.Merge([job.Run(EncodingShard.All, cancellation: Stop)], job.Target, out _);

        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(job.Target));
    }

    [Fact]
    public void TwoProcesses_OnOneShard_AreRefused()
    {
        EncodingJob job = Job("locked");
        using FileStream other = EncodedChunks.Create(Path.ChangeExtension(job.Target, EncodedChunks.Ending), job.Plan).Lock(new(1, 2));

        Assert.Contains("Another process is encoding shard 1/2", Assert.Throws<IOException>(() => job.Run(new(1, 2), cancellation: Stop)).Message, StringComparison.Ordinal);
        job.Run(new(2, 2), cancellation: Stop);
    }

    [Fact]
    public void Models_AreNotMixed()
    {
        Encode("mixed");
        using ClipModel other = TinyClip.Create(seed: 6);
        using ClipModel wider = TinyClip.Create(width: 24);
        ImageSource source = LocalImages.Open(_images, "all");

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => new EncodingJob(other, "other", source, "again", 0, _folder.PathOf("mixed")));
        Assert.Contains($"is of model {_model.ModelHash[..12]}, FP32, 16 features, this model is model {other.ModelHash[..12]}", error.Message, StringComparison.Ordinal);
        Assert.Contains("24 features", Assert.Throws<InvalidDataException>(() => new EncodingJob(wider, "wider", source, "again", 0, _folder.PathOf("mixed"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherImages_OrOutputs_AreNotTakenForTheOldOnes()
    {
        string path = Encode("changed");
        Assert.True(Job("changed").IsDone());
        Assert.Contains("Outputs: Embedding, Pooled here, Embedding there", Assert.Throws<InvalidDataException>(() => Job("changed", ClipImageOutputs.Pooled).IsDone()).Message, StringComparison.Ordinal);

        EncodingJob begun = Job("begun");
        begun.Run(new(1, 3), cancellation: Stop);
        File.Delete(Path.Combine(_images, "cat", "0000.png"));

        Assert.Contains("Images: 599 here, 600 there", Assert.Throws<InvalidDataException>(() => Job("changed").IsDone()).Message, StringComparison.Ordinal);
        Assert.Contains("holds a part of another encoding", Assert.Throws<InvalidDataException>(() => Job("begun").Run(new(2, 3), cancellation: Stop)).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Merge_OfTooFew_NamesTheShardsThatAreMissing()
    {
        EncodedChunks[] shards = [Job("1").Run(new(1, 3), cancellation: Stop), Job("3").Run(new(3, 3), cancellation: Stop)];

        string message = Assert.Throws<InvalidDataException>(() => EncodedSets.Merge(shards, _folder.PathOf("m.safetensors"), out _)).Message;

        Assert.Contains("1 of 3 chunks are missing", message, StringComparison.Ordinal);
        Assert.Contains("(shard 2/3)", message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.PathOf("m.safetensors")));
    }

    [Fact]
    public void Merge_OfShardsThatOverlap_TakesEqualChunksOnce_AndRefusesOthers()
    {
        string one = Encode("one");
        EncodedChunks all = Job("all").Run(EncodingShard.All, cancellation: Stop);
        EncodedChunks some = Job("some").Run(new(2, 3), cancellation: Stop);
        string merged = _folder.PathOf("m.safetensors");

        EncodedSets.Merge([some, all], merged, out IReadOnlyList<int> twice);
        Assert.Equal([1], twice);
        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(merged));

        byte[] bytes = File.ReadAllBytes(some.PathOf(1));
        bytes[^1] ^= 1;
        File.WriteAllBytes(some.PathOf(1), bytes);
        Assert.Contains("different features", Assert.Throws<InvalidDataException>(() => EncodedSets.Merge([some, all], merged, out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_OfShardsOfTwoModels_IsRefused()
    {
        EncodedChunks ours = Job("ours").Run(new(1, 2), cancellation: Stop);
        using ClipModel other = TinyClip.Create(seed: 6);
        EncodedChunks theirs = new EncodingJob(other, "other", LocalImages.Open(_images, "all"), "set", 0, _folder.PathOf("theirs")).Run(new(2, 2), cancellation: Stop);

        string message = Assert.Throws<InvalidDataException>(() => EncodedSets.Merge([ours, theirs], _folder.PathOf("m.safetensors"), out _)).Message;

        Assert.Contains($"ModelSha256: {_model.ModelHash} here, {other.ModelHash} there", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_AreOfOnePrompt_AndOfTheEnsemble()
    {
        string folder = _folder.PathOf("texts");
        Assert.True(EncodedTexts.Write(_model, "tiny", "cifar10", ["cat", "tree_frog"], folder));
        Assert.False(EncodedTexts.Write(_model, "tiny", "cifar10", ["cat", "tree_frog"], folder));

        IReadOnlyList<TextFeatures> texts = EncodedTexts.Load(EncodedTexts.PathOf(folder, "cifar10"));

        Assert.Equal(["a photo of a {}.", string.Join(" | ", PromptTemplates.Cifar18)], texts.Select(text => text.Prompt));
        Assert.Equal(["cat", "tree frog"], texts[0].Classes);
        AssertClose(_model.EncodeClasses(["cat", "tree frog"], PromptTemplates.Clip, cancellation: Stop).Values, texts[0].Features.Values.ToArray());
        AssertClose(_model.EncodeClasses(["cat", "tree frog"], PromptTemplates.Cifar18, cancellation: Stop).Values, texts[1].Features.Values.ToArray());
        Assert.Contains("another list of classes", Assert.Throws<InvalidDataException>(() => EncodedTexts.Write(_model, "tiny", "cifar10", ["dog"], folder)).Message, StringComparison.Ordinal);
        using ClipModel wider = TinyClip.Create(width: 24);
        Assert.Contains("another model_sha256", Assert.Throws<InvalidDataException>(() => EncodedTexts.Write(wider, "wider", "cifar10", ["cat", "tree_frog"], folder)).Message.Replace("another logit_scale", "another model_sha256", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private EncodingJob Job(string folder, ClipImageOutputs outputs = 0) => new(_model, "tiny", LocalImages.Open(_images, "all"), "set", outputs, _folder.PathOf(folder));

    private string Encode(string folder, ClipImageOutputs outputs = 0)
    {
        EncodingJob job = Job(folder, outputs);
        EncodedSets.Merge([job.Run(EncodingShard.All, cancellation: Stop)], job.Target, out _);
        return job.Target;
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Length, actual.Length);
        int far = Enumerable.Range(0, expected.Length).FirstOrDefault(i => !(Math.Abs(expected[i] - actual[i]) <= tolerance), -1);
        Assert.True(far < 0, far < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"Value {far} is {actual[far]}, expected {expected[far]}."));
    }

    private sealed class Listener(Action<ClipProgress> told) : IProgress<ClipProgress>
    {
        public void Report(ClipProgress value) => told(value);
    }
}
