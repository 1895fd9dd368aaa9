using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// The seminar's next step (document A): the clusters found among uncertain images become new classes beside the K
/// known ones, and a fresh linear head with K + M outputs is trained on both.
/// </summary>
public sealed class ClusterModel
{
    /// <summary>Fewest members of a cluster that becomes a class.</summary>
    internal const int DefaultMinMembers = 30;

    private ClusterModel(LinearHead head, int numIdClasses, int[] clusters, int used, IReadOnlyList<int> labels)
    {
        Head = head;
        NumIdClasses = numIdClasses;
        Clusters = clusters;
        NoiseShare = labels.Count(c => c == DbscanResult.Noise) / (double)labels.Count;
        UnusedShare = 1 - (used / (double)labels.Count);
    }

    /// <summary>The head with K + M outputs: first the ID classes, then the new ones.</summary>
    public LinearHead Head { get; }

    /// <summary>K.</summary>
    internal int NumIdClasses { get; }

    /// <summary>The clusters that became classes, rising; cluster Clusters[i] is class K + i.</summary>
    public IReadOnlyList<int> Clusters { get; }

    /// <summary>M, the number of new classes.</summary>
    public int NumNewClasses => Clusters.Count;

    /// <summary>Share of the uncertain images that the clustering left as noise, 0 to 1.</summary>
    public double NoiseShare { get; }

    /// <summary>Share of the uncertain images that were not trained on: noise and members of small clusters, 0 to 1.</summary>
    public double UnusedShare { get; }

    /// <summary>Trains a fresh head on the ID training set and the clusters that are large enough.</summary>
    /// <param name="idFeatures">ID training features, shape (N, D).</param>
    /// <param name="idLabels">Their classes, 0 to K−1.</param>
    /// <param name="numIdClasses">K, at least 1.</param>
    /// <param name="uncertain">Features of the uncertain images, shape (U, D), U at least 1.</param>
    /// <param name="clusters">Cluster of each uncertain image, 0 upwards, −1 for noise; U of them.</param>
    /// <param name="options">How the head is trained.</param>
    /// <param name="minMembers">Fewest members of a cluster that becomes a class, at least 1. Defaults to 30.</param>
    /// <exception cref="ArgumentException">
    /// The clusters are not U in number, no cluster is large enough, an ID label is out of range, or the features are
    /// refused by <see cref="LinearHead.Train"/>.
    /// </exception>
    public static ClusterModel Train(
        Embeddings idFeatures,
        IReadOnlyList<int> idLabels,
        int numIdClasses,
        Embeddings uncertain,
        IReadOnlyList<int> clusters,
        HeadOptions options,
        int minMembers = DefaultMinMembers)
    {
        ArgumentNullException.ThrowIfNull(idFeatures);
        ArgumentNullException.ThrowIfNull(idLabels);
        ArgumentNullException.ThrowIfNull(uncertain);
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentOutOfRangeException.ThrowIfLessThan(minMembers, 1);
        Similarity.RequireRows(uncertain, nameof(uncertain));
        if (clusters.Count != uncertain.Rows)
        {
            throw new ArgumentException($"Got {clusters.Count} clusters for {uncertain.Rows} uncertain images.", nameof(clusters));
        }

        LinearHead.RequireLabels(idLabels, idFeatures.Rows, numIdClasses, nameof(idLabels));
        IGrouping<int, int>[] groups = [.. clusters.Where(c => c != DbscanResult.Noise).GroupBy(c => c)];
        int[] kept = [.. groups.Where(group => group.Count() >= minMembers).Select(group => group.Key).Order()];
        if (kept.Length == 0)
        {
            int largest = groups.Select(group => group.Count()).DefaultIfEmpty().Max();
            throw new ArgumentException(
                $"The largest of {groups.Length} clusters has {largest} members, expected at least {minMembers} to make a class. Raise eps, lower minMembers, or cluster more images.",
                nameof(clusters));
        }

        int[] rows = [.. Enumerable.Range(0, clusters.Count).Where(row => kept.Contains(clusters[row]))];
        int[] labels = [.. idLabels, .. rows.Select(row => numIdClasses + Array.IndexOf(kept, clusters[row]))];
        LinearHead head = LinearHead.Train(
            idFeatures.Append(uncertain.Select(rows)), labels, numIdClasses + kept.Length, options);
        return new ClusterModel(head, numIdClasses, kept, rows.Length, clusters);
    }

    /// <summary>Measures the model on held-out data.</summary>
    /// <param name="idFeatures">Held-out ID features, shape (N, D), N at least 1.</param>
    /// <param name="idLabels">Their classes, 0 to K−1; N of them.</param>
    /// <param name="newFeatures">Held-out features of the new classes, shape (U, D), U at least 1.</param>
    /// <param name="hiddenLabels">Their true classes, which the training did not see, in numbers of their own; U of them.</param>
    /// <exception cref="ArgumentException">A set is empty, or labels and rows differ in number.</exception>
    public ClusterModelQuality Evaluate(
        Embeddings idFeatures, IReadOnlyList<int> idLabels, Embeddings newFeatures, IReadOnlyList<int> hiddenLabels)
    {
        ArgumentNullException.ThrowIfNull(idFeatures);
        ArgumentNullException.ThrowIfNull(newFeatures);
        Similarity.RequireRows(idFeatures, nameof(idFeatures));
        LinearHead.RequireLabels(idLabels, idFeatures.Rows, NumIdClasses, nameof(idLabels));
        int[] idPredicted = Head.Logits(idFeatures).ArgMax();
        int[] clusters = [.. Head.Logits(newFeatures).ArgMax().Select(c => c < NumIdClasses ? DbscanResult.Noise : c)];
        IReadOnlyDictionary<int, int> classOf = Clustering.Match(clusters, hiddenLabels);
        return new ClusterModelQuality(
            idPredicted.Where((predicted, i) => predicted == idLabels[i]).Count() / (double)idPredicted.Length,
            clusters.Where((cluster, i) => classOf.TryGetValue(cluster, out int matched) && matched == hiddenLabels[i]).Count() / (double)clusters.Length,
            Clustering.Evaluate(clusters, hiddenLabels));
    }
}

/// <summary>How well a <see cref="ClusterModel"/> does on held-out data. Shares are 0 to 1.</summary>
/// <param name="IdAccuracy">Share of the ID images given their class among all K + M.</param>
/// <param name="NewClassAccuracy">
/// Share of the images of new classes given the new class that the Hungarian method matches with their true one; an
/// image given an ID class counts as wrong.
/// </param>
/// <param name="Assigned">
/// Purity, NMI and ARI over the images given a new class; its noise share is the share given an ID class.
/// </param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record ClusterModelQuality(double IdAccuracy, double NewClassAccuracy, ClusterQuality Assigned)
{
    /// <summary>The values as a table, in percent.</summary>
    public ResultTable ToTable() => RateTable.Of(
        $"{Assigned.Clusters} new classes on held-out data",
        ("ID accuracy", IdAccuracy),
        ("New-class accuracy", NewClassAccuracy),
        ("Taken for ID", Assigned.NoiseShare),
        ("Purity", Assigned.Purity),
        ("NMI", Assigned.Nmi),
        ("ARI", Assigned.Ari));

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();
}
