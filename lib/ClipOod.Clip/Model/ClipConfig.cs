namespace ClipOod.Clip;

/// <summary>The activation of the towers' MLPs. Weights work with the one that they were trained with, and silently worse with the other.</summary>
public enum ClipActivation
{
    /// <summary>x σ(1.702 x), of OpenAI's weights.</summary>
    QuickGelu,

    /// <summary>x Φ(x), of most OpenCLIP weights, LAION's among them.</summary>
    Gelu,
}

/// <summary>The sizes of one tower's transformer.</summary>
/// <param name="Width">Width of a token.</param>
/// <param name="Layers">Number of residual blocks.</param>
/// <param name="Heads">Number of attention heads; divides the width.</param>
/// <param name="MlpWidth">Width of the hidden layer of a block's MLP: 4 times the width in most models.</param>
public sealed record ClipTransformerSizes(int Width, int Layers, int Heads, int MlpWidth)
{
    /// <summary>Heads of 64 and an MLP of 4 times the width, as in most models.</summary>
    /// <param name="width">Width of a token, a multiple of 64 or below 64.</param>
    /// <param name="layers">Number of residual blocks.</param>
    public static ClipTransformerSizes Usual(int width, int layers) => new(width, layers, Math.Max(1, width / 64), 4 * width);
}

/// <summary>The sizes and the activation of a CLIP model with a vision transformer.</summary>
public sealed partial record ClipConfig
{
    /// <summary>Width of the features that images and texts share.</summary>
    public required int EmbeddingWidth { get; init; }

    /// <summary>Side of the input image in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Side of a patch in pixels; divides the image's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>The image tower.</summary>
    public required ClipTransformerSizes Vision { get; init; }

    /// <summary>Number of positions of the text tower: 77 in all published models.</summary>
    public int ContextLength { get; init; } = ClipTokenizer.DefaultContextLength;

    /// <summary>Number of tokens that the text tower knows.</summary>
    public int VocabularySize { get; init; } = ClipTokenizer.PublishedVocabularySize;

    /// <summary>The text tower.</summary>
    public required ClipTransformerSizes Text { get; init; }

    /// <summary>Mean of red, green and blue on the scale [0, 1] that images are normalised with.</summary>
    public IReadOnlyList<double> ImageMean { get; init; } = ClipImageProcessor.ClipMean;

    /// <summary>Standard deviation of red, green and blue on the scale [0, 1] that images are normalised with.</summary>
    public IReadOnlyList<double> ImageStandardDeviation { get; init; } = ClipImageProcessor.ClipStandardDeviation;

    /// <summary>The activation of both towers.</summary>
    public required ClipActivation Activation { get; init; }

    /// <summary>What layer normalisation adds to the variance.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Number of patches of an image.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>The model's tensors under OpenAI's names with their shapes, sorted by name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> TensorShapes
    {
        get
        {
            Validate();
            SortedDictionary<string, IReadOnlyList<int>> shapes = new(StringComparer.Ordinal) { ["logit_scale"] = [] };
            foreach ((string name, int[] shape) in ClipLayouts.VisionTensors(this).Concat(ClipLayouts.TextTensors(this)))
            {
                shapes.Add(name, shape);
            }

            return shapes;
        }
    }

    /// <summary>Number of the model's parameters, the logit scale included.</summary>
    public long ParameterCount => TensorShapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>The names that <see cref="Named"/> knows, sorted.</summary>
    public static IReadOnlyList<string> Names => [.. _openClip.Keys.Concat(_openAi.Keys).Order(StringComparer.Ordinal)];

    /// <summary>
    /// The sizes and activation of a published model. OpenCLIP's names (its <c>model_configs</c>) mean GELU unless they end in
    /// <c>-quickgelu</c>; OpenAI's (with a slash) mean QuickGELU.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>, such as "ViT-B-32", "ViT-B-32-quickgelu" or "ViT-B/32".</param>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    public static ClipConfig Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _openClip.TryGetValue(name, out ClipConfig? config) ? config
            : _openAi.TryGetValue(name, out string? alias) ? _openClip[alias]
            : throw new ArgumentException($"There is no model named '{name}' here. Known: {string.Join(", ", Names)}.", nameof(name));
    }

    /// <summary>Checks that the sizes fit together.</summary>
    /// <exception cref="ArgumentException">A size is not positive, patches do not tile the image, or heads do not divide a width.</exception>
    public void Validate()
    {
        List<string> wrong = [];
        void positive(string what, int value)
        {
            if (value < 1)
            {
                wrong.Add($"{what} is {value}, expected at least 1");
            }
        }

        positive("the embedding width", EmbeddingWidth);
        positive("the image size", ImageSize);
        positive("the patch size", PatchSize);
        positive("the vocabulary size", VocabularySize);
        if (ContextLength < 2)
        {
            wrong.Add($"the context length is {ContextLength}, expected at least 2 (start and end)");
        }

        if (PatchSize > 0 && ImageSize % PatchSize != 0)
        {
            wrong.Add($"patches of {PatchSize} do not tile an image of {ImageSize}");
        }

        foreach ((string tower, ClipTransformerSizes sizes) in new[] { ("image", Vision), ("text", Text) })
        {
            positive($"the {tower} tower's width", sizes.Width);
            positive($"the {tower} tower's number of layers", sizes.Layers);
            positive($"the {tower} tower's MLP width", sizes.MlpWidth);
            if (sizes.Heads < 1 || sizes.Width % sizes.Heads != 0)
            {
                wrong.Add($"the {tower} tower has {sizes.Heads} heads, which do not divide its width of {sizes.Width}");
            }
        }

        if (wrong.Count > 0)
        {
            throw new ArgumentException($"The model's sizes do not fit: {string.Join("; ", wrong)}.");
        }
    }

    /// <summary>For example "ViT 768x12/32 at 224, text 512x12, embedding 512, QuickGelu".</summary>
    public override string ToString() =>
        $"ViT {Vision.Width}x{Vision.Layers}/{PatchSize} at {ImageSize}, text {Text.Width}x{Text.Layers}, embedding {EmbeddingWidth}, {Activation}";
}
