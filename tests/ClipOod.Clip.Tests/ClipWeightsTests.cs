using System.Text.Json.Nodes;
using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "model.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_AfterSave_GivesTheSameModel()
    {
        using ClipModel model = Save();
        using ClipModel loaded = ClipModel.Load(FilePath);
        Assert.Equal(model.Config, loaded.Config with { ImageMean = model.Config.ImageMean, ImageStandardDeviation = model.Config.ImageStandardDeviation });
        Assert.Equal(model.Config.ImageMean, loaded.Config.ImageMean);
        Assert.Equal(model.ModelHash, loaded.ModelHash);
    }

    [Theory]
    [InlineData(SafetensorsType.F16, 1e-3)]
    [InlineData(SafetensorsType.BF16, 8e-3)]
    public void Open_HalfPrecision_GivesTheRoundedValues(SafetensorsType type, double tolerance)
    {
        using ClipModel model = Save();
        Rewrite(tensor => type == SafetensorsType.F16
            ? SafetensorsTensor.FromSinglesAsHalf(tensor.Name, tensor.Shape, tensor.ToSingles())
            : SafetensorsTensor.FromSinglesAsBFloat16(tensor.Name, tensor.Shape, tensor.ToSingles()));
        using ClipWeights weights = ClipWeights.Open(FilePath);
        float[] expected = model.ImageTower.Weights["visual.proj"].Value.Values<float>();
        float[] actual = weights.Values("visual.proj").ToArray();
        Assert.NotEqual(expected, actual);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance * Math.Max(1e-2, Math.Abs(pair.First))));
    }

    [Fact]
    public void Open_WithoutAnyConfiguration_ReadsTheSizesOffTheTensors()
    {
        using ClipModel model = Save();
        Rewrite(tensor => tensor, metadata: null);
        using ClipWeights weights = ClipWeights.Open(FilePath, ClipActivation.Gelu);

        // Heads leave no trace in the shapes; at this width one of 64 at most is taken.
        ClipConfig expected = Tiny.Config with { Vision = Tiny.Config.Vision with { Heads = 1 }, Text = Tiny.Config.Text with { Heads = 1 } };
        Assert.Equal(expected, weights.Config);
        Assert.Equal(ClipLayout.OpenAi, weights.Layout);
    }

    [Theory]
    [InlineData("ViT-H-14")]
    [InlineData("ViT-bigG-14")]
    public void UsualHeads_OfTheWidestTowers_AreThePublishedOnes(string name)
    {
        ClipConfig config = ClipConfig.Named(name);
        Assert.Equal(config.Vision.Heads, ClipConfig.UsualHeads(c => c.Vision, config.Vision.Width, config.Vision.Layers));
        Assert.Equal(config.Text.Heads, ClipConfig.UsualHeads(c => c.Text, config.Text.Width, config.Text.Layers));
    }

    [Fact]
    public void Open_MissingWrongAndUnknownTensors_AreAllListed()
    {
        Save().Dispose();
        Rewrite(tensor => tensor.Name switch
        {
            "visual.proj" => null,
            "ln_final.bias" => SafetensorsTensor.FromSingles(tensor.Name, [31], new float[31]),
            "text_projection" => SafetensorsTensor.FromInt32s(tensor.Name, tensor.Shape, new int[tensor.Count]),
            "visual.class_embedding" => SafetensorsTensor.FromSingles("visual.class", tensor.Shape, tensor.ToSingles()),
            _ => tensor,
        });
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath));
        Assert.StartsWith($"{FilePath}: 5 tensors do not fit the model", error.Message, StringComparison.Ordinal);
        Assert.Contains("'visual.proj': expected [32, 16], found none", error.Message, StringComparison.Ordinal);
        Assert.Contains("'ln_final.bias': expected [32], found [31]", error.Message, StringComparison.Ordinal);
        Assert.Contains("'text_projection': expected BF16, F16, F32 or F64, found I32", error.Message, StringComparison.Ordinal);
        Assert.Contains("'visual.class_embedding': expected [32], found none", error.Message, StringComparison.Ordinal);
        Assert.Contains("'visual.class': expected none, found [32]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AConfigurationThatContradictsTheWeights_IsRefused()
    {
        Save().Dispose();
        File.WriteAllText(Path.Combine(_folder.Path, "open_clip_config.json"), Tiny.OpenClipConfig(ClipActivation.Gelu));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath));
        Assert.Contains("'visual.conv1.weight': expected [128, 3, 8, 8], found [32, 3, 8, 8]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AnActivationThatContradictsTheConfiguration_IsRefused()
    {
        Save().Dispose();
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath, ClipActivation.QuickGelu));
        Assert.Contains("QuickGelu was asked for, but", error.Message, StringComparison.Ordinal);
        Assert.Contains("says Gelu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AnUnknownActivation_IsAskedFor()
    {
        Save().Dispose();
        Rewrite(tensor => tensor, metadata: null);
        Assert.Contains("the activation is not known", Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OpenAisWeights_AreQuickGeluAndRefuseGelu()
    {
        Save().Dispose();
        SafetensorsTensor[] marks =
            [SafetensorsTensor.FromInt64s("input_resolution", [], [16]), SafetensorsTensor.FromInt64s("context_length", [], [12]), SafetensorsTensor.FromInt64s("vocab_size", [], [600])];
        Rewrite(tensor => tensor, metadata: null, marks);
        using (ClipWeights weights = ClipWeights.Open(FilePath))
        {
            Assert.Equal(ClipActivation.QuickGelu, weights.Config.Activation);
        }

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath, ClipActivation.Gelu));
        Assert.Contains("these are OpenAI's weights (it holds 'context_length'), which need QuickGelu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_HuggingFacesOpenAiModelWithGelu_IsRefused()
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(References.ClipGolden("tiny-huggingface.config.json")))!;
        config["_name_or_path"] = "openai/clip-vit-base-patch32";
        config["vision_config"]!["hidden_act"] = "gelu";
        config["text_config"]!["hidden_act"] = "gelu";
        string path = _folder.Write("config.json", config.ToJsonString());
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(References.ClipGolden("tiny-huggingface.safetensors"), config: path));
        Assert.Contains("OpenAI's weights", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TheHuggingFaceFileAsItIs_FindsTheConfigurationNamedLikeIt()
    {
        using ClipWeights weights = ClipWeights.Open(References.ClipGolden("tiny-huggingface.safetensors"));
        Assert.Equal(ClipActivation.QuickGelu, weights.Config.Activation);
        Assert.Equal(4, weights.Config.Text.Heads);
        Assert.Equal(ClipLayout.HuggingFace, weights.Layout);
    }

    [Fact]
    public void Load_OpenClipsCustomTextLayout_GivesTheModelOfOpenAisLayout()
    {
        using ClipModel openAi = Tiny.Load(_folder, "openai", "gelu", "openclip");
        using SafetensorsFile file = Safetensors.Open(References.ClipGolden("tiny-openai.safetensors"));
        Safetensors.Write(FilePath, file.Names.Select(name => Renamed(file[name])));
        _folder.Write("open_clip_config.json", Tiny.OpenClipConfig(ClipActivation.Gelu));
        using ClipWeights weights = ClipWeights.Open(FilePath);
        Assert.Equal(ClipLayout.OpenClipCustomText, weights.Layout);
        using ClipModel model = ClipModel.Load(_folder.Path);
        Assert.Equal(openAi.ModelHash, model.ModelHash);

        Rewrite(tensor => tensor.Name == "text.ln_final.bias" ? null : tensor);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath));
        Assert.Contains("1 tensors do not fit", error.Message, StringComparison.Ordinal);
        Assert.Contains("'text.ln_final.bias': expected [64], found none", error.Message, StringComparison.Ordinal);

        static SafetensorsTensor Renamed(SafetensorsTensor tensor) => tensor.Name.StartsWith("visual.", StringComparison.Ordinal) || tensor.Name == "logit_scale"
            ? tensor
            : SafetensorsTensor.FromSingles($"text.{tensor.Name}", tensor.Shape, tensor.ToSingles());
    }

    [Theory]
    [InlineData("{", "expected the configuration of a CLIP model")]
    [InlineData("""{"activation":"relu"}""", "there is no activation 'relu'")]
    [InlineData("""{"embed_dim":"wide"}""", "expected the configuration")]
    [InlineData("""{"model_cfg":{"vision_cfg":{"timm_model_name":"convnext"}}}""", "its tower 'convnext'")]
    [InlineData("""{"model_cfg":{"vision_cfg":{"pool_type":"avg"}}}""", "vision_cfg.pool_type is avg, expected tok")]
    [InlineData("""{"model_cfg":{"text_cfg":{"pool_type":"argmax","no_causal_mask":true}}}""", "text_cfg.no_causal_mask is true, expected false")]
    [InlineData("""{"vision_config":{"hidden_act":"gelu"},"text_config":{"hidden_act":"quick_gelu"}}""", "activations differ")]
    public void Open_ABadConfiguration_SaysWhatIsWrong(string json, string reason)
    {
        Save().Dispose();
        string path = _folder.Write("model.config.json", json);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OtherTensors_SaysThatTheyAreNoClipModel()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromSingles("fc.weight", [1], [1])]);
        Assert.Contains("no weights of a CLIP model", Assert.Throws<InvalidDataException>(() => ClipWeights.Open(FilePath, ClipActivation.Gelu)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AFolderWithoutWeights_SaysWhatIsExpected() =>
        Assert.Contains("expected model.safetensors or", Assert.Throws<FileNotFoundException>(() => ClipWeights.Open(_folder.Path)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_ATokenizerOfAnotherSize_IsRefused()
    {
        Save().Dispose();
        ArgumentException error = Assert.Throws<ArgumentException>(() => ClipModel.Load(FilePath, tokenizer: ClipTokenizer.FromMerges(["a b"])));
        Assert.Contains("The tokenizer has 515 tokens, the model 600", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OpenClipsPreprocessing_IsRead()
    {
        using ClipModel model = Tiny.Load(_folder, "openai", "gelu", "openclip");
        Assert.Equal([0.5, 0.5, 0.5], model.ImageProcessor.Mean);
    }

    private ClipModel Save()
    {
        ClipModel model = ClipModel.Create(Tiny.Config, seed: 1);
        model.Save(FilePath);
        return model;
    }

    private void Rewrite(Func<SafetensorsTensor, SafetensorsTensor?> change, params SafetensorsTensor[] more)
    {
        using SafetensorsFile file = Safetensors.Open(FilePath);
        Rewrite(change, file.Metadata, more);
    }

    private void Rewrite(Func<SafetensorsTensor, SafetensorsTensor?> change, IReadOnlyDictionary<string, string>? metadata, params SafetensorsTensor[] more)
    {
        using SafetensorsFile file = Safetensors.Open(FilePath);
        Safetensors.Write(FilePath, file.Names.Select(name => change(file[name])).OfType<SafetensorsTensor>().Concat(more), metadata);
    }
}
