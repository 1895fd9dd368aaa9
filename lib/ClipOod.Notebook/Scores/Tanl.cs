using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// Test-time activated negative labels: of many negatives, those count that OOD images of the stream respond to and ID images do not,
/// and the more they are activated, the more.
/// </summary>
/// <remarks>
/// Zhang et al. 2026 (arXiv:2603.25250); reference code: YBZh/OpenOOD-VLM, openood/postprocessors/activated_neg_postprocessor_official.py.
/// This is the variant whose order comes from the queues alone; the batch-adaptive one, which also looks at the images being scored, is
/// left out.
/// </remarks>
public static class Tanl
{
    /// <summary>How much each negative is activated: its mean probability in the softmax over classes and negatives.</summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), N at least 1, each in [−1, 1].</param>
    /// <param name="negativeCosines">Cosines of the same images and the negative labels, shape (N, M), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the code.</param>
    /// <returns>M values, each in [0, 1].</returns>
    /// <exception cref="ArgumentException">There is no image, the numbers of images differ, or a value is no cosine.</exception>
    internal static double[] Activations(Matrix idCosines, Matrix negativeCosines, double logitScale = Scores.ClipLogitScale)
    {
        NegativeLabels.CheckPair(idCosines, negativeCosines, "TANL", logitScale);
        if (idCosines.Rows == 0)
        {
            throw new ArgumentException("Got no images, expected at least one to take the mean activation of.", nameof(idCosines));
        }

        ActivationQueue queue = new(idCosines.Rows, negativeCosines.Columns);
        for (int i = 0; i < idCosines.Rows; i++)
        {
            queue.Enqueue(Activation(idCosines[i], negativeCosines[i], logitScale));
        }

        return queue.Mean();
    }

    /// <summary>The negatives by how much more OOD images activate them than ID images, most first; ties in their order.</summary>
    /// <param name="oodActivations">M values of <see cref="Activations"/> of images taken for OOD.</param>
    /// <param name="idActivations">M values of <see cref="Activations"/> of images taken for ID.</param>
    /// <returns>0 to M−1, each once.</returns>
    /// <exception cref="ArgumentException">The numbers of negatives differ.</exception>
    public static int[] Order(IReadOnlyList<double> oodActivations, IReadOnlyList<double> idActivations)
    {
        ArgumentNullException.ThrowIfNull(oodActivations);
        ArgumentNullException.ThrowIfNull(idActivations);
        if (oodActivations.Count != idActivations.Count)
        {
            throw new ArgumentException(
                $"Got ID activations of {idActivations.Count} negatives, expected {oodActivations.Count} as of OOD.", nameof(idActivations));
        }

        return [.. Enumerable.Range(0, oodActivations.Count).OrderByDescending(j => oodActivations[j] - idActivations[j])];
    }

    /// <summary>
    /// The share of the classes against the first m negatives, averaged over m = 1 to M, so that the first negative counts in every term
    /// and the last in one.
    /// </summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="orderedNegativeCosines">Cosines of the same images and the negatives, most activated first, shape (N, M), each in [−1, 1].</param>
    /// <param name="logitScale">s, multiplies the cosines; 100 in the code.</param>
    /// <returns>N scores in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The numbers of images differ, or a value is no cosine.</exception>
    public static IdScores Score(Matrix idCosines, Matrix orderedNegativeCosines, double logitScale = Scores.ClipLogitScale)
    {
        NegativeLabels.CheckPair(idCosines, orderedNegativeCosines, "TANL", logitScale);
        int[] order = [.. Enumerable.Range(0, orderedNegativeCosines.Columns)];
        double[] scores = new double[idCosines.Rows];
        Parallel.For(0, scores.Length, i => scores[i] = Score(idCosines[i], orderedNegativeCosines[i], order, logitScale));
        return new IdScores("TANL", scores);
    }

    /// <summary>
    /// Scores a stream in its order. Each batch is scored with the negatives ordered by what the queues hold; then its sure images enter
    /// the queues.
    /// </summary>
    /// <param name="stream">Unit-norm image features in the order they arrive in, shape (N, D). It may be shorter than a queue.</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D); the ID queue starts with them.</param>
    /// <param name="negativeTexts">Unit-norm text features of the negative labels, shape (M, D).</param>
    /// <param name="noise">
    /// Unit-norm features of noise images that the OOD queue starts with, shape (R, D). Null starts it empty, which counts as no activation.
    /// </param>
    /// <param name="options">Those of the paper when null.</param>
    /// <returns>N scores in the order of the stream, each in [0, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The widths differ, or a row is not of unit norm or holds NaN.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static IdScores Score(
        Embeddings stream, Embeddings idTexts, Embeddings negativeTexts, Embeddings? noise = null, TanlOptions? options = null)
    {
        options ??= new TanlOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.QueueLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SelectedLabels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        Scores.CheckScale(options.LogitScale);
        ConfidentBands bands = new(options.Threshold, options.Gap);
        Matrix id = Similarity.Cosines(stream, idTexts);
        Matrix negative = Similarity.Cosines(stream, negativeTexts);
        Random random = new(options.Seed);
        ActivationQueue idQueue = Started(idTexts, idTexts, negativeTexts, random, options);
        ActivationQueue oodQueue = Started(noise, idTexts, negativeTexts, random, options);
        double[] scores = new double[id.Rows];
        for (int start = 0; start < scores.Length; start += options.BatchSize)
        {
            int end = Math.Min(start + options.BatchSize, scores.Length);
            int[] order = [.. Order(oodQueue.Mean(), idQueue.Mean()).Take(options.SelectedLabels)];
            Parallel.For(start, end, i => scores[i] = Score(id[i], negative[i], order, options.LogitScale));
            for (int i = start; i < end; i++)
            {
                (bands.IsId(scores[i]) ? idQueue : bands.IsOod(scores[i]) ? oodQueue : null)
                    ?.Enqueue(Activation(id[i], negative[i], options.LogitScale));
            }
        }

        return new IdScores("TANL", scores);
    }

    private static double Score(ReadOnlySpan<double> idCosines, ReadOnlySpan<double> negativeCosines, int[] order, double logitScale)
    {
        (double max, double idMass) = NegativeLabels.Mass(idCosines, logitScale);
        double negativeMass = 0;
        double sum = 0;
        foreach (int j in order)
        {
            negativeMass += Math.Exp(logitScale * (negativeCosines[j] - max));
            sum += idMass / (idMass + negativeMass);
        }

        return sum / order.Length;
    }

    private static double[] Activation(ReadOnlySpan<double> idCosines, ReadOnlySpan<double> negativeCosines, double logitScale)
    {
        Matrix joint = new(1, idCosines.Length + negativeCosines.Length, (double[])[.. idCosines, .. negativeCosines]);
        return Scores.Softmax(joint.Scale(logitScale))[0][idCosines.Length..].ToArray();
    }

    private static ActivationQueue Started(
        Embeddings? images, Embeddings idTexts, Embeddings negativeTexts, Random random, TanlOptions options)
    {
        ActivationQueue queue = new(options.QueueLength, negativeTexts.Rows);
        if (images is null || images.Rows == 0)
        {
            return queue;
        }

        int[] order = [.. Enumerable.Range(0, images.Rows)];
        random.Shuffle(order);
        Embeddings drawn = images.Select(order[..Math.Min(order.Length, options.QueueLength)]);
        Matrix id = Similarity.Cosines(drawn, idTexts);
        Matrix negative = Similarity.Cosines(drawn, negativeTexts);
        for (int i = 0; i < drawn.Rows; i++)
        {
            queue.Enqueue(Activation(id[i], negative[i], options.LogitScale));
        }

        return queue;
    }

    /// <summary>The activations of the latest images; an empty queue has none, so that its mean is 0 for every negative.</summary>
    private sealed class ActivationQueue(int capacity, int negatives)
    {
        private readonly Queue<double[]> _rows = [];

        public void Enqueue(double[] activation)
        {
            if (_rows.Count == capacity)
            {
                _rows.Dequeue();
            }

            _rows.Enqueue(activation);
        }

        public double[] Mean()
        {
            double[] mean = new double[negatives];
            foreach (double[] row in _rows)
            {
                TensorPrimitives.Add(mean, row, mean);
            }

            TensorPrimitives.Divide(mean, Math.Max(1, _rows.Count), mean);
            return mean;
        }
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new StreamDetector(
            new()
            {
                Key = "tanl",
                Name = "TANL",
                Family = DetectorFamily.TestTimeAdaptive,
                Authors = "Zhang et al.",
                Title = "Activation Matters: Test-time Activated Negative Labels for OOD Detection with Vision-Language Models",
                Year = 2026,
                Url = new Uri("https://arxiv.org/abs/2603.25250"),
                ReferenceCode = "YBZh/OpenOOD-VLM",
                Equation = "mean over m of Σ over classes of softmax(100 s) over classes and the m most activated negatives",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText | DetectorInputs.Stream,
                Member = "Tanl.Score",
                Notebook = 9,
                Golden = "tanl_cumulative",
                Substitute = "a threshold of 0.5 in place of an adaptive one, and no batch-adaptive activations",
            },
            fit =>
            {
                TanlOptions options = new() { LogitScale = fit.Scale, Seed = fit.Seed };
                return stream => Score(stream, fit.Text, fit.Known.Words.Features, fit.Known.Noise, options);
            }),
    ];
}
