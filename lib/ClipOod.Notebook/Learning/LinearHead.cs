using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>What a training tells after each epoch.</summary>
/// <param name="Epoch">1 to the number of epochs.</param>
/// <param name="MeanLoss">Mean cross-entropy in nats over the images of the epoch, each at the weights of its step.</param>
/// <param name="Head">The head as it is after the epoch; it does not change afterwards.</param>
public sealed record EpochReport(int Epoch, double MeanLoss, LinearHead Head);

/// <summary>
/// A linear classifier on frozen features, logits = x·Wᵀ + b, trained with cross-entropy: the seminar's fine-tuned head
/// (document A) and PLP's probe (document D, arXiv 2303.05828). Every training step runs as one ONNX graph. Immutable.
/// </summary>
public sealed class LinearHead
{
    private readonly Embeddings _weight;
    private readonly double[] _bias;

    /// <summary>A head with given parameters, which are kept in single precision.</summary>
    /// <param name="weight">W, shape (K, D).</param>
    /// <param name="bias">b, K values.</param>
    /// <exception cref="ArgumentException">The bias has not K values.</exception>
    public LinearHead(Matrix weight, IReadOnlyList<double> bias)
        : this(ToEmbeddings(weight), [.. bias ?? throw new ArgumentNullException(nameof(bias))], [])
    {
    }

    internal LinearHead(Embeddings weight, double[] bias, IReadOnlyList<double> history)
    {
        if (bias.Length != weight.Rows)
        {
            throw new ArgumentException($"Got {bias.Length} values of bias, expected {weight.Rows}, one per row of the weight.", nameof(bias));
        }

        double[] values = new double[weight.Values.Length];
        TensorPrimitives.ConvertTruncating<float, double>(weight.Values, values);
        _weight = weight;
        _bias = bias;
        Weight = new Matrix(weight.Rows, weight.Width, values);
        History = history;
    }

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => _weight.Rows;

    /// <summary>Number of features, D.</summary>
    public int Width => _weight.Width;

    /// <summary>W, shape (K, D).</summary>
    public Matrix Weight { get; }

    /// <summary>b, K values.</summary>
    public IReadOnlyList<double> Bias => _bias;

    /// <summary>Mean loss of each epoch, as in <see cref="EpochReport.MeanLoss"/>; empty for a head that was not trained.</summary>
    public IReadOnlyList<double> History { get; }

    /// <summary>Untrained parameters: weights and biases uniform in ±1/√D, as torch's nn.Linear begins.</summary>
    /// <param name="width">D, at least 1.</param>
    /// <param name="numClasses">K, at least 1.</param>
    /// <param name="seed">Seed of the draw.</param>
    public static LinearHead Initial(int width, int numClasses, int seed) => Initial(width, numClasses, new Random(seed));

    /// <summary>Trains a head by minimising the mean cross-entropy of mini-batches.</summary>
    /// <param name="features">Features of any scale, shape (N, D), N at least 1.</param>
    /// <param name="labels">Class of every row, 0 to K−1; N of them, of at least two classes.</param>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="options">Optimizer, schedule, batch size, epochs, seed. The same seed on the same machine gives the same head.</param>
    /// <param name="onEpoch">Called after each epoch. Defaults to nothing.</param>
    /// <param name="initial">Parameters to begin with. Defaults to <see cref="Initial(int, int, int)"/> with the seed of the options.</param>
    /// <exception cref="ArgumentException">
    /// There is no row; labels and rows differ in number; a label is out of range; all labels are of one class; a feature
    /// is NaN or infinite; <paramref name="initial"/> has another shape; or an option is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">The loss became NaN or infinite.</exception>
    public static LinearHead Train(
        Embeddings features,
        IReadOnlyList<int> labels,
        int numClasses,
        HeadOptions options,
        Action<EpochReport>? onEpoch = null,
        LinearHead? initial = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(nameof(options));
        RequireTrainable(features, labels, numClasses);
        Random random = new(options.Seed);
        LinearHead first = initial ?? Initial(features.Width, numClasses, random);
        if (first.NumClasses != numClasses || first.Width != features.Width)
        {
            throw new ArgumentException(
                $"Initial parameters are for {first.NumClasses} classes and {first.Width} features, expected {numClasses} and {features.Width}.",
                nameof(initial));
        }

        using HeadTrainer trainer = new(features, labels, first, options);
        long[] order = [.. Enumerable.Range(0, features.Rows).Select(i => (long)i)];
        int stepsPerEpoch = options.StepsPerEpoch(features.Rows);
        List<double> history = [];
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            random.Shuffle(order);
            double loss = 0;
            for (int step = 0; step < stepsPerEpoch; step++)
            {
                double rate = options.LearningRateAt((epoch * stepsPerEpoch) + step, options.Epochs * stepsPerEpoch);
                int start = step * options.BatchSize;
                loss += trainer.Step(order.AsMemory(start, Math.Min(options.BatchSize, order.Length - start)), rate);
            }

            history.Add(loss / features.Rows);
            if (!double.IsFinite(loss))
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"Training diverged in epoch {epoch + 1}: the mean loss is {history[^1]}. Lower the learning rate, {options.LearningRate}, or standardise the features."));
            }

            onEpoch?.Invoke(new EpochReport(epoch + 1, history[^1], trainer.Head([.. history])));
        }

        return trainer.Head(history);
    }

    /// <summary>The logits of every row, without a scale.</summary>
    /// <param name="features">Features made as those of the training, shape (N, D).</param>
    /// <returns>Shape (N, K).</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public Matrix Logits(Embeddings features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Width != Width)
        {
            throw new ArgumentException(
                $"Features have {features.Width} columns but the head was made for {Width}: were they made by the same CLIP model?",
                nameof(features));
        }

        Matrix products = Similarity.Products(features, _weight);
        double[] logits = new double[products.Values.Length];
        for (int i = 0; i < products.Rows; i++)
        {
            TensorPrimitives.Add(products[i], _bias, logits.AsSpan(i * NumClasses, NumClasses));
        }

        return new Matrix(products.Rows, NumClasses, logits);
    }

    private static LinearHead Initial(int width, int numClasses, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(numClasses, 1);
        double bound = 1 / Math.Sqrt(width);
        float[] weight = new float[numClasses * width];
        for (int i = 0; i < weight.Length; i++)
        {
            weight[i] = (float)Draw();
        }

        double[] bias = [.. Enumerable.Range(0, numClasses).Select(_ => Draw())];
        return new LinearHead(new Embeddings(numClasses, width, weight), bias, []);

        double Draw() => bound * ((2 * random.NextDouble()) - 1);
    }

    private static void RequireTrainable(Embeddings features, IReadOnlyList<int> labels, int numClasses)
    {
        Similarity.RequireRows(features, nameof(features));
        RequireLabels(labels, features.Rows, numClasses, nameof(labels));
        for (int i = 0; i < features.Rows; i++)
        {
            Similarity.RequireFinite(features, i, nameof(features));
        }

        if (labels.All(label => label == labels[0]))
        {
            throw new ArgumentException($"All {labels.Count} labels are {labels[0]}, expected at least two classes: a head tells classes apart.", nameof(labels));
        }
    }

    internal static void RequireLabels(IReadOnlyList<int> labels, int rows, int numClasses, string name)
    {
        if (labels.Count != rows)
        {
            throw new ArgumentException($"Got {labels.Count} labels for {rows} rows of features.", name);
        }

        for (int i = 0; i < rows; i++)
        {
            if (labels[i] < 0 || labels[i] >= numClasses)
            {
                throw new ArgumentException($"Label {i} is {labels[i]}, expected 0 to {numClasses - 1} for {numClasses} classes.", name);
            }
        }
    }

    private static Embeddings ToEmbeddings(Matrix weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        float[] values = new float[weight.Values.Length];
        TensorPrimitives.ConvertTruncating<double, float>(weight.Values, values);
        return new Embeddings(weight.Rows, weight.Columns, values);
    }
}
