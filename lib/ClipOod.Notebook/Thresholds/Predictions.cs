namespace ClipOod.Notebook;

/// <summary>
/// What a classifier says of N images: the predicted class, the confidence (largest probability) and the entropy of the
/// probabilities in nats; and, where they are known, the true classes. Thresholds are fitted on it and applied to it.
/// </summary>
public sealed class Predictions
{
    /// <summary>Rounding that carries a probability over 1 or an entropy over ln K or under 0 is let through.</summary>
    private const double Slack = 1e-6;

    /// <summary>Takes predictions that were computed elsewhere. The lists must not be changed afterwards.</summary>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="predicted">Predicted classes, N values of 0 to K−1.</param>
    /// <param name="confidence">Largest probabilities, N values in [0, 1].</param>
    /// <param name="entropy">Entropies in nats, N values in [0, ln K].</param>
    /// <param name="labels">True classes, N values of 0 to K−1; null where unknown, as for OOD images.</param>
    /// <exception cref="ArgumentException">Lengths differ, a class is out of range, or a value is NaN or out of range.</exception>
    public Predictions(
        int numClasses, IReadOnlyList<int> predicted, IReadOnlyList<double> confidence, IReadOnlyList<double> entropy, IReadOnlyList<int>? labels = null)
    {
        ArgumentNullException.ThrowIfNull(predicted);
        ArgumentNullException.ThrowIfNull(confidence);
        ArgumentNullException.ThrowIfNull(entropy);
        if (numClasses < 2)
        {
            throw new ArgumentOutOfRangeException(
                nameof(numClasses), numClasses, "Expected at least 2 classes: with one class every prediction is certain.");
        }

        ThrowIfInvalid(predicted, predicted.Count, 0, numClasses - 1, "Predicted class", nameof(predicted));
        ThrowIfInvalid(confidence, predicted.Count, 0, 1, "Confidence", nameof(confidence));
        ThrowIfInvalid(entropy, predicted.Count, 0, Math.Log(numClasses), "Entropy", nameof(entropy));
        if (labels is not null)
        {
            ThrowIfInvalid(labels, predicted.Count, 0, numClasses - 1, "Label", nameof(labels));
        }

        NumClasses = numClasses;
        Predicted = predicted;
        Confidence = confidence;
        Entropy = entropy;
        Labels = labels;
    }

    /// <summary>Number of classes, K.</summary>
    public int NumClasses { get; }

    /// <summary>Number of images, N.</summary>
    public int Count => Predicted.Count;

    /// <summary>Predicted classes, 0 to K−1.</summary>
    public IReadOnlyList<int> Predicted { get; }

    /// <summary>Largest probabilities, in [0, 1].</summary>
    public IReadOnlyList<double> Confidence { get; }

    /// <summary>Entropies in nats, in [0, ln K].</summary>
    public IReadOnlyList<double> Entropy { get; }

    /// <summary>True classes, 0 to K−1; null where unknown.</summary>
    public IReadOnlyList<int>? Labels { get; }

    /// <summary>Whether the predicted class of each image is the true one.</summary>
    /// <exception cref="InvalidOperationException">The predictions have no labels.</exception>
    public bool[] Correct => Compare(wanted: true);

    /// <summary>Whether the predicted class of each image is not the true one.</summary>
    /// <inheritdoc cref="Correct" path="/exception"/>
    public bool[] Wrong => Compare(wanted: false);

    /// <summary>Share of the images whose predicted class is the true one; NaN where there is no image.</summary>
    /// <inheritdoc cref="Correct" path="/exception"/>
    public double Accuracy => Correct.Count(c => c) / (double)Count;

    /// <summary>Reads predictions off class probabilities.</summary>
    /// <param name="probabilities">Shape (N, K), rows that sum to 1.</param>
    /// <param name="labels">True classes, N values of 0 to K−1; null where unknown.</param>
    /// <exception cref="ArgumentException">A row does not sum to 1, or the labels do not fit.</exception>
    public static Predictions FromProbabilities(Matrix probabilities, IReadOnlyList<int>? labels = null)
    {
        double[] entropy = Scores.Entropy(probabilities);
        int[] predicted = probabilities.ArgMax();
        double[] confidence = [.. predicted.Select((c, i) => probabilities[i, c])];
        return new Predictions(probabilities.Columns, predicted, confidence, entropy, labels);
    }

    /// <summary>Reads predictions off logits, through their softmax.</summary>
    /// <param name="logits">Shape (N, K): cosines times the logit scale (100 for CLIP), or the outputs of a linear head.</param>
    /// <param name="labels">True classes, N values of 0 to K−1; null where unknown.</param>
    /// <exception cref="ArgumentException">A logit is NaN or infinite, or the labels do not fit.</exception>
    public static Predictions FromLogits(Matrix logits, IReadOnlyList<int>? labels = null) =>
        FromProbabilities(Scores.Softmax(logits), labels);

    /// <summary>What zero-shot CLIP says of images: the softmax of their scaled cosines with the class texts.</summary>
    /// <param name="images">N images; their labels are taken along where their classes are those of the texts.</param>
    /// <param name="text">Text features of the K classes, as wide as those of the images.</param>
    /// <param name="logitScale">The factor from cosines to logits, 100 for released CLIP.</param>
    public static Predictions ZeroShot(FeatureSet images, TextFeatures text, double logitScale)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(text);
        Matrix logits = Similarity.Cosines(images.Features, text.Features).Scale(logitScale);
        return FromLogits(logits, images.Classes.SequenceEqual(text.Classes) ? images.Labels : null);
    }

    /// <summary>The predictions of the given images, in the given order.</summary>
    /// <param name="indices">Positions, each 0 to N−1.</param>
    public Predictions Select(IEnumerable<int> indices)
    {
        int[] kept = [.. indices];
        return new Predictions(
            NumClasses,
            Array.ConvertAll(kept, i => Predicted[i]),
            Array.ConvertAll(kept, i => Confidence[i]),
            Array.ConvertAll(kept, i => Entropy[i]),
            Labels is null ? null : Array.ConvertAll(kept, i => Labels[i]));
    }

    /// <summary>The predictions that are right: what a detector of mistakes should leave alone.</summary>
    /// <inheritdoc cref="Correct" path="/exception"/>
    public Predictions OnlyCorrect()
    {
        bool[] correct = Correct;
        return Select(Enumerable.Range(0, Count).Where(i => correct[i]));
    }

    private bool[] Compare(bool wanted)
    {
        if (Labels is null)
        {
            throw new InvalidOperationException("These predictions have no labels: pass the true classes where they are made.");
        }

        return [.. Predicted.Zip(Labels, (predicted, label) => predicted == label == wanted)];
    }

    private static void ThrowIfInvalid<T>(IReadOnlyList<T> values, int count, double low, double high, string what, string parameter)
        where T : System.Numerics.INumber<T>
    {
        if (values.Count != count)
        {
            throw new ArgumentException($"Got {values.Count} values, expected {count}, one per predicted class.", parameter);
        }

        for (int i = 0; i < count; i++)
        {
            double value = double.CreateChecked(values[i]);
            if (!(value >= low - Slack && value <= high + Slack))
            {
                throw new ArgumentException(
                    FormattableString.Invariant($"{what} {i} of {count} is {values[i]}, expected {low} to {Math.Round(high, 4)}."),
                    parameter);
            }
        }
    }
}
