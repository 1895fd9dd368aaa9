using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>How <see cref="Dbscan"/> measures the distance of two rows.</summary>
public enum DbscanMetric
{
    /// <summary>1 − cosine, in [0, 2]; rows need not be unit-norm. A row of zeros is at distance 1 from every other.</summary>
    Cosine,

    /// <summary>Euclidean distance; on unit-norm rows an eps of √(2·e) equals a cosine eps of e.</summary>
    Euclidean,
}

/// <summary>
/// DBSCAN: clusters are connected regions with at least minPoints rows within eps (Ester et al. 1996). Distances are single
/// precision; they are computed in rows and never stored, so that memory does not grow with the square of the rows.
/// </summary>
/// <remarks>Ester, Kriegel, Sander and Xu 1996.</remarks>
public static class Dbscan
{
    private const int RowsPerBlock = 16;

    /// <summary>
    /// Clusters rows. A neighbourhood is every row at a distance of at most <paramref name="eps"/>, the row itself
    /// included; a row is core when its neighbourhood holds at least <paramref name="minPoints"/> rows. Clusters are
    /// numbered by their first core row; a border row joins the first cluster that reaches it; the rest is noise.
    /// </summary>
    /// <param name="rows">Shape (N, D), finite.</param>
    /// <param name="eps">Radius, at least 0, in the unit of the metric.</param>
    /// <param name="minPoints">At least 1; <see cref="DefaultMinPoints"/> gives the default.</param>
    /// <param name="metric">Defaults to Cosine.</param>
    /// <exception cref="ArgumentOutOfRangeException">eps is negative, NaN or infinite, or minPoints is below 1.</exception>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public static DbscanResult Run(Embeddings rows, double eps, int minPoints, DbscanMetric metric = DbscanMetric.Cosine)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(minPoints, 1);
        if (!(eps >= 0 && double.IsFinite(eps)))
        {
            throw new ArgumentOutOfRangeException(nameof(eps), eps, "Expected a finite distance of at least 0, such as KDistances(...).Eps.");
        }

        // Rows that are not core have few neighbours, which are kept: among them are the cores that they border on.
        bool[] core = new bool[rows.Rows];
        int[][] neighbours = new int[rows.Rows][];
        ForEachRow(rows, metric, (i, distances) =>
        {
            var found = new List<int>(minPoints);
            for (int j = 0; j < distances.Length && found.Count < minPoints; j++)
            {
                if (distances[j] <= eps)
                {
                    found.Add(j);
                }
            }

            core[i] = found.Count == minPoints;
            neighbours[i] = core[i] ? [] : [.. found];
        });

        var sets = new DisjointSets(rows.Rows);
        ForEachRow(rows, metric, (i, distances) =>
        {
            if (core[i])
            {
                lock (sets)
                {
                    // Each pair once: the earlier rows of this one.
                    for (int j = 0; j < i; j++)
                    {
                        if (core[j] && distances[j] <= eps)
                        {
                            sets.Join(i, j);
                        }
                    }
                }
            }
        }, earlierOnly: true);

        return new DbscanResult(Label(core, neighbours, sets), core);
    }

    /// <summary>
    /// Clusters by a radius that the data give: the knee of the k-distances, rounded to three digits so that the last bits of a cosine decide
    /// nothing, and a twentieth less as long as one cluster holds more than half of all rows, which is no class. Cosine distance,
    /// <see cref="DefaultMinPoints"/>.
    /// </summary>
    /// <param name="rows">Unit-norm features, shape (N, D), N larger than the number of neighbours.</param>
    /// <returns>The radius, and the clusters; there may be none.</returns>
    public static (double Eps, DbscanResult Result) RunAtKnee(Embeddings rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        int minPoints = DefaultMinPoints(rows.Rows);
        double eps = Math.Round(KDistances(rows, minPoints).Eps, 3);
        DbscanResult result = Run(rows, eps, minPoints);
        while (2 * result.Sizes.DefaultIfEmpty().Max() > rows.Rows)
        {
            eps = Math.Round(0.95 * eps, 3);
            result = Run(rows, eps, minPoints);
        }

        return (eps, result);
    }

    /// <summary>The default of minPoints: 2·⌈ln n⌉, within 4 to 20.</summary>
    /// <param name="n">Number of rows, at least 1.</param>
    public static int DefaultMinPoints(int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        return Math.Clamp(2 * (int)Math.Ceiling(Math.Log(n)), 4, 20);
    }

    /// <summary>
    /// The distance of each row to its k-th nearest other row; sorted, it bends where rows stop lying in dense regions,
    /// and the distance there is the default of eps.
    /// </summary>
    /// <param name="rows">Shape (N, D), finite.</param>
    /// <param name="k">1 to N−1; take minPoints.</param>
    /// <param name="metric">Defaults to Cosine.</param>
    /// <exception cref="ArgumentOutOfRangeException">k is not within 1 and N−1.</exception>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public static KDistanceCurve KDistances(Embeddings rows, int k, DbscanMetric metric = DbscanMetric.Cosine)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (k < 1 || k >= rows.Rows)
        {
            throw new ArgumentOutOfRangeException(
                nameof(k), k, $"Expected 1 to {rows.Rows - 1}: each of the {rows.Rows} rows has that many others.");
        }

        double[] result = new double[rows.Rows];
        ForEachRow(rows, metric, (i, distances) =>
        {
            // The row itself, at distance 0, is among the nearest, so that position k is the k-th other row.
            float[] nearest = new float[k + 1];
            Array.Fill(nearest, float.PositiveInfinity);
            foreach (float distance in distances)
            {
                if (distance < nearest[k])
                {
                    int at = k;
                    for (; at > 0 && nearest[at - 1] > distance; at--)
                    {
                        nearest[at] = nearest[at - 1];
                    }

                    nearest[at] = distance;
                }
            }

            result[i] = nearest[k];
        });
        return new KDistanceCurve(k, result);
    }

    private static int[] Label(bool[] core, int[][] neighbours, DisjointSets sets)
    {
        int[] labels = new int[core.Length];
        Dictionary<int, int> numbers = [];
        for (int i = 0; i < core.Length; i++)
        {
            if (core[i])
            {
                int root = sets.Find(i);
                numbers.TryAdd(root, numbers.Count);
                labels[i] = numbers[root];
            }
        }

        // The first cluster that reaches a border row is the one with the lowest number.
        for (int i = 0; i < core.Length; i++)
        {
            if (!core[i])
            {
                labels[i] = neighbours[i].Where(j => core[j]).Select(j => labels[j]).DefaultIfEmpty(DbscanResult.Noise).Min();
            }
        }

        return labels;
    }

    private delegate void RowVisitor(int row, ReadOnlySpan<float> distances);

    /// <summary>Hands the distances of each row to all rows (or only to itself and earlier ones) to a visitor, several rows at the same time.</summary>
    private static void ForEachRow(Embeddings rows, DbscanMetric metric, RowVisitor visit, bool earlierOnly = false)
    {
        if (rows.Rows > 0 && !TensorPrimitives.IsFiniteAll(rows.Values))
        {
            throw new ArgumentException("A value is NaN or infinite: check the features the rows were computed from.", nameof(rows));
        }

        Embeddings points = metric == DbscanMetric.Cosine ? rows.Normalized() : rows;
        int blocks = (points.Rows + RowsPerBlock - 1) / RowsPerBlock;
        Parallel.For(0, blocks, () => new float[RowsPerBlock * points.Rows], (block, _, buffer) =>
        {
            int first = block * RowsPerBlock;
            int count = Math.Min(RowsPerBlock, points.Rows - first);

            // Every row is read from memory once per block, not once per row of the block.
            for (int j = 0; j < (earlierOnly ? first + count : points.Rows); j++)
            {
                for (int i = 0; i < count; i++)
                {
                    buffer[(i * points.Rows) + j] = first + i == j ? 0
                        : metric == DbscanMetric.Cosine ? Math.Max(0, 1 - TensorPrimitives.Dot(points[first + i], points[j]))
                        : TensorPrimitives.Distance(points[first + i], points[j]);
                }
            }

            for (int i = 0; i < count; i++)
            {
                visit(first + i, buffer.AsSpan(i * points.Rows, earlierOnly ? first + i + 1 : points.Rows));
            }

            return buffer;
        }, _ => { });
    }

    private sealed class DisjointSets(int count)
    {
        private readonly int[] _parents = [.. Enumerable.Range(0, count)];

        public int Find(int i)
        {
            while (_parents[i] != i)
            {
                i = _parents[i] = _parents[_parents[i]];
            }

            return i;
        }

        public void Join(int i, int j) => _parents[Find(i)] = Find(j);
    }
}

/// <summary>The clusters that <see cref="Dbscan.Run"/> found among N rows.</summary>
/// <param name="Labels">Cluster of each row, 0 to Clusters−1, or <see cref="Noise"/>.</param>
/// <param name="Core">Whether each row is a core row.</param>
public sealed record DbscanResult(IReadOnlyList<int> Labels, IReadOnlyList<bool> Core)
{
    /// <summary>The label of rows in no cluster, −1.</summary>
    public const int Noise = -1;

    /// <summary>Number of clusters.</summary>
    public int Clusters => Labels.DefaultIfEmpty(Noise).Max() + 1;

    /// <summary>Number of rows in each cluster.</summary>
    public IReadOnlyList<int> Sizes => [.. Enumerable.Range(0, Clusters).Select(c => Labels.Count(label => label == c))];

    /// <summary>Share of the rows that are in no cluster; NaN where there is no row.</summary>
    public double NoiseShare => Labels.Count(label => label == Noise) / (double)Labels.Count;
}

/// <summary>The k-distances of N rows and the eps that their knee suggests.</summary>
public sealed class KDistanceCurve
{
    internal KDistanceCurve(int k, double[] perRow)
    {
        K = k;
        PerRow = perRow;
        double[] sorted = [.. perRow.Order()];
        Sorted = sorted;
        Knee = Enumerable.Range(0, sorted.Length).MaxBy(i => Math.Abs(Chord(sorted, i) - sorted[i]));
    }

    /// <summary>Which neighbour the distances are to, the row itself not counted.</summary>
    public int K { get; }

    /// <summary>Distance of each row to its k-th nearest other row, in the order of the rows.</summary>
    public IReadOnlyList<double> PerRow { get; }

    /// <summary>The same distances in ascending order: the curve to plot.</summary>
    public IReadOnlyList<double> Sorted { get; }

    /// <summary>Position in <see cref="Sorted"/> that is farthest from the straight line between its two ends; the first of equals.</summary>
    public int Knee { get; }

    /// <summary>The distance at the knee.</summary>
    public double Eps => Sorted[Knee];

    // The distance to the chord and the vertical one differ by a constant factor, whatever the scale of the axes.
    private static double Chord(double[] sorted, int i) =>
        sorted.Length == 1 ? sorted[0] : sorted[0] + ((sorted[^1] - sorted[0]) * i / (sorted.Length - 1));
}
