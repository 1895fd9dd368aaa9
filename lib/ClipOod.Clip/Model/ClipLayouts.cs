namespace ClipOod.Clip;

/// <summary>The names under which the tensors of a CLIP model are stored.</summary>
public enum ClipLayout
{
    /// <summary>OpenAI's and OpenCLIP's names, such as <c>visual.transformer.resblocks.0.attn.in_proj_weight</c>.</summary>
    OpenAi,

    /// <summary>
    /// Hugging Face's names, such as <c>vision_model.encoder.layers.0.self_attn.q_proj.weight</c>: query, key and value apart, and
    /// the projections transposed.
    /// </summary>
    HuggingFace,

    /// <summary>
    /// The names of OpenCLIP's models with a text tower of their own (its <c>CustomTextCLIP</c>): OpenAI's, those of the text tower after
    /// <c>text.</c>, such as <c>text.transformer.resblocks.0.attn.in_proj_weight</c>.
    /// </summary>
    OpenClipCustomText,
}

/// <summary>The tensors of a model in each layout. OpenAI's is the one the library works with.</summary>
internal static class ClipLayouts
{
    private const string VisionPrefix = "visual.";
    private const string LogitScale = "logit_scale";

    /// <summary>The tensors of the image tower.</summary>
    public static IEnumerable<(string Name, int[] Shape)> VisionTensors(ClipConfig config)
    {
        int width = config.Vision.Width;
        return
        [
            ($"{VisionPrefix}class_embedding", [width]),
            ($"{VisionPrefix}conv1.weight", [width, 3, config.PatchSize, config.PatchSize]),
            ($"{VisionPrefix}positional_embedding", [config.Patches + 1, width]),
            .. Norm($"{VisionPrefix}ln_pre", width),
            .. Blocks(VisionPrefix, config.Vision),
            .. Norm($"{VisionPrefix}ln_post", width),
            ($"{VisionPrefix}proj", [width, config.EmbeddingWidth]),
        ];
    }

    /// <summary>The tensors of the text tower.</summary>
    public static IEnumerable<(string Name, int[] Shape)> TextTensors(ClipConfig config)
    {
        int width = config.Text.Width;
        return
        [
            ("token_embedding.weight", [config.VocabularySize, width]),
            ("positional_embedding", [config.ContextLength, width]),
            .. Blocks("", config.Text),
            .. Norm("ln_final", width),
            ("text_projection", [width, config.EmbeddingWidth]),
        ];
    }

    /// <summary>How a tensor is stored: the tensors to put one below the other, and whether their axes are exchanged.</summary>
    public static (string[] Names, bool Transposed) Stored(string name, ClipLayout layout)
    {
        if (layout == ClipLayout.OpenAi)
        {
            return ([name], false);
        }

        bool vision = name.StartsWith(VisionPrefix, StringComparison.Ordinal);
        if (layout == ClipLayout.OpenClipCustomText)
        {
            return ([vision || name == LogitScale ? name : $"text.{name}"], false);
        }

        string tower = vision ? "vision_model" : "text_model";
        string rest = vision ? name[VisionPrefix.Length..] : name;
        if (rest.StartsWith("transformer.resblocks.", StringComparison.Ordinal))
        {
            string[] parts = rest.Split('.', 4);
            string layer = $"{tower}.encoder.layers.{parts[2]}";
            return parts[3] switch
            {
                "attn.in_proj_weight" => (InProjections(layer, "weight"), false),
                "attn.in_proj_bias" => (InProjections(layer, "bias"), false),
                string other => ([$"{layer}.{other
                    .Replace("attn.out_proj", "self_attn.out_proj", StringComparison.Ordinal)
                    .Replace("ln_1", "layer_norm1", StringComparison.Ordinal)
                    .Replace("ln_2", "layer_norm2", StringComparison.Ordinal)
                    .Replace("mlp.c_fc", "mlp.fc1", StringComparison.Ordinal)
                    .Replace("mlp.c_proj", "mlp.fc2", StringComparison.Ordinal)}"], false),
            };
        }

        return rest switch
        {
            "proj" => (["visual_projection.weight"], true),
            "text_projection" => (["text_projection.weight"], true),
            LogitScale => ([LogitScale], false),
            "class_embedding" => ([$"{tower}.embeddings.class_embedding"], false),
            "conv1.weight" => ([$"{tower}.embeddings.patch_embedding.weight"], false),
            "token_embedding.weight" => ([$"{tower}.embeddings.token_embedding.weight"], false),
            "positional_embedding" => ([$"{tower}.embeddings.position_embedding.weight"], false),

            // The misspelt name is the published one.
            _ => ([$"{tower}.{rest
                .Replace("ln_pre", "pre_layrnorm", StringComparison.Ordinal)
                .Replace("ln_post", "post_layernorm", StringComparison.Ordinal)
                .Replace("ln_final", "final_layer_norm", StringComparison.Ordinal)}"], false),
        };
    }

    private static string[] InProjections(string layer, string what) =>
        [.. new[] { "q", "k", "v" }.Select(part => $"{layer}.self_attn.{part}_proj.{what}")];

    private static IEnumerable<(string Name, int[] Shape)> Blocks(string prefix, ClipTransformerSizes sizes) =>
        from layer in Enumerable.Range(0, sizes.Layers)
        from tensor in Block($"{prefix}transformer.resblocks.{layer}", sizes)
        select tensor;

    private static (string Name, int[] Shape)[] Block(string block, ClipTransformerSizes sizes) =>
    [
        .. Norm($"{block}.ln_1", sizes.Width),
        ($"{block}.attn.in_proj_weight", [3 * sizes.Width, sizes.Width]),
        ($"{block}.attn.in_proj_bias", [3 * sizes.Width]),
        .. Linear($"{block}.attn.out_proj", sizes.Width, sizes.Width),
        .. Norm($"{block}.ln_2", sizes.Width),
        .. Linear($"{block}.mlp.c_fc", sizes.MlpWidth, sizes.Width),
        .. Linear($"{block}.mlp.c_proj", sizes.Width, sizes.MlpWidth),
    ];

    private static (string Name, int[] Shape)[] Norm(string name, int width) =>
        [($"{name}.weight", [width]), ($"{name}.bias", [width])];

    private static (string Name, int[] Shape)[] Linear(string name, int outputs, int inputs) =>
        [($"{name}.weight", [outputs, inputs]), ($"{name}.bias", [outputs])];
}
