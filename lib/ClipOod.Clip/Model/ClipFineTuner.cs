using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// Fine-tunes the whole image tower with a linear head on its features before the projection, by backpropagation from labels: what PLP's
/// paper compares probing with (arXiv 2303.05828).
/// </summary>
public static class ClipFineTuner
{
    private const string WeightName = "head.weight";
    private const string BiasName = "head.bias";
    private const string LabelsName = "labels";

    // Truncated at 2, which is a hundred deviations, in DeiT's code: not at all.
    private const double HeadDeviation = 0.02;

    /// <summary>Trains a copy of a model on labelled pictures with the mean cross-entropy and AdamW, every batch from its pixels.</summary>
    /// <param name="model">Where to start; it is not changed.</param>
    /// <param name="images">N pictures of any sizes; they get the preprocessing of the evaluation, as in the paper's code, and no augmentation.</param>
    /// <param name="labels">Class of every picture, 0 to K−1; N of them.</param>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="options">Epochs, batch size, rate, smoothing, seed. The same seed on the same machine gives the same result.</param>
    /// <param name="onEpoch">Called after each epoch. Defaults to nothing.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="ArgumentException">There is no picture, labels and pictures differ in number, a label is out of range, or an option is.</exception>
    /// <exception cref="ArithmeticException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static FineTunedClip Train(
        ClipModel model,
        IReadOnlyList<RgbImage> images,
        IReadOnlyList<int> labels,
        int numClasses,
        FineTuneOptions? options = null,
        Action<FineTuneEpoch>? onEpoch = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(labels);
        options ??= new();
        options.Validate();
        Check(images.Count, labels, numClasses);
        ClipModel copy = model.Copy();
        try
        {
            return TrainInPlace(copy, images, labels, numClasses, options, onEpoch, cancellation);
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    private static FineTunedClip TrainInPlace(
        ClipModel model, IReadOnlyList<RgbImage> images, IReadOnlyList<int> labels, int numClasses, FineTuneOptions options, Action<FineTuneEpoch>? onEpoch, CancellationToken cancellation)
    {
        Graph graph = model.Graph;
        Weight weight = graph.Weight(WeightName, [numClasses, model.Config.Vision.Width], Initial.Normal(HeadDeviation, options.Seed));
        Weight bias = graph.Weight(BiasName, [numClasses], Initial.Constant(0));
        Weight projection = model.ImageTower.Weights["visual.proj"], positions = model.ImageTower.Weights["visual.positional_embedding"];
        SetTrainable(false);

        Tensor logits = Op.Linear(model.PooledFeatures, weight, bias, transposed: true);
        Tensor loss = Loss(logits, graph.Input(LabelsName, ElementType.Int64, "batch"), options.LabelSmoothing);
        long total = (long)options.Epochs * (((images.Count - 1) / options.BatchSize) + 1);
        using Trainer trainer = new(loss, new AdamW(options.LearningRate, weightDecay: options.WeightDecay), new()
        {
            Schedule = Schedule.Cosine(total, (long)(options.WarmUpFraction * total), options.FinalLearningRate / options.LearningRate),
            WeightDecay = weight => weight.Rank < 2 || weight == positions ? 0 : options.WeightDecay,
            Monitors = [logits],
        });

        Random random = new(options.Seed);
        int[] order = [.. Enumerable.Range(0, images.Count)];
        List<FineTuneEpoch> history = [];
        for (int epoch = 1; epoch <= options.Epochs; epoch++)
        {
            random.Shuffle(order);
            double sum = 0;
            int right = 0;
            foreach (int[] batch in order.Chunk(options.BatchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                long[] targets = [.. batch.Select(i => (long)labels[i])];
                sum += batch.Length * trainer.Step((model.Pixels.Name, Pixels(model.ImageProcessor, images, batch)), (LabelsName, targets));
                float[][] rows = [.. trainer.Monitored[0].Values<float>().Chunk(numClasses)];
                right += rows.Zip(targets).Count(pair => Array.IndexOf(pair.First, pair.First.Max()) == pair.Second);
            }

            history.Add(new FineTuneEpoch(epoch, sum / images.Count, right / (double)images.Count));
            onEpoch?.Invoke(history[^1]);
        }

        SetTrainable(true);
        model.Refresh();
        return new FineTunedClip(model, weight.Value.Values<float>(), bias.Value.Values<float>(), history);

        // What the features before the projection do not depend on is frozen meanwhile; what is not the model's own, afterwards.
        void SetTrainable(bool rest)
        {
            model.TextTower.SetTrainable(rest);
            (model.LogitScale.Trainable, projection.Trainable) = (rest, rest);
            (weight.Trainable, bias.Trainable) = (!rest, !rest);
        }
    }

    /// <summary>Cross-entropy with label smoothing (Szegedy et al. 2016): the mean over classes of −log p has the weight ε.</summary>
    private static Tensor Loss(Tensor logits, Tensor labels, double smoothing)
    {
        Tensor loss = Op.CrossEntropy(logits, labels);
        return smoothing == 0 ? loss : (loss * (1 - smoothing)) - (logits.LogSoftmax().Mean() * smoothing);
    }

    private static float[] Pixels(ClipImageProcessor processor, IReadOnlyList<RgbImage> images, int[] batch)
    {
        int size = processor.ValueCount;
        float[] pixels = new float[batch.Length * size];
        Parallel.For(0, batch.Length, i => processor.Process(images[batch[i]], pixels.AsSpan(i * size, size)));
        return pixels;
    }

    private static void Check(int images, IReadOnlyList<int> labels, int numClasses)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numClasses, 2);
        if (images == 0 || labels.Count != images)
        {
            throw new ArgumentException($"Got {labels.Count} labels for {images} images, expected one for each and at least one image.", nameof(labels));
        }

        for (int i = 0; i < images; i++)
        {
            if (labels[i] < 0 || labels[i] >= numClasses)
            {
                throw new ArgumentException($"Label {i} is {labels[i]}, expected 0 to {numClasses - 1} for {numClasses} classes.", nameof(labels));
            }
        }
    }
}
