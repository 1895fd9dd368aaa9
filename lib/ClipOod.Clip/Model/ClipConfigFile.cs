using System.Text.Json;

namespace ClipOod.Clip;

/// <summary>
/// What a configuration says about a model; null where it says nothing. Three forms are read: Hugging Face's config.json, OpenCLIP's
/// open_clip_config.json, and a flat one with the argument names of OpenAI's constructor, which safetensors metadata hold.
/// </summary>
internal sealed record ClipConfigFile
{
    private const string QuickGeluName = "quick_gelu";
    private const string GeluName = "gelu";

    // Options of OpenCLIP that need no other tensors but compute otherwise, with what they are in CLIP.
    private static readonly (string Name, string Usual)[] _visionOptions =
        [("pool_type", "tok"), ("no_ln_pre", "false"), ("attentional_pool", "false"), ("norm_kwargs", "{}"), ("act_kwargs", "{}")];

    private static readonly (string Name, string Usual)[] _textOptions =
        [("pool_type", "argmax"), ("no_causal_mask", "false"), ("embed_cls", "false"), ("norm_kwargs", "{}"), ("act_kwargs", "{}")];

    /// <summary>Where it was read, for messages.</summary>
    public string Source { get; private init; } = "no configuration";

    public int? EmbeddingWidth { get; private init; }

    public int? ImageSize { get; private init; }

    public int? PatchSize { get; private init; }

    public int? ContextLength { get; private init; }

    public int? VocabularySize { get; private init; }

    public Tower Vision { get; private init; } = new();

    public Tower Text { get; private init; } = new();

    public ClipActivation? Activation { get; private init; }

    public double? LayerNormEpsilon { get; private init; }

    public double[]? Mean { get; private init; }

    public double[]? StandardDeviation { get; private init; }

    /// <summary>Whether it says that the weights are OpenAI's, which work with QuickGELU only.</summary>
    public bool IsOpenAi { get; private init; }

    /// <summary>Reads a configuration of any of the three forms.</summary>
    /// <exception cref="InvalidDataException">It is no JSON object, or a value is of the wrong kind, or describes a model that is not supported.</exception>
    public static ClipConfigFile Parse(string json, string source)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            ClipConfigFile config = root.TryGetProperty("model_cfg", out JsonElement openClip) ? OpenClip(openClip, Child(root, "preprocess_cfg"))
                : root.TryGetProperty("vision_config", out JsonElement vision) ? HuggingFace(root, vision, Child(root, "text_config"))
                : Flat(root);
            return config with { Source = source };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            throw new InvalidDataException($"{source}: expected the configuration of a CLIP model with a vision transformer: {error.Message}", error);
        }
    }

    /// <summary>The same with the mean and deviation of Hugging Face's preprocessor_config.json.</summary>
    public ClipConfigFile WithPreprocessor(string json, string source)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return this with { Mean = Numbers(document.RootElement, "image_mean"), StandardDeviation = Numbers(document.RootElement, "image_std") };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source}: expected JSON with image_mean and image_std: {error.Message}", error);
        }
    }

    /// <summary>The flat form of a model, for metadata.</summary>
    public static string Write(ClipConfig config) => JsonSerializer.Serialize(new SortedDictionary<string, object>(StringComparer.Ordinal)
    {
        ["embed_dim"] = config.EmbeddingWidth,
        ["image_resolution"] = config.ImageSize,
        ["vision_patch_size"] = config.PatchSize,
        ["vision_width"] = config.Vision.Width,
        ["vision_layers"] = config.Vision.Layers,
        ["vision_heads"] = config.Vision.Heads,
        ["vision_mlp_width"] = config.Vision.MlpWidth,
        ["context_length"] = config.ContextLength,
        ["vocab_size"] = config.VocabularySize,
        ["transformer_width"] = config.Text.Width,
        ["transformer_layers"] = config.Text.Layers,
        ["transformer_heads"] = config.Text.Heads,
        ["transformer_mlp_width"] = config.Text.MlpWidth,
        ["activation"] = config.Activation == ClipActivation.QuickGelu ? QuickGeluName : GeluName,
        ["layer_norm_eps"] = config.LayerNormEpsilon,
        ["image_mean"] = config.ImageMean,
        ["image_std"] = config.ImageStandardDeviation,
    });

    private static ClipConfigFile Flat(JsonElement root) => new()
    {
        EmbeddingWidth = Int(root, "embed_dim"),
        ImageSize = Int(root, "image_resolution"),
        PatchSize = Int(root, "vision_patch_size"),
        ContextLength = Int(root, "context_length"),
        VocabularySize = Int(root, "vocab_size"),
        Vision = new(Int(root, "vision_width"), Int(root, "vision_layers"), Int(root, "vision_heads"), Int(root, "vision_mlp_width")),
        Text = new(Int(root, "transformer_width"), Int(root, "transformer_layers"), Int(root, "transformer_heads"), Int(root, "transformer_mlp_width")),
        Activation = ActivationOf(String(root, "activation")),
        LayerNormEpsilon = Number(root, "layer_norm_eps"),
        Mean = Numbers(root, "image_mean"),
        StandardDeviation = Numbers(root, "image_std"),
    };

    private static ClipConfigFile HuggingFace(JsonElement root, JsonElement vision, JsonElement text)
    {
        Tower tower(JsonElement part) => new(
            Int(part, "hidden_size"), Int(part, "num_hidden_layers"), Int(part, "num_attention_heads"), Int(part, "intermediate_size"));
        string? visionActivation = String(vision, "hidden_act");
        string? textActivation = String(text, "hidden_act");
        return visionActivation == textActivation
            ? new()
            {
                EmbeddingWidth = Int(root, "projection_dim"),
                ImageSize = Int(vision, "image_size"),
                PatchSize = Int(vision, "patch_size"),
                ContextLength = Int(text, "max_position_embeddings"),
                VocabularySize = Int(text, "vocab_size"),
                Vision = tower(vision),
                Text = tower(text),

                // QuickGELU is CLIPConfig's default there, which files leave out.
                Activation = ActivationOf(visionActivation ?? QuickGeluName),
                LayerNormEpsilon = Number(vision, "layer_norm_eps"),
                IsOpenAi = String(root, "_name_or_path")?.StartsWith("openai/", StringComparison.Ordinal) ?? false,
            }
            : throw new NotSupportedException($"the towers' activations differ: '{visionActivation}' and '{textActivation}'.");
    }

    private static ClipConfigFile OpenClip(JsonElement model, JsonElement preprocessing)
    {
        JsonElement vision = Child(model, "vision_cfg");
        JsonElement text = Child(model, "text_cfg");
        string? other = String(vision, "timm_model_name") ?? String(text, "hf_model_name");
        if (other is not null)
        {
            throw new NotSupportedException($"its tower '{other}' is none of CLIP's own transformers.");
        }

        RequireUsual(vision, "vision_cfg", _visionOptions);
        RequireUsual(text, "text_cfg", _textOptions);
        int? visionWidth = Int(vision, "width");
        int? textWidth = Int(text, "width");
        return new()
        {
            EmbeddingWidth = Int(model, "embed_dim"),
            ImageSize = Int(vision, "image_size"),
            PatchSize = Int(vision, "patch_size"),
            ContextLength = Int(text, "context_length"),
            VocabularySize = Int(text, "vocab_size"),
            Vision = new(visionWidth, Int(vision, "layers"), visionWidth / (Int(vision, "head_width") ?? 64), MlpWidth(vision, visionWidth)),
            Text = new(textWidth, Int(text, "layers"), Int(text, "heads"), MlpWidth(text, textWidth)),
            Activation = model.TryGetProperty(QuickGeluName, out JsonElement quick) && quick.GetBoolean() ? ClipActivation.QuickGelu : ClipActivation.Gelu,
            Mean = Numbers(preprocessing, "mean"),
            StandardDeviation = Numbers(preprocessing, "std"),
        };
    }

    private static void RequireUsual(JsonElement tower, string towerName, (string Name, string Usual)[] options)
    {
        foreach ((string name, string usual) in options)
        {
            string? said = Present(tower, name)?.GetRawText().Trim('"');
            if (said is not null && said != usual)
            {
                throw new NotSupportedException($"{towerName}.{name} is {said}, expected {usual} as CLIP has it: with the same tensors it is another model.");
            }
        }
    }

    // open_clip truncates.
    private static int? MlpWidth(JsonElement tower, int? width) => (int?)(width * (Number(tower, "mlp_ratio") ?? 4));

    private static ClipActivation? ActivationOf(string? name) => name switch
    {
        null => null,
        QuickGeluName => ClipActivation.QuickGelu,
        GeluName => ClipActivation.Gelu,
        _ => throw new NotSupportedException($"there is no activation '{name}' here, expected {QuickGeluName} or {GeluName}."),
    };

    private static JsonElement Child(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement child) ? child : default;

    private static JsonElement? Present(JsonElement parent, string name) =>
        Child(parent, name) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } child ? child : null;

    private static int? Int(JsonElement parent, string name) => Present(parent, name) switch
    {
        { ValueKind: JsonValueKind.Array } sides => sides.EnumerateArray().Select(side => side.GetInt32()).Distinct().ToArray() is [int side]
            ? side
            : throw new NotSupportedException($"{name} is {sides.GetRawText()}, expected equal sides."),
        { } value => value.GetInt32(),
        null => null,
    };

    private static double? Number(JsonElement parent, string name) => Present(parent, name)?.GetDouble();

    private static string? String(JsonElement parent, string name) => Present(parent, name)?.GetString();

    private static double[]? Numbers(JsonElement parent, string name) =>
        Present(parent, name) is { } array ? [.. array.EnumerateArray().Select(number => number.GetDouble())] : null;

    /// <summary>What a configuration says about a tower.</summary>
    internal sealed record Tower(int? Width = null, int? Layers = null, int? Heads = null, int? MlpWidth = null);
}
