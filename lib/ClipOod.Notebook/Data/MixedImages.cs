namespace ClipOod.Notebook;

/// <summary>
/// ID and OOD test images in one shuffled order, as methods meet them that adapt while they test. The order changes their scores, so that
/// it has a seed.
/// </summary>
internal sealed class MixedImages
{
    private readonly int[] _order;
    private readonly int _idCount;

    private MixedImages(Embeddings images, int[] order, int idCount)
    {
        Images = images;
        _order = order;
        _idCount = idCount;
    }

    /// <summary>The images in the order of the stream, shape (N+M, D).</summary>
    public Embeddings Images { get; }

    /// <summary>Whether each image of the stream is ID.</summary>
    public IReadOnlyList<bool> IsId => [.. _order.Select(row => row < _idCount)];

    /// <summary>Mixes the two sets.</summary>
    /// <param name="id">Features of the ID images, shape (N, D).</param>
    /// <param name="ood">Features of the OOD images, shape (M, D).</param>
    /// <param name="seed">The same seed gives the same order.</param>
    /// <exception cref="ArgumentException">The widths differ.</exception>
    public static MixedImages Shuffle(Embeddings id, Embeddings ood, int seed)
    {
        ArgumentNullException.ThrowIfNull(id);
        Embeddings all = id.Append(ood);
        int[] order = [.. Enumerable.Range(0, all.Rows)];
        new Random(seed).Shuffle(order);
        return new MixedImages(all.Select(order), order, id.Rows);
    }

    /// <summary>Scores of the stream as those of the ID images and those of the OOD images, each in the order they were given in.</summary>
    /// <param name="scores">One score per image of the stream.</param>
    /// <exception cref="ArgumentException">There are not as many scores as images.</exception>
    public (IdScores Id, IdScores Ood) Split(IdScores scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count != _order.Length)
        {
            throw new ArgumentException($"Got {scores.Count} scores for a stream of {_order.Length} images.", nameof(scores));
        }

        double[] unshuffled = new double[_order.Length];
        for (int i = 0; i < _order.Length; i++)
        {
            unshuffled[_order[i]] = scores[i];
        }

        return (new IdScores(scores.Name, unshuffled[.._idCount]), new IdScores(scores.Name, unshuffled[_idCount..]));
    }
}
