using System.Formats.Tar;
using System.IO.Compression;
using ClipOod.Autodiff;

namespace ClipOod.Notebook.Tests;

/// <summary>The packs that are made of the published files, against those that the world was recorded with.</summary>
public sealed class ClipFeaturePacksTests
{
    [Fact]
    public void PacksOfThePublishedFiles_AreThoseThatTheWorldWasRecordedWith()
    {
        string published = Folder("CLIPOOD_FEATURE_SOURCES", "the published files (feature-sources)"), recorded = Folder("CLIPOOD_FEATURES", "the packs (clip-features)");
        using TemporaryFolder folder = new();

        IReadOnlyList<string> made = ClipFeaturePacks.Make(published, folder.Path, folder.PathOf("no-archive"));

        Assert.Equal(
            Directory.GetFiles(recorded, "*.safetensors").Select(Path.GetFileName).Order(StringComparer.Ordinal),
            made.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(made, path =>
        {
            using SafetensorsFile ours = Safetensors.Open(path), theirs = Safetensors.Open(Path.Combine(recorded, Path.GetFileName(path)));
            foreach (string name in theirs.Names.Where(name => name != "images"))
            {
                Assert.Equal((theirs[name].DType, string.Join('x', theirs[name].Shape)), (ours[name].DType, string.Join('x', ours[name].Shape)));
                if (theirs[name].DType == SafetensorsType.F16)
                {
                    AssertEqual(theirs[name].ToSingles(), ours[name].ToSingles(), $"{path}, {name}");
                }
                else
                {
                    Assert.Equal(theirs[name].ToInt32s(), ours[name].ToInt32s());
                }
            }

            Assert.All(theirs.Metadata.Where(pair => pair.Key != "images"), pair => Assert.Equal(Plain(pair.Value), Plain(ours.Metadata[pair.Key])));
        });

        World world = ClipFeatures.Open(folder.Path, seed: 0);
        Assert.Equal((10, 101, 256, 1000), (world.A.NumClasses, world.B.NumClasses, world.C.NumClasses, world.Large.NumClasses));
        Assert.Null(world.A.Test.Images);
    }

    [Fact]
    public void PixelsOfCifar10_JoinFromItsArchive()
    {
        string published = Folder("CLIPOOD_FEATURE_SOURCES", "the published files (feature-sources)"), recorded = Folder("CLIPOOD_FEATURES", "the packs (clip-features)");
        using TemporaryFolder folder = new();
        using SafetensorsFile theirs = Safetensors.Open(Path.Combine(recorded, "cifar10-test500.safetensors"));
        int[] labels = theirs["labels"].ToInt32s();
        byte[] pixels = theirs["images"].ToBytes();
        byte[] records = [.. labels.SelectMany((label, i) => Enumerable.Range(0, 3).SelectMany(channel => Enumerable.Range(0, 1024).Select(at => pixels[(((i * 1024) + at) * 3) + channel])).Prepend((byte)label))];

        ClipFeaturePacks.Make(published, folder.Path, Archive(folder, records));

        using SafetensorsFile ours = Safetensors.Open(folder.PathOf("cifar10-test500.safetensors"));
        Assert.Equal(pixels, ours["images"].ToBytes());
        records[0] ^= 1;
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipFeaturePacks.Make(published, folder.Path, Archive(folder, records)));
        Assert.Contains("test image 0 has the label", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTrainingPartOfCaltech256_JoinsWhereItIs()
    {
        string recorded = Folder("CLIPOOD_FEATURES", "the packs (clip-features)");
        using TemporaryFolder folder = new();
        foreach (string file in ClipFeatures.Files)
        {
            File.Copy(Path.Combine(recorded, file), folder.PathOf(file));
        }

        // Rows that no other part has: one of those that the test part has must go.
        FeatureSet validation = FeatureSet.Load(folder.PathOf("caltech256-val.safetensors")), test = FeatureSet.Load(folder.PathOf("caltech256-test.safetensors"));
        float[] values = [.. validation.Features.Values.ToArray().Select(value => -value)];
        test.Features[0].CopyTo(values);
        using (SafetensorsFile like = Safetensors.Open(folder.PathOf("caltech256-val.safetensors")))
        {
            Safetensors.Write(
                folder.PathOf("caltech256-train.safetensors"),
                [SafetensorsTensor.FromSinglesAsHalf("image_features", [validation.Count, validation.Features.Width], values), SafetensorsTensor.FromInt32s("labels", [validation.Count], [.. validation.Labels])],
                like.Metadata);
        }

        Dataset c = ClipFeatures.Open(folder.Path, seed: 0).C;

        int withoutClutter = validation.WithoutClasses(["257.clutter"]).Count;
        Assert.Equal(withoutClutter - 1, c.Train.Count);
        Assert.InRange(c.Validation.Count, withoutClutter / 2, withoutClutter);
        Assert.Contains("The published training, validation and test parts", c.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFile_IsNamed()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("test_f.pt", Assert.ThrowsAny<IOException>(() => ClipFeaturePacks.Make(folder.Path, folder.PathOf("packs"), "")).Message, StringComparison.Ordinal);
    }

    private static string Archive(TemporaryFolder folder, byte[] records)
    {
        string path = folder.PathOf("cifar-10-binary.tar.gz");
        using FileStream file = File.Create(path);
        using GZipStream packed = new(file, CompressionLevel.Fastest);
        using TarWriter tar = new(packed);
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/data_batch_1.bin") { DataStream = new MemoryStream([1, 2, 3]) });
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/test_batch.bin") { DataStream = new MemoryStream(records) });
        return path;
    }

    // Rows were normalised there in another order of operations: a value midway between two of half precision may have gone the other way.
    private static void AssertEqual(float[] expected, float[] actual, string what)
    {
        int differing = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] != actual[i])
            {
                differing++;
                Assert.True((Half)actual[i] == Half.BitIncrement((Half)expected[i]) || (Half)actual[i] == Half.BitDecrement((Half)expected[i]), $"{what}, value {i}: {actual[i]}, expected {expected[i]}");
            }
        }

        Assert.True(differing <= expected.Length / 1000, $"{what}: {differing} of {expected.Length} values differ");
    }

    private static string Plain(string json) => json.StartsWith('[') ? string.Join('\n', System.Text.Json.JsonSerializer.Deserialize<string[]>(json)!) : json;

    private static string Folder(string variable, string what)
    {
        string? folder = Environment.GetEnvironmentVariable(variable);
        Assert.SkipUnless(folder is not null, $"{variable} is unset: it names the folder of {what}.");
        return folder!;
    }
}
