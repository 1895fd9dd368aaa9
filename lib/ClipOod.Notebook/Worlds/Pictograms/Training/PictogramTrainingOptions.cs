using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Sizes of a tiny CLIP: the vision transformer's width and depth, the text transformer's, and the width of their common space.</summary>
/// <param name="VisionWidth">Width of the image tower.</param>
/// <param name="VisionLayers">Blocks of the image tower.</param>
/// <param name="TextWidth">Width of the text tower.</param>
/// <param name="TextLayers">Blocks of the text tower.</param>
/// <param name="EmbeddingWidth">Width of the features.</param>
public sealed record PictogramModelSize(int VisionWidth, int VisionLayers, int TextWidth, int TextLayers, int EmbeddingWidth)
{
    private const int PatchSize = 16;
    private const int HeadWidth = 32;

    /// <summary>Number of tokens of a caption's row; the longest caption has fewer.</summary>
    public const int ContextLength = 16;

    /// <summary>The sizes by name.</summary>
    public static IReadOnlyDictionary<string, PictogramModelSize> Named { get; } = new SortedDictionary<string, PictogramModelSize>(StringComparer.Ordinal)
    {
        ["micro"] = new(32, 2, 32, 1, 32),
        ["mini"] = new(64, 3, 64, 1, 64),
        ["base"] = new(128, 4, 64, 2, 64),
    };

    /// <summary>The model's configuration.</summary>
    /// <param name="vocabularySize">Number of tokens.</param>
    public ClipConfig ToConfig(int vocabularySize) => new()
    {
        EmbeddingWidth = EmbeddingWidth,
        ImageSize = PictogramArtist.Side,
        PatchSize = PatchSize,
        Vision = Tower(VisionWidth, VisionLayers),
        Text = Tower(TextWidth, TextLayers),
        ContextLength = ContextLength,
        VocabularySize = vocabularySize,
        Activation = ClipActivation.QuickGelu,
    };

    private static ClipTransformerSizes Tower(int width, int layers) => new(width, layers, width / HeadWidth, 4 * width);
}

/// <summary>How the tiny CLIP is trained.</summary>
public sealed record PictogramTrainingOptions
{
    /// <summary>Sizes of the model. Defaults to "base".</summary>
    public PictogramModelSize Size { get; init; } = PictogramModelSize.Named["base"];

    /// <summary>Number of updates.</summary>
    public int Steps { get; init; } = 5000;

    /// <summary>Pictures of an update, each of another concept.</summary>
    public int BatchSize { get; init; } = 110;

    /// <summary>Highest learning rate of AdamW; warmed up over the first 3 % of the steps, then a cosine to 0.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Weight decay of AdamW; 0 for gains, biases and the logit scale.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Of the first weights, the pictures and the captions.</summary>
    public int Seed { get; init; }

    /// <summary>
    /// Share of the steps over which pictures grow from easy (natural colours on white, nothing that disturbs, little turned) to what the
    /// world holds.
    /// </summary>
    public double EasyShare { get; init; } = 0.5;

    /// <summary>Updates between two measurements, each followed by a checkpoint. Defaults to 200.</summary>
    public int MeasureEvery { get; init; } = 200;
}

/// <summary>What was measured on the way.</summary>
/// <param name="Step">Updates made.</param>
/// <param name="Loss">Mean contrastive loss since the last measurement, in nats.</param>
/// <param name="LogitScale">The factor from cosines to logits.</param>
/// <param name="AccuracyA">Zero-shot accuracy on validation pictures of set A among its classes.</param>
/// <param name="AccuracyAll">Zero-shot accuracy on validation pictures of all concepts it is trained on among all of them.</param>
public sealed record PictogramMeasurement(long Step, double Loss, double LogitScale, double AccuracyA, double AccuracyAll);

/// <summary>How far training is.</summary>
/// <param name="Step">Updates made.</param>
/// <param name="Steps">Updates in all.</param>
/// <param name="Loss">The loss of this update.</param>
/// <param name="PicturesPerSecond">Since training started or was resumed.</param>
/// <param name="Left">Time left at this rate.</param>
/// <param name="Measurement">What was measured after this update; null where nothing was.</param>
internal sealed record PictogramProgress(
    long Step, int Steps, double Loss, double PicturesPerSecond, TimeSpan Left, PictogramMeasurement? Measurement);
