namespace ClipOod.Notebook;

/// <summary>
/// Zero-shot classes in place of true labels, and the images sure enough to train on (PLP, arXiv 2303.05828; the 90 % filter is in the paper, not in its released code).
/// </summary>
public sealed class PseudoLabels
{
    private PseudoLabels(int[] labels, int[] kept, int[] rescued, int[] empty)
    {
        Labels = labels;
        Kept = kept;
        RescuedClasses = rescued;
        EmptyClasses = empty;
    }

    /// <summary>Most probable class of every image, N values; ties go to the lowest class.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>Rows of the images to train on, rising.</summary>
    public IReadOnlyList<int> Kept { get; }

    /// <summary>The pseudo-labels of the kept images, in their order.</summary>
    internal IReadOnlyList<int> KeptLabels => [.. Kept.Select(row => Labels[row])];

    /// <summary>Classes that the filter would have emptied and whose most probable images were kept, rising.</summary>
    public IReadOnlyList<int> RescuedClasses { get; }

    /// <summary>Classes that no image was given, before any filter, rising.</summary>
    public IReadOnlyList<int> EmptyClasses { get; }

    /// <summary>Labels every image with its most probable class and keeps those at or above a probability.</summary>
    /// <param name="probabilities">Zero-shot probabilities at logit scale 100, shape (N, K); at scale 1 nothing reaches 0.9.</param>
    /// <param name="minProbability">Smallest accepted maximum, 0 to 1; 0 keeps all, as PLP's released code does. Defaults to the document's 0.9.</param>
    /// <param name="keepAtLeastPerEmptyClass">
    /// How many images, most probable first, a class keeps that would otherwise lose all, so that the head is defined
    /// for it. Defaults to 10.
    /// </param>
    /// <exception cref="ArgumentException">A maximum is no probability.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public static PseudoLabels From(Matrix probabilities, double minProbability = 0.9, int keepAtLeastPerEmptyClass = 10)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        if (minProbability is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(minProbability), minProbability, "Expected a probability, 0 to 1.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(keepAtLeastPerEmptyClass);
        int[] labels = probabilities.ArgMax();
        double[] maxima = [.. labels.Select((label, i) => probabilities[i, label])];
        int bad = Array.FindIndex(maxima, p => p is not (>= 0 and <= 1 + 1e-6));
        if (bad >= 0)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The maximum of row {bad} is {maxima[bad]}, expected a probability, 0 to 1. Pass softmax probabilities, not logits."),
                nameof(probabilities));
        }

        ILookup<int, int> rowsOf = Enumerable.Range(0, labels.Length).ToLookup(row => labels[row]);
        int[] classes = [.. Enumerable.Range(0, probabilities.Columns)];
        int[] empty = [.. classes.Where(c => !rowsOf.Contains(c))];
        int[] rescued = [.. classes.Except(empty).Where(c => rowsOf[c].All(row => maxima[row] < minProbability))];
        IEnumerable<int> sure = Enumerable.Range(0, labels.Length).Where(row => maxima[row] >= minProbability);
        IEnumerable<int> saved = rescued.SelectMany(c => rowsOf[c].OrderByDescending(row => maxima[row]).Take(keepAtLeastPerEmptyClass));
        return new PseudoLabels(labels, [.. sure.Concat(saved).Order()], keepAtLeastPerEmptyClass > 0 ? rescued : [], empty);
    }
}
