namespace ClipOod.Clip.Tests;

/// <summary>The smallest CLIP in the files that OpenAI, Hugging Face and CLIPN publish: tests/torch/make.py wrote them with PyTorch.</summary>
public sealed class ClipTorchTests : IDisposable
{
    private const string HuggingFaceConfig = """{"vision_config":{"hidden_act":"quick_gelu"},"text_config":{"hidden_act":"quick_gelu"}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("openai.pt", ClipLayout.OpenAi)]
    [InlineData("openai-state.pth", ClipLayout.OpenAi)]
    [InlineData("clipn.pt", ClipLayout.OpenAi)]
    [InlineData("huggingface/pytorch_model.bin", ClipLayout.HuggingFace)]
    public void Load_GivesTheValuesThatPyTorchSaved(string name, ClipLayout layout)
    {
        string path = _folder.Write(Path.GetFileName(name), File.ReadAllBytes(Committed(name)));
        bool isHuggingFace = layout == ClipLayout.HuggingFace;
        if (isHuggingFace)
        {
            _folder.Write("config.json", HuggingFaceConfig);
        }

        using (ClipWeights weights = ClipWeights.Open(isHuggingFace ? _folder.Path : path, name == "clipn.pt" ? ClipActivation.QuickGelu : null))
        {
            Assert.Equal(path, weights.Path);
            Assert.Equal(layout, weights.Layout);
            Assert.Equal(ClipActivation.QuickGelu, weights.Config.Activation);
            Assert.Equal((8, 4, 4, 5, 20), (weights.Config.ImageSize, weights.Config.PatchSize, weights.Config.EmbeddingWidth, weights.Config.ContextLength, weights.Config.VocabularySize));
            string[] names = [.. weights.Config.TensorShapes.Keys.Order(StringComparer.Ordinal)];
            Assert.Equal(38, names.Length);
            Assert.All(names, (tensor, number) => Assert.Equal(Values(number, weights.Config.TensorShapes[tensor]), weights.Values(tensor).ToArray()));
        }

        using ClipModel model = ClipModel.Load(path, ClipActivation.QuickGelu);
        using ClipModel other = ClipModel.Load(Committed("openai.pt"));
        Assert.Equal(other.ModelHash, model.ModelHash);
    }

    [Fact]
    public void Load_OpenAisArchiveWithGelu_IsRefused() => Assert.Contains(
        "these are OpenAI's weights (it holds 'context_length')",
        Assert.Throws<InvalidDataException>(() => ClipWeights.Open(Committed("openai.pt"), ClipActivation.Gelu)).Message, StringComparison.Ordinal);

    [Fact]
    public void NoTextTower_OfClipnsCheckpoint_HasItsEncoderAndPrompts()
    {
        using ClipModel model = ClipModel.Load(Committed("clipn.pt"), ClipActivation.QuickGelu);
        ClipNoTextTower no = ClipNoTextTower.Load(model, Committed("clipn.pt"));
        Assert.Equal([2, 5, 8], no.Prompts.Shape.Select(size => size.Size));
        Assert.Equal(Values(0, [2, 5, 8]), no.Prompts.Value.Values<float>());
        Assert.NotEmpty(no.Tower.Weights);
        Assert.All(no.Tower.Weights, entry => Assert.Equal(
            model.TextTower.Weights[entry.Key].Value.Values<float>().Select(value => value + 1), entry.Value.Value.Values<float>()));
    }

    [Fact]
    public void NoTextTower_OfACheckpointWithoutOne_SaysWhatIsMissing()
    {
        using ClipModel model = ClipModel.Load(Committed("openai.pt"));
        Assert.Contains("'no_prompt': expected [5, 8], found none",
            Assert.Throws<InvalidDataException>(() => ClipNoTextTower.Load(model, Committed("openai-state.pth"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hostile.pt", "asks for 'posix.system'")]
    [InlineData("state.pt", "no weights of a CLIP model")]
    public void Load_OtherTorchFiles_AreRefused(string name, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => ClipModel.Load(Committed(name))).Message, StringComparison.Ordinal);

    private static string Committed(string name) => Path.Combine(Repository.Root, "tests", "torch", name);

    /// <summary>The formula of make.py.</summary>
    private static float[] Values(int number, IReadOnlyList<int> shape) =>
        [.. Enumerable.Range(0, shape.Aggregate(1, (product, extent) => product * extent)).Select(i => ((((7 * i) + (13 * number)) % 101) - 50) / 64f)];
}
