namespace ClipOod.Clip;

/// <content>The published models.</content>
public sealed partial record ClipConfig
{
    // Sizes: open_clip's model_configs/*.json. The widest image towers have heads of 80, 88 and 104 and MLP ratios that are
    // no whole number; the resulting widths are given here.
    private static readonly SortedDictionary<string, ClipConfig> _openClip = WithQuickGelu(new(StringComparer.Ordinal)
    {
        ["ViT-B-16"] = Usual(512, 224, 16, 768, 12, 512, 12),
        ["ViT-B-32"] = Usual(512, 224, 32, 768, 12, 512, 12),
        ["ViT-L-14"] = Usual(768, 224, 14, 1024, 24, 768, 12),
        ["ViT-L-14-336"] = Usual(768, 336, 14, 1024, 24, 768, 12),
        ["ViT-H-14"] = Usual(1024, 224, 14, 1280, 32, 1024, 24) with { Vision = new(1280, 32, 16, 5120) },
        ["ViT-g-14"] = Usual(1024, 224, 14, 1408, 40, 1024, 24) with { Vision = new(1408, 40, 16, 6144) },
        ["ViT-bigG-14"] = Usual(1280, 224, 14, 1664, 48, 1280, 32) with { Vision = new(1664, 48, 16, 8192) },
    });

    // OpenAI's own names (clip.available_models()) of the vision transformers.
    private static readonly SortedDictionary<string, string> _openAi = new(StringComparer.Ordinal)
    {
        ["ViT-B/16"] = "ViT-B-16-quickgelu",
        ["ViT-B/32"] = "ViT-B-32-quickgelu",
        ["ViT-L/14"] = "ViT-L-14-quickgelu",
        ["ViT-L/14@336px"] = "ViT-L-14-336-quickgelu",
    };

    private static ClipConfig Usual(int embedding, int image, int patch, int visionWidth, int visionLayers, int textWidth, int textLayers) => new()
    {
        EmbeddingWidth = embedding,
        ImageSize = image,
        PatchSize = patch,
        Vision = ClipTransformerSizes.Usual(visionWidth, visionLayers),
        Text = ClipTransformerSizes.Usual(textWidth, textLayers),
        Activation = ClipActivation.Gelu,
    };

    private static SortedDictionary<string, ClipConfig> WithQuickGelu(SortedDictionary<string, ClipConfig> models)
    {
        foreach ((string name, ClipConfig config) in models.ToArray())
        {
            models.Add($"{name}-quickgelu", config with { Activation = ClipActivation.QuickGelu });
        }

        return models;
    }

    /// <summary>The heads of a tower known by its shapes only: those of the published tower of these sizes, else heads of 64.</summary>
    internal static int UsualHeads(Func<ClipConfig, ClipTransformerSizes> tower, int width, int layers) =>
        _openClip.Values.Select(tower).FirstOrDefault(sizes => sizes.Width == width && sizes.Layers == layers)?.Heads
        ?? ClipTransformerSizes.Usual(width, layers).Heads;
}
