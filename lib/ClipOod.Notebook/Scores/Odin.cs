using System.Numerics.Tensors;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// ODIN on CLIP's zero-shot classifier: a small step of the pixels towards the predicted class, x̃ = x − ε·sign(∇ₓ CE(z(x)/T, ŷ)), then the largest
/// softmax probability of z(x̃)/T. ID images gain more by the step. z is the logit scale times the cosines of the image and the class texts.
/// The gradient is that of the model itself, down to the pixels.
/// </summary>
/// <remarks>
/// Liang et al. 2018 (arXiv:1706.02690); reference code: facebookresearch/odin, which divides the sign by the channels' standard deviations, too.
/// <see cref="ScoreFeatures"/> is a substitute where there are features only.
/// </remarks>
public sealed class Odin : IDisposable
{
    private readonly ClipModel _model;
    private readonly Embeddings _classTexts;
    private readonly OdinOptions _options;
    private readonly Evaluator _step;
    private readonly Evaluator _encoder;

    /// <summary>Adds the loss and its gradient to the model's graph and loads them with the weights as they are now.</summary>
    /// <param name="model">The model.</param>
    /// <param name="classTexts">Unit-norm text features of the classes by the same model, shape (K, D).</param>
    /// <param name="options">Temperature, step, logit scale, batch size. Defaults to the paper's.</param>
    /// <exception cref="ArgumentException">The width is not the model's, there is no class, or a row is not of unit norm.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public Odin(ClipModel model, Embeddings classTexts, OdinOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(classTexts);
        _options = options ??= new();
        options.Validate();
        if (classTexts.Width != model.Width)
        {
            throw new ArgumentException($"Got class texts of width {classTexts.Width}, expected {model.Width}: were they made by this model?", nameof(classTexts));
        }

        Similarity.RequireRows(classTexts, nameof(classTexts));
        Similarity.RequireUnitNorm(classTexts, nameof(classTexts));
        (_model, _classTexts) = (model, classTexts);

        Graph graph = model.Graph;
        Autodiff.Tensor texts = graph.Constant(classTexts.Values, classTexts.Rows, classTexts.Width);
        Autodiff.Tensor logits = Op.Linear(model.ImageFeatures.L2Normalize(), texts, transposed: true) * (options.LogitScale / options.Temperature);

        // A mean would make the gradients depend on how many images are in a batch.
        Autodiff.Tensor loss = Op.CrossEntropy(logits, logits.ArgMax()) * model.Pixels.Size(0);
        Autodiff.Tensor gradient = graph.Gradients(loss, [model.Pixels])[0];

        // A step of ε on the scale [0, 1] is one of ε / deviation on normalised pixels.
        float[] size = [.. model.Config.ImageStandardDeviation.Select(deviation => (float)(options.Epsilon / deviation))];
        Autodiff.Tensor perturbed = model.Pixels - (gradient.Sign() * graph.Constant<float>(size, 3, 1, 1));
        _step = new Evaluator([perturbed, gradient, loss], constantWeights: true);
        _encoder = new Evaluator([model.ImageFeatures], constantWeights: true);
    }

    /// <summary>The scores of images, which are prepared as the model wants them.</summary>
    /// <param name="images">The pictures, of any sizes.</param>
    /// <returns>A score for each in [1/K, 1]; higher = more ID. At T = 1000 all lie close to 1/K.</returns>
    public IdScores Score(IReadOnlyList<RgbImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Join(images.Chunk(_options.BatchSize).Select(batch => ScoreBatch(batch.SelectMany(_model.ImageProcessor.Process).ToArray())));
    }

    /// <summary>The scores of images as normalised pixels.</summary>
    /// <param name="pixels">N × 3 × size × size, normalised by the model's <see cref="ClipEncoder.ImageProcessor"/>, not on the scale [0, 1].</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID. At T = 1000 all lie close to 1/K.</returns>
    /// <exception cref="ArgumentException">The pixels are not those of whole images.</exception>
    public IdScores Score(ReadOnlyMemory<float> pixels) => Join(Batches(pixels).Select(ScoreBatch));

    /// <summary>The pixels after the step.</summary>
    /// <param name="pixels">N × 3 × size × size, normalised by the model's <see cref="ClipEncoder.ImageProcessor"/>, not on the scale [0, 1].</param>
    /// <returns>Normalised pixels of the same shape; they may leave the range of a picture by ε, as in the reference code.</returns>
    /// <exception cref="ArgumentException">The pixels are not those of whole images.</exception>
    internal float[] Perturb(ReadOnlyMemory<float> pixels) => [.. Batches(pixels).SelectMany(batch => Run(batch)[0].Values<float>())];

    /// <summary>
    /// ODIN on features, <b>a substitute</b> where there are no pixels: the step is taken in the unit-norm image feature instead,
    /// f̃ = normalise(f − ε·sign(∇_f CE(z(f)/T, ŷ))), which no change of the picture need be able to make.
    /// </summary>
    /// <param name="images">Unit-norm image features, shape (N, D).</param>
    /// <param name="classTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="options">Temperature, step in the unit of a feature (whose D values have a root mean square of 1/√D), logit scale.</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">Widths differ, there is no class, or a row is not of unit norm.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static IdScores ScoreFeatures(Embeddings images, Embeddings classTexts, OdinOptions? options = null)
    {
        options ??= new();
        options.Validate();
        Matrix cosines = Similarity.Cosines(images, classTexts);
        Matrix probabilities = Scores.Softmax(cosines.Scale(options.LogitScale), options.Temperature);
        int[] best = cosines.ArgMax();
        Matrix texts = classTexts.ToMatrix();
        float[] moved = new float[images.Values.Length];
        Parallel.For(0, images.Rows, i =>
        {
            // ∇ CE = s/T · Σ (p - onehot)·(w - cosine·f): the second factor is the gradient of a cosine at unit norm.
            double[] gradient = new double[images.Width];
            double along = 0;
            for (int k = 0; k < texts.Rows; k++)
            {
                double error = probabilities[i, k] - (k == best[i] ? 1 : 0);
                TensorPrimitives.MultiplyAdd(texts[k], error, gradient, gradient);
                along += error * cosines[i, k];
            }

            ReadOnlySpan<float> image = images[i];
            Span<float> row = moved.AsSpan(i * images.Width, images.Width);
            for (int d = 0; d < row.Length; d++)
            {
                row[d] = (float)(image[d] - (options.Epsilon * Math.Sign(gradient[d] - (along * image[d]))));
            }
        });
        Embeddings stepped = new Embeddings(images.Rows, images.Width, moved).Normalized();
        return new IdScores("ODIN on features (substitute)", MaxProbability(stepped, classTexts, options));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _encoder.Dispose();
    }

    /// <summary>The gradient by the normalised pixels of one batch, and the sum of its losses, in nats.</summary>
    internal (float[] Gradient, double Loss) Gradient(ReadOnlyMemory<float> pixels)
    {
        IReadOnlyList<TensorValue> values = Run(pixels.ToArray());
        return (values[1].Values<float>(), values[2].ToDouble());
    }

    private double[] ScoreBatch(float[] pixels)
    {
        float[] perturbed = Run(pixels)[0].Values<float>();
        float[] features = _encoder.Run((_model.Pixels.Name, perturbed))[0].Values<float>();
        return MaxProbability(new Embeddings(features.Length / _model.Width, _model.Width, features).Normalized(), _classTexts, _options);
    }

    private IReadOnlyList<TensorValue> Run(float[] pixels) => _step.Run((_model.Pixels.Name, pixels));

    private IEnumerable<float[]> Batches(ReadOnlyMemory<float> pixels)
    {
        int size = _model.ImageProcessor.ValueCount;
        if (pixels.Length % size != 0)
        {
            throw new ArgumentException($"Got {pixels.Length} values, expected a multiple of {size}, the 3 x {_model.Config.ImageSize} x {_model.Config.ImageSize} of an image.", nameof(pixels));
        }

        return Enumerable.Range(0, pixels.Length / size).Chunk(_options.BatchSize)
            .Select(rows => pixels.Slice(rows[0] * size, rows.Length * size).ToArray());
    }

    // max softmax(s·cosine / T) is MCM at the temperature T/s.
    private static double[] MaxProbability(Embeddings images, Embeddings classTexts, OdinOptions options) =>
        Scores.Mcm(Similarity.Cosines(images, classTexts), options.Temperature / options.LogitScale).ToArray();

    private static IdScores Join(IEnumerable<double[]> batches) => new("ODIN", [.. batches.SelectMany(batch => batch)]);

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "odin",
                Name = "ODIN",
                Family = DetectorFamily.ZeroShot,
                Authors = "Liang et al.",
                Title = "Enhancing The Reliability of Out-of-distribution Image Detection in Neural Networks",
                Year = 2018,
                Url = new Uri("https://arxiv.org/abs/1706.02690"),
                ReferenceCode = "facebookresearch/odin",
                Equation = "max softmax(z(x̃)/T), x̃ = x − ε sign ∇ₓ CE(z(x)/T, ŷ)",
                Needs = DetectorInputs.Pixels | DetectorInputs.Text,
                Member = "Odin.Score",
                Notebook = 10,
                WithoutGolden = "the gradient is that of a model's pixels; compared with finite differences",
                Hyperparameters =
                [
                    new("temperature", 1000, 1000, "the paper's"),
                    new("epsilon", 0.0014, 0.0014, "the paper's"),
                ],
            },
            fit =>
            {
                Odin odin = new(fit.Known.Encoder!.LoadModel(), fit.Text, OptionsOf(fit));
                return images => odin.Score(fit.Pixels(images).AsRgbImages());
            }),
        new ImageDetector(
            new()
            {
                Key = "odin-features",
                Name = "ODIN on features",
                Family = DetectorFamily.ZeroShot,
                Authors = "Liang et al.",
                Title = "Enhancing The Reliability of Out-of-distribution Image Detection in Neural Networks",
                Year = 2018,
                Url = new Uri("https://arxiv.org/abs/1706.02690"),
                ReferenceCode = "facebookresearch/odin",
                Equation = "as ODIN, x̃ = x − ε sign ∇ₓ on the unit-norm feature x",
                Needs = DetectorInputs.Features | DetectorInputs.Text,
                Member = "Odin.ScoreFeatures",
                Notebook = 10,
                WithoutGolden = "the gradient is known in closed form; compared with finite differences",
                Substitute = "the feature is moved in place of the pixels",
                Hyperparameters =
                [
                    new("temperature", 1000, 1000, "the paper's"),
                    new("epsilon", 0.0014, 0.0014, "the paper's"),
                ],
            },
            fit =>
            {
                OdinOptions options = OptionsOf(fit);
                return images => ScoreFeatures(images.Features, fit.Text, options);
            }),
    ];

    private static OdinOptions OptionsOf(Fitting fit) => new()
    {
        LogitScale = fit.Scale,
        Temperature = fit["temperature"],
        Epsilon = fit["epsilon"],
    };
}
