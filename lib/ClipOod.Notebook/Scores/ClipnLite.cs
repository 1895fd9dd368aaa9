using System.Numerics.Tensors;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// CLIPN-lite, <b>a substitute</b> for CLIPN on features that are already computed. CLIPN trains a copy of the whole text tower; this trains a
/// linear map of the text tower's features, h = A·g + σ̄ (normalised), with A = I at first and σ̄ the mean of prompts of zeros. Losses,
/// inference and the values at the start are CLIPN's; what a transformer can read into a sentence, a linear map of its feature cannot. Immutable.
/// </summary>
/// <remarks>
/// After Wang et al. 2023 (arXiv:2308.12213); its results are not CLIPN's and must not be reported as such. The real tower is
/// <see cref="ClipNoTextTower"/>, trained by <see cref="ClipnTrainer"/>.
/// </remarks>
public sealed class ClipnLite
{
    /// <summary>What tables and charts call it.</summary>
    public const string Name = "CLIPN-lite, a substitute";

    private readonly Embeddings _map;
    private readonly double[] _offset;
    private readonly double _logitScale;

    private ClipnLite(Embeddings map, double[] offset, double logitScale, IReadOnlyList<ClipnLossValues> history) =>
        (_map, _offset, _logitScale, History) = (map, offset, logitScale, history);

    /// <summary>
    /// The losses: first those of the first step, before anything was learned (ITBO 1.3863, TSO 1.99, as h = g), then the mean of each epoch, each
    /// step at its own weights.
    /// </summary>
    public IReadOnlyList<ClipnLossValues> History { get; }

    /// <summary>Width of the features, D.</summary>
    public int Width => _map.Width;

    /// <summary>A, shape (D, D).</summary>
    public Matrix Map => _map.ToMatrix();

    /// <summary>σ̄, the mean of the prompts, D values.</summary>
    public IReadOnlyList<double> Offset => _offset;

    /// <summary>Trains on pairs of images and texts that describe them.</summary>
    /// <param name="images">Unit-norm image features, shape (N, D), at least one batch.</param>
    /// <param name="texts">
    /// Unit-norm text features, shape (N, D): the caption of each image, or its class's text, <c>text.Features.Select(labels)</c>; for the latter
    /// set <see cref="ClipnLiteOptions.DuplicateCosine"/>.
    /// </param>
    /// <param name="options">Learning rate, batch size, epochs, rank, seed. Defaults to CLIPN's.</param>
    /// <param name="onEpoch">Called after each epoch with its number, from 1, and its mean losses. Defaults to nothing.</param>
    /// <returns>The trained map. The same seed on the same machine gives the same one.</returns>
    /// <exception cref="ArgumentException">
    /// Rows or widths differ, there are fewer pairs than a batch, a row is not of unit norm, or an option is out of range.
    /// </exception>
    /// <exception cref="ArithmeticException">The loss became NaN or infinite.</exception>
    public static ClipnLite Train(
        Embeddings images, Embeddings texts, ClipnLiteOptions? options = null, Action<int, ClipnLossValues>? onEpoch = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new();
        options.Validate(images.Width, nameof(options));
        RequirePairs(images, texts, options.BatchSize);

        Random random = new(options.Seed);
        int batches = images.Rows / options.BatchSize;
        using ClipnLiteTrainer trainer = new(images, texts, options, options.Epochs * batches);
        int[] order = [.. Enumerable.Range(0, images.Rows)];
        List<ClipnLossValues> history = [];
        for (int epoch = 1; epoch <= options.Epochs; epoch++)
        {
            random.Shuffle(order);
            ClipnLossValues[] steps = [.. order.Chunk(options.BatchSize).Take(batches).Select(rows => trainer.Step(rows, random))];
            if (epoch == 1)
            {
                history.Add(steps[0]);
            }

            history.Add(new(steps.Average(step => step.Matching), steps.Average(step => step.Unrelated), steps.Average(step => step.Tso)));
            onEpoch?.Invoke(epoch, history[^1]);
        }

        return new ClipnLite(trainer.Map(), trainer.Offset(), options.LogitScale, history);
    }

    /// <summary>The "no" features of texts, h = normalise(A·g + σ̄).</summary>
    /// <param name="texts">Unit-norm text features g, shape (K, D), such as those of classes.</param>
    /// <returns>Unit-norm features, shape (K, D), for <see cref="Similarity.Cosines"/> and <see cref="Clipn"/>.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features, or a row is not of unit norm.</exception>
    public Embeddings NoText(Embeddings texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Width != Width)
        {
            throw new ArgumentException($"Got text features of width {texts.Width}, expected {Width} as in training: were both made by the same model?", nameof(texts));
        }

        Similarity.RequireUnitNorm(texts, nameof(texts));
        Matrix mapped = Similarity.Products(texts, _map);
        float[] result = new float[mapped.Values.Length];
        double[] row = new double[Width];
        for (int k = 0; k < texts.Rows; k++)
        {
            TensorPrimitives.Add(mapped[k], _offset, row);
            TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Norm<double>(row), 1e-12), row);
            TensorPrimitives.ConvertTruncating<double, float>(row, result.AsSpan(k * Width, Width));
        }

        return new Embeddings(texts.Rows, Width, result);
    }

    /// <summary>The competing-to-win score of images, as <see cref="Clipn.Ctw"/> with the "no" features of this substitute.</summary>
    /// <param name="images">Unit-norm image features, shape (N, D).</param>
    /// <param name="classTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">Widths differ, or a row is not of unit norm.</exception>
    public IdScores Ctw(Embeddings images, Embeddings classTexts) => Score("CTW", Clipn.Ctw, images, classTexts);

    /// <summary>The agreeing-to-differ score of images, as <see cref="Clipn.Atd"/> with the "no" features of this substitute.</summary>
    /// <param name="images">Unit-norm image features, shape (N, D).</param>
    /// <param name="classTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">Widths differ, or a row is not of unit norm.</exception>
    public IdScores Atd(Embeddings images, Embeddings classTexts) => Score("ATD", Clipn.Atd, images, classTexts);

    private IdScores Score(string rule, Func<Matrix, Matrix, double, IdScores> score, Embeddings images, Embeddings classTexts) => new(
        $"CLIPN-lite {rule} (substitute)",
        score(Similarity.Cosines(images, classTexts), Similarity.Cosines(images, NoText(classTexts)), _logitScale).ToArray());

    private static void RequirePairs(Embeddings images, Embeddings texts, int batchSize)
    {
        if (texts.Rows != images.Rows || texts.Width != images.Width)
        {
            throw new ArgumentException(
                $"Got texts of shape ({texts.Rows}, {texts.Width}), expected ({images.Rows}, {images.Width}) as the images: a text of the same model for each image.",
                nameof(texts));
        }

        if (images.Rows < batchSize)
        {
            throw new ArgumentException($"Got {images.Rows} pairs, expected at least {batchSize}, a batch: lower {nameof(ClipnLiteOptions.BatchSize)}.", nameof(images));
        }

        Similarity.RequireUnitNorm(images, nameof(images));
        Similarity.RequireUnitNorm(texts, nameof(texts));
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "clipn-lite",
                Name = "CLIPN-lite",
                Family = DetectorFamily.Trained,
                Authors = "Wang et al.",
                Title = "CLIPN for Zero-Shot OOD Detection: Teaching CLIP to Say No",
                Year = 2023,
                Url = new Uri("https://arxiv.org/abs/2308.12213"),
                ReferenceCode = "xmed-lab/CLIPN",
                Equation = "CLIPN with \"no\" texts A g + σ of the class texts g",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.Labels | DetectorInputs.TrainImages,
                Member = "ClipnLite.Atd",
                Notebook = 10,
                Golden = "clipn_losses",
                Substitute = "a linear map of text features in place of a trained copy of the text tower",
                Hyperparameters =
                [
                    new("batch", 256, 2048, "as many images as the small ID sets have"),
                ],
            },
            fit =>
            {
                FeatureSet train = fit.Known.Train;
                ClipnLite lite = Train(
                    train.Features,
                    fit.Text.Select([.. train.Labels]),
                    new() { LogitScale = fit.Scale, DuplicateCosine = 0.95, BatchSize = Math.Min((int)fit["batch"], train.Count), Seed = fit.Seed });
                return images => lite.Atd(images.Features, fit.Text);
            }),
    ];
}
