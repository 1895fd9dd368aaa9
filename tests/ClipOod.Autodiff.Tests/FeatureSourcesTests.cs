namespace ClipOod.Autodiff.Tests;

/// <summary>Published feature files, as PyTorch and NumPy of several versions wrote them, against the packs that were made from them.</summary>
public sealed class FeatureSourcesTests
{
    [Theory]
    [InlineData("bunnieslala+IMAS/caches/caltech101/test_f.pt", "tensor", "caltech101-test", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/caltech101/val_f.pt", "tensor", "caltech101-val", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/caltech101/keys_16shots.pt", "tensor", "caltech101-train16shot", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/dtd/test_f.pt", "tensor", "dtd-test", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/dtd/val_f.pt", "tensor", "dtd-val", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/food101/keys_16shots.pt", "tensor", "food101-train16shot", "image_features")]
    [InlineData("bunnieslala+IMAS/caches/imagenet/keys_4shots.pt", "tensor", "imagenet-train4shot", "image_features")]
    [InlineData("rosslea+caltech256-CV/data/ViT-B_32_test.pkl", "clip_embedding", "caltech256-test", "image_features")]
    [InlineData("rosslea+caltech256-CV/data/ViT-B_32_validation.pkl", "clip_embedding", "caltech256-val", "image_features")]
    [InlineData("infinitiveaman+clip-cifar10-search/image_embeddings.pt", "tensor", "cifar10-test500", "image_features")]
    [InlineData("rotem154154+clip_lt/text_features.pt", "tensor", "imagenet-text", "text_features_a_class")]
    [InlineData("rotem154154+clip_lt/text_features2.pt", "tensor", "imagenet-text", "text_features_better_prompt")]
    [InlineData("awaisnazir08+Images-Search-using-Clip/cifar100_text_features.pt", "tensor", "cifar100-text", "text_features")]
    [InlineData("facebookresearch+Detic/datasets/metadata/lvis_v1_clip_a+cname.npy", "tensor", "lvis-text", "text_features")]
    public void TheRows_AreThoseOfThePack(string source, string name, string pack, string features)
    {
        string path = Source(source);
        using SafetensorsFile packed = Pack(pack);
        using TorchFile? torch = path.EndsWith(".npy", StringComparison.Ordinal) ? null : TorchFile.Open(path);
        SafetensorsTensor tensor = torch is null ? NpyFile.Read(path) : torch[name];
        (int rows, int width) = (packed[features].Shape[0], packed[features].Shape[1]);
        bool isTransposed = tensor.Shape[1] == rows;
        Assert.Equal(isTransposed ? [width, rows] : [rows, width], tensor.Shape);
        float[] expected = packed[features].ToSingles();
        float[] values = tensor.ToSingles();
        int differing = 0;
        double[] row = new double[width];
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < width; i++)
            {
                row[i] = values[isTransposed ? (i * rows) + r : (r * width) + i];
            }

            double norm = Math.Sqrt(row.Sum(v => v * v));
            for (int i = 0; i < width; i++)
            {
                (Half stored, Half made) = ((Half)expected[(r * width) + i], (Half)(row[i] / norm));
                if (stored == made)
                {
                    continue;
                }

                // The pack's rows were normalised in single precision: a value midway between two of half precision may have gone the other way.
                differing++;
                Assert.True(stored == Half.BitIncrement(made) || stored == Half.BitDecrement(made), $"row {r}, value {i}: {stored} in the pack, {made} here");
            }
        }

        Assert.InRange(differing, 0, expected.Length / 1000);
    }

    [Theory]
    [InlineData("bunnieslala+IMAS/caches/caltech101/test_l.pt", "caltech101-test")]
    [InlineData("bunnieslala+IMAS/caches/caltech101/val_l.pt", "caltech101-val")]
    [InlineData("bunnieslala+IMAS/caches/caltech101/values_16shots.pt", "caltech101-train16shot")]
    [InlineData("bunnieslala+IMAS/caches/dtd/test_l.pt", "dtd-test")]
    [InlineData("bunnieslala+IMAS/caches/dtd/val_l.pt", "dtd-val")]
    [InlineData("bunnieslala+IMAS/caches/food101/values_16shots.pt", "food101-train16shot")]
    [InlineData("infinitiveaman+clip-cifar10-search/image_labels.npy", "cifar10-test500")]
    public void TheLabels_AreThoseOfThePack(string source, string pack)
    {
        string path = Source(source);
        using SafetensorsFile packed = Pack(pack);
        using TorchFile? torch = path.EndsWith(".npy", StringComparison.Ordinal) ? null : TorchFile.Open(path);
        SafetensorsTensor tensor = torch is null ? NpyFile.Read(path) : torch[TorchFile.SingleName];
        int[] labels = tensor.DType == SafetensorsType.I64
            ? tensor.ToInt32s()
            : [.. tensor.ToSingles().Chunk(tensor.Shape[1]).Select(oneHot => Array.IndexOf(oneHot, 1f))];
        Assert.Equal(packed["labels"].ToInt32s(), labels);
    }

    private static string Source(string name) => Path.Combine(Folder("CLIPOOD_FEATURE_SOURCES", "the published files (feature-sources)"), name);

    private static SafetensorsFile Pack(string name) => Safetensors.Open(Path.Combine(Folder("CLIPOOD_FEATURES", "the packs (clip-features)"), $"{name}.safetensors"));

    private static string Folder(string variable, string what)
    {
        string? folder = Environment.GetEnvironmentVariable(variable);
        Assert.SkipUnless(folder is not null, $"{variable} is unset: it names the folder of {what}.");
        return folder!;
    }
}
