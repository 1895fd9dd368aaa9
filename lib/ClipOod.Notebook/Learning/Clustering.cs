using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// Agreement between clusters and classes. The numbers that name them have no meaning beyond equality; −1 (noise) is an
/// ordinary name here, while <see cref="Evaluate"/> leaves it out. The methods throw <see cref="ArgumentException"/> when
/// the lengths differ or there is no sample.
/// </summary>
public static class Clustering
{
    /// <summary>Share of the samples that belong to the most frequent class of their cluster, in (0, 1].</summary>
    /// <param name="clusters">Cluster of each sample.</param>
    /// <param name="classes">Class of each sample.</param>
    public static double Purity(IReadOnlyList<int> clusters, IReadOnlyList<int> classes) =>
        Contingency(clusters, classes).Cells.GroupBy(cell => cell.Key.Cluster).Sum(cluster => cluster.Max(cell => cell.Value))
            / (double)clusters.Count;

    /// <summary>
    /// Normalised mutual information with the arithmetic mean of the two entropies (scikit-learn's default), in [0, 1];
    /// 1 where both are a single group.
    /// </summary>
    /// <inheritdoc cref="Purity"/>
    public static double Nmi(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        (var cells, var ofCluster, var ofClass) = Contingency(clusters, classes);
        double n = clusters.Count;
        if (ofCluster.Count == 1 && ofClass.Count == 1)
        {
            return 1;
        }

        double information = cells.Sum(cell =>
            cell.Value / n * Math.Log(cell.Value * n / ((double)ofCluster[cell.Key.Cluster] * ofClass[cell.Key.Class])));
        double entropies = -(ofCluster.Values.Concat(ofClass.Values).Sum(count => count / n * Math.Log(count / n)));

        // Rounding may leave an information of 0 slightly below it.
        return Math.Clamp(information / (entropies / 2), 0, 1);
    }

    /// <summary>
    /// Adjusted Rand index: agreement on pairs of samples, corrected for chance; at most 1, around 0 for random clusters.
    /// </summary>
    /// <remarks>Hubert and Arabie 1985.</remarks>
    /// <inheritdoc cref="Purity"/>
    public static double Ari(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        (var cells, var ofCluster, var ofClass) = Contingency(clusters, classes);
        double together = Pairs(cells.Values), inCluster = Pairs(ofCluster.Values), inClass = Pairs(ofClass.Values);
        double expected = clusters.Count == 1 ? 0 : inCluster * inClass / Pairs([clusters.Count]);
        double largest = (inCluster + inClass) / 2;

        // Equal only when both are one group or both are all single samples: the same partition.
        return largest == expected ? 1 : (together - expected) / (largest - expected);
    }

    /// <summary>Quality of clusters over the samples that are in one, and the share that is not.</summary>
    /// <param name="clusters">Cluster of each sample; −1 is noise.</param>
    /// <param name="classes">Class of each sample.</param>
    public static ClusterQuality Evaluate(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        ThrowIfInvalid(clusters, classes);
        int[] kept = [.. Enumerable.Range(0, clusters.Count).Where(i => clusters[i] != DbscanResult.Noise)];
        int[] clustered = Array.ConvertAll(kept, i => clusters[i]);
        int[] trueClasses = Array.ConvertAll(kept, i => classes[i]);
        double noise = (clusters.Count - kept.Length) / (double)clusters.Count;
        return kept.Length == 0
            ? new ClusterQuality(0, noise, double.NaN, double.NaN, double.NaN)
            : new ClusterQuality(
                clustered.Distinct().Count(), noise, Purity(clustered, trueClasses), Nmi(clustered, trueClasses), Ari(clustered, trueClasses));
    }

    /// <summary>
    /// The one-to-one matching of clusters with classes that puts the most samples into the class of their cluster
    /// (Hungarian matching). With fewer classes than clusters some clusters have no entry; noise (−1) never has one.
    /// </summary>
    /// <param name="clusters">Cluster of each sample.</param>
    /// <param name="classes">Class of each sample.</param>
    /// <returns>The class of each matched cluster, by cluster.</returns>
    internal static IReadOnlyDictionary<int, int> Match(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        var cells = Contingency(clusters, classes).Cells;
        int[] clusterNames = [.. clusters.Where(c => c != DbscanResult.Noise).Distinct().Order()];
        int[] classNames = [.. classes.Distinct().Order()];
        if (clusterNames.Length == 0)
        {
            return new SortedDictionary<int, int>();
        }

        double[] costs = [.. clusterNames.SelectMany(k => classNames.Select(c => -(double)cells.GetValueOrDefault((k, c))))];
        int[] matched = Hungarian(new Matrix(clusterNames.Length, classNames.Length, costs));
        return new SortedDictionary<int, int>(Enumerable.Range(0, matched.Length).Where(i => matched[i] >= 0)
            .ToDictionary(i => clusterNames[i], i => classNames[matched[i]]));
    }

    /// <summary>
    /// The assignment of rows to columns, each used at most once, with the smallest total cost; min(rows, columns) rows
    /// are assigned. Takes rows²·columns steps (the shortest-augmenting-path form of the Hungarian algorithm).
    /// </summary>
    /// <param name="cost">Finite costs, one row and one column per side; negate a benefit.</param>
    /// <returns>The column of each row, or −1.</returns>
    /// <remarks>Kuhn 1955; Jonker and Volgenant 1987.</remarks>
    internal static int[] Hungarian(Matrix cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        for (int i = 0; i < cost.Rows * cost.Columns; i++)
        {
            if (!double.IsFinite(cost.Values[i]))
            {
                throw new ArgumentException(
                    FormattableString.Invariant($"The cost of row {i / cost.Columns}, column {i % cost.Columns} is {cost.Values[i]}, expected a finite number."),
                    nameof(cost));
            }
        }

        // The algorithm assigns every row, so the smaller side takes that part.
        bool transposed = cost.Rows > cost.Columns;
        int[] rowOf = transposed
            ? RowOfColumn(cost.Columns, cost.Rows, (i, j) => cost[j, i])
            : RowOfColumn(cost.Rows, cost.Columns, (i, j) => cost[i, j]);
        if (transposed)
        {
            return rowOf;
        }

        int[] columnOf = new int[cost.Rows];
        for (int column = 0; column < rowOf.Length; column++)
        {
            if (rowOf[column] >= 0)
            {
                columnOf[rowOf[column]] = column;
            }
        }

        return columnOf;
    }

    /// <summary>The row of each column, or −1; there are at least as many columns as rows.</summary>
    private static int[] RowOfColumn(int rows, int columns, Func<int, int, double> cost)
    {
        int[] rowOf = new int[columns];
        Array.Fill(rowOf, -1);
        double[] rowPotential = new double[rows], columnPotential = new double[columns];
        for (int start = 0; start < rows; start++)
        {
            double[] distance = new double[columns];
            int[] previous = new int[columns];
            bool[] done = new bool[columns];
            Array.Fill(distance, double.PositiveInfinity);
            int row = start, column = -1;
            do
            {
                int nearest = -1;
                for (int j = 0; j < columns; j++)
                {
                    if (done[j])
                    {
                        continue;
                    }

                    double reduced = cost(row, j) - rowPotential[row] - columnPotential[j];
                    if (reduced < distance[j])
                    {
                        (distance[j], previous[j]) = (reduced, column);
                    }

                    if (nearest < 0 || distance[j] < distance[nearest])
                    {
                        nearest = j;
                    }
                }

                // Keeps the reduced costs of the tree at 0 and those outside at least 0.
                double step = distance[nearest];
                rowPotential[start] += step;
                for (int j = 0; j < columns; j++)
                {
                    if (done[j])
                    {
                        rowPotential[rowOf[j]] += step;
                        columnPotential[j] -= step;
                    }
                    else
                    {
                        distance[j] -= step;
                    }
                }

                done[nearest] = true;
                column = nearest;
                row = rowOf[nearest];
            }
            while (row >= 0);

            // Shifts the assignments along the path that was found.
            for (; column >= 0; column = previous[column])
            {
                rowOf[column] = previous[column] < 0 ? start : rowOf[previous[column]];
            }
        }

        return rowOf;
    }

    private static double Pairs(IEnumerable<int> counts) => counts.Sum(count => count * (count - 1.0) / 2);

    private static (Dictionary<(int Cluster, int Class), int> Cells, Dictionary<int, int> OfCluster, Dictionary<int, int> OfClass)
        Contingency(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        ThrowIfInvalid(clusters, classes);
        return (
            clusters.Zip(classes, (cluster, @class) => (cluster, @class)).CountBy(pair => pair).ToDictionary(),
            clusters.CountBy(cluster => cluster).ToDictionary(),
            classes.CountBy(@class => @class).ToDictionary());
    }

    private static void ThrowIfInvalid(IReadOnlyList<int> clusters, IReadOnlyList<int> classes)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(classes);
        if (clusters.Count != classes.Count || clusters.Count == 0)
        {
            throw new ArgumentException(
                $"Got {clusters.Count} clusters and {classes.Count} classes, expected one of each per sample and at least one sample.", nameof(classes));
        }
    }
}

/// <summary>Quality of clusters; the three indices are over the samples that are in a cluster, NaN where none is.</summary>
/// <param name="Clusters">Number of clusters.</param>
/// <param name="NoiseShare">Share of all samples that are in no cluster.</param>
/// <param name="Purity">See <see cref="Clustering.Purity"/>.</param>
/// <param name="Nmi">See <see cref="Clustering.Nmi"/>.</param>
/// <param name="Ari">See <see cref="Clustering.Ari"/>; multiplied by 100 in the table like the others.</param>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed record ClusterQuality(int Clusters, double NoiseShare, double Purity, double Nmi, double Ari)
{
    /// <summary>The values as a table in percent.</summary>
    public ResultTable ToTable() => RateTable.Of(
        $"{Numbers.Count(Clusters)} clusters", ("Share of noise", NoiseShare), ("Purity", Purity), ("NMI", Nmi), ("ARI", Ari));

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();
}
