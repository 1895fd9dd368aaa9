using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

public sealed class EncodedWorldTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ClipModel _model = TinyClip.Create();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Open_WithoutItsParts_NamesThemAndTheCommands()
    {
        string message = Assert.Throws<WorldNotFoundException>(() => EncodedWorld.Open("clip-vit-b-32", _folder.PathOf("features"), 0)).Message;

        Assert.Contains("lacks cifar10-train.safetensors, cifar10-test.safetensors, cifar10-text.safetensors, food101-train", message, StringComparison.Ordinal);
        Assert.Contains("clipood fetch openai-vit-b-32 cifar10 food101 caltech256 caltech101 dtd", message, StringComparison.Ordinal);
        Assert.Contains("clipood encode --model openai-vit-b-32 --data cifar10 --data food101 --data caltech256 --data caltech101 --data dtd", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_GivesTheRolesOfTheOtherWorlds_WithPixelsAndModel()
    {
        string features = EncodeAll();

        World world = EncodedWorld.Open("tiny", features, 0);

        Assert.Equal(["A", "B", "C", "Large"], world.Datasets.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((18, 2, 20), (world.A.Train.Count, world.A.Validation.Count, world.A.Test.Count));
        Assert.Equal((32, 8), (world.B.Train.Count + world.B.Validation.Count, world.B.Test.Count));
        Assert.Equal((34, 6), (world.C.Train.Count + world.C.Validation.Count, world.C.Test.Count));
        Assert.Equal(6, world.Large.NumClasses);
        Assert.Equal(["near", "textures"], world.Ood.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((6, 14), (world.OodValidation["near"].Count, world.Ood["near"].Count));
        Assert.True(world.HasEncoder);
        Assert.False(world.CanDraw);
        Assert.Equal(Math.Exp(_model.LogitScale.Value.ToDouble()), world.LogitScale, 1e-12);
        Assert.Equal(_model.ModelHash, world.Encoder.Model.ModelHash);
        Assert.Contains(world.Text("words").Classes, word => word == "bicycle");

        // The pixels are those that the model saw.
        FeatureSet test = world.B.Test;
        FeatureSet again = world.Encoder.Encode(test.Name, test.Split, test.Images!, test.Labels, test.Classes);
        Assert.All(test.Features.Values.ToArray().Zip(again.Features.Values.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.Equal(16, world.Large.Train.Images!.Width);
        Bench bench = world.Bench("A");
        Assert.Null(DetectorCatalog.Of("gl-mcm").Missing(bench.Known));
        (IdScores id, IdScores ood) = bench.Score(DetectorCatalog.Of("gl-mcm"), "near");
        Assert.Equal((20, 14), (id.Count, ood.Count));
    }

    [Fact]
    public void Open_WithoutTheImages_GivesFeaturesOnly()
    {
        string features = EncodeAll();
        Directory.Delete(_folder.PathOf("images"), recursive: true);

        World world = EncodedWorld.Open("tiny", features, 0);

        Assert.False(world.HasEncoder);
        Assert.Null(world.A.Test.Images);
        Assert.Contains("there is no encoder", world.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_ThatHaveChanged_AreNotShownForTheOldOnes()
    {
        string features = EncodeAll();
        File.Delete(Path.Combine(_folder.PathOf("images"), "cifar10", "test", "cat", "0000.png"));

        World world = EncodedWorld.Open("tiny", features, 0);

        Assert.Contains("others than those that were encoded", Assert.Throws<InvalidDataException>(() => world.A.Test.Images).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfPartsOfTwoModels_IsRefused()
    {
        string features = EncodeAll();
        string path = Path.Combine(features, "dtd-test1.safetensors");
        Dictionary<string, string> metadata;
        SafetensorsTensor[] tensors;
        using (SafetensorsFile file = Safetensors.Open(path))
        {
            metadata = new(file.Metadata) { ["precision"] = "INT8" };
            tensors = [.. file.Names.Select(name => file[name])];
            Safetensors.Write(path, tensors, metadata);
        }

        Assert.Contains("precision is INT8, expected FP32", Assert.Throws<InvalidDataException>(() => EncodedWorld.Open("tiny", features, 0)).Message, StringComparison.Ordinal);
    }

    private string EncodeAll()
    {
        string features = _folder.PathOf("features");
        Directory.CreateDirectory(features);
        string weights = Directory.CreateDirectory(_folder.PathOf("weights")).FullName;
        _model.Save(Path.Combine(weights, "model.safetensors"));
        EncodedSets.WritePath(features, EncodedSets.ModelPath, weights);
        string[] classes = ["cat", "dog"];
        foreach ((string role, string data, string[] splits) in EncodedWorld.Parts)
        {
            string images = Path.Combine(_folder.PathOf("images"), data);
            foreach ((int i, string split) in splits.Index())
            {
                string[] own = role is "A" ? classes : [$"{data}_1", $"{data}_2"];
                string folder = splits is ["all"] ? images : Path.Combine(images, split);
                TinyClip.WriteImages(folder, own, role switch { "A" => 10, "B" => 10, "C" => 20, _ => 10 }, seed: i + data.Length);
                EncodingJob job = new(_model, "tiny", LocalImages.Open(images, split), data, 0, features);
                EncodedSets.Merge([job.Run(EncodingShard.All)], job.Target, out _);
                Directory.Delete(Path.ChangeExtension(job.Target, EncodedChunks.Ending), recursive: true);
                EncodedSets.WritePath(features, EncodedSets.FileName(data, split), images);
                if (role.Length == 1 && i == 0)
                {
                    EncodedTexts.Write(_model, "tiny", data, job.Plan.Classes, features);
                }
            }
        }

        EncodedTexts.Write(_model, "tiny", EncodedTexts.Words, ["bicycle", "apple"], features);
        return features;
    }
}
