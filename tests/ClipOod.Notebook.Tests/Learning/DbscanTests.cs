using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class DbscanTests
{
    private static readonly Golden _golden = Golden.Get("dbscan");

    private static readonly Gen<(Embeddings Rows, double Eps, int MinPoints)> _cases = Gen.Select(
        Gen.Int[0, 12].Array[2].Array[1, 40].Where(rows => rows.Length > 0), Gen.Double[0, 3], Gen.Int[1, 5],
        (rows, eps, minPoints) => (Embeddings.FromRows([.. rows.Select(r => r.Select(v => v / 2.0).ToArray())]), eps, minPoints));

    [Fact]
    public void RunAtKnee_ShrinksARadiusThatJoinsHalfOfAll()
    {
        // Two fans of 20 directions, and a bridge between them.
        double[] angles = [.. Enumerable.Range(0, 20).SelectMany(i => new[] { 0.001 * i, 0.5 + (0.001 * i) }), .. Enumerable.Range(0, 5).Select(i => 0.1 + (0.08 * i))];
        Embeddings rows = Embeddings.FromRows([.. angles.Select(a => new[] { Math.Cos(a), Math.Sin(a) })]);
        (double eps, DbscanResult result) = Dbscan.RunAtKnee(rows);
        Assert.True(2 * result.Sizes.DefaultIfEmpty().Max() <= rows.Rows);
        Assert.Equal(Dbscan.Run(rows, eps, Dbscan.DefaultMinPoints(rows.Rows)).Labels, result.Labels);
    }

    [Fact]
    public void Run_OnTheGoldenCases_AgreesWithTheSpecification()
    {
        DbscanResult euclid = Run("euclid", _golden["inputs", "euclid", "min_samples"].WholeNumber, DbscanMetric.Euclidean);
        Assert.Equal(_golden["expected", "euclid_labels"].WholeNumbers, euclid.Labels);
        Assert.Equal(_golden["expected", "euclid_core"].WholeNumbers, CoreRows(euclid));
        Assert.Equal((2, 2 / 11.0), (euclid.Clusters, euclid.NoiseShare));
        Assert.Equal([5, 4], euclid.Sizes);

        DbscanResult cosine = Run("cosine", _golden["inputs", "cosine", "min_samples"].WholeNumber, DbscanMetric.Cosine);
        Assert.Equal(_golden["expected", "cosine_labels"].WholeNumbers, cosine.Labels);

        foreach (int minPoints in _golden["inputs", "border", "min_samples"].WholeNumbers)
        {
            DbscanResult border = Run("border", minPoints, DbscanMetric.Euclidean);
            Assert.Equal(_golden["expected", $"border_labels_ms{minPoints}"].WholeNumbers, border.Labels);
            Assert.Equal(_golden["expected", $"border_core_ms{minPoints}"].WholeNumbers, CoreRows(border));
        }
    }

    [Fact]
    public void KDistances_OnTheGoldenCase_AgreeWithTheSpecification() => Golden.AssertClose(
        _golden["expected", "k_distance_k3_excluding_self"].Numbers,
        Dbscan.KDistances(_golden["inputs", "euclid", "points"].Embeddings, 3, DbscanMetric.Euclidean).PerRow,
        Golden.ToleranceOfSingles);

    [Fact]
    public void Run_EqualsTheExpansionFromEachCoreInTurn() => _cases.Sample((rows, eps, minPoints) =>
    {
        DbscanResult result = Dbscan.Run(rows, eps, minPoints, DbscanMetric.Euclidean);
        Assert.Equal(Expand(rows, eps, minPoints), result.Labels);
    });

    [Fact]
    public void Run_OnShuffledRows_FindsTheSameCoresNoiseAndClustersOfCores() => Gen.Select(_cases, Gen.Int).Sample((one, seed) =>
    {
        int[] order = [.. Enumerable.Range(0, one.Rows.Rows)];
        new Random(seed).Shuffle(order);
        DbscanResult result = Dbscan.Run(one.Rows, one.Eps, one.MinPoints, DbscanMetric.Euclidean);
        DbscanResult shuffled = Dbscan.Run(one.Rows.Select(order), one.Eps, one.MinPoints, DbscanMetric.Euclidean);
        Assert.Equal(order.Select(i => result.Core[i]), shuffled.Core);
        Assert.Equal(order.Select(i => result.Labels[i] < 0), shuffled.Labels.Select(label => label < 0));
        int[] cores = [.. Enumerable.Range(0, order.Length).Where(i => shuffled.Core[i])];
        if (cores.Length > 0)
        {
            Assert.Equal(1, Clustering.Ari([.. cores.Select(i => result.Labels[order[i]])], [.. cores.Select(i => shuffled.Labels[i])]));
        }
    });

    [Fact]
    public void Run_OnUnitRows_ByEitherMetric_IsTheSameAtMatchingEps()
    {
        Embeddings rows = RandomRows(300, 3, seed: 5).Normalized();
        const double Eps = 0.01;
        DbscanResult cosine = Dbscan.Run(rows, Eps, 4), euclidean = Dbscan.Run(rows, Math.Sqrt(2 * Eps), 4, DbscanMetric.Euclidean);
        Assert.InRange(cosine.Clusters, 2, 100);
        Assert.Equal(euclidean.Labels, cosine.Labels);
    }

    [Fact]
    public void Run_ByCosine_IgnoresTheLengthOfRows()
    {
        Embeddings rows = RandomRows(200, 4, seed: 6);
        Assert.Equal(Dbscan.Run(rows.Normalized(), 0.05, 4).Labels, Dbscan.Run(rows, 0.05, 4).Labels);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(20, 6)]
    [InlineData(1000, 14)]
    [InlineData(1000000, 20)]
    public void DefaultMinPoints_GrowsWithTheLogarithm(int n, int expected) => Assert.Equal(expected, Dbscan.DefaultMinPoints(n));

    [Fact]
    public void KDistances_OfTwoDensities_BendWhereTheDenseRowsEnd()
    {
        // 90 rows 1 apart and 10 rows 50 apart: the knee lies at the dense distance.
        Embeddings rows = Embeddings.FromRows([.. Enumerable.Range(0, 100).Select(i => new double[] { i < 90 ? i : 1000 + (i * 50) })]);
        KDistanceCurve curve = Dbscan.KDistances(rows, 2, DbscanMetric.Euclidean);
        Assert.InRange(curve.Eps, 1, 2);
        Assert.Equal(curve.PerRow.Order(), curve.Sorted);
        Assert.Equal(10, Dbscan.Run(rows, curve.Eps, 2, DbscanMetric.Euclidean).Labels.Count(label => label == DbscanResult.Noise));
    }

    [Fact]
    public void Dbscan_OfBadInput_Throws()
    {
        Embeddings rows = Embeddings.FromRows([0], [1]);
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => Dbscan.Run(rows, -1, 2));
        Assert.Throws<ArgumentOutOfRangeException>("eps", () => Dbscan.Run(rows, double.NaN, 2));
        Assert.Throws<ArgumentOutOfRangeException>("minPoints", () => Dbscan.Run(rows, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>("k", () => Dbscan.KDistances(rows, 2));
        Assert.Throws<ArgumentException>("rows", () => Dbscan.Run(new Embeddings(1, 1, new[] { float.NaN }), 1, 1));
    }

    [Fact]
    public void Run_OfNoRows_FindsNothing() => Assert.Equal(0, Dbscan.Run(new Embeddings(0, 2, Array.Empty<float>()), 1, 2).Clusters);

    /// <summary>The textbook algorithm: expand from each unvisited core in index order.</summary>
    private static int[] Expand(Embeddings rows, double eps, int minPoints)
    {
        int[][] neighbours = [.. Enumerable.Range(0, rows.Rows).Select(i =>
            Enumerable.Range(0, rows.Rows).Where(j => System.Numerics.Tensors.TensorPrimitives.Distance(rows[i], rows[j]) <= eps).ToArray())];
        int[] labels = [.. Enumerable.Repeat(-1, rows.Rows)];
        int clusters = 0;
        for (int start = 0; start < rows.Rows; start++)
        {
            if (labels[start] >= 0 || neighbours[start].Length < minPoints)
            {
                continue;
            }

            var queue = new Queue<int>([start]);
            labels[start] = clusters;
            while (queue.TryDequeue(out int i))
            {
                foreach (int j in neighbours[i].Length >= minPoints ? neighbours[i] : [])
                {
                    if (labels[j] < 0)
                    {
                        labels[j] = clusters;
                        queue.Enqueue(j);
                    }
                }
            }

            clusters++;
        }

        return labels;
    }

    private static DbscanResult Run(string name, int minPoints, DbscanMetric metric) => Dbscan.Run(
        _golden["inputs", name, "points"].Embeddings, _golden["inputs", name, "eps"].Number, minPoints, metric);

    private static IEnumerable<int> CoreRows(DbscanResult result) => Enumerable.Range(0, result.Core.Count).Where(i => result.Core[i]);

    private static Embeddings RandomRows(int count, int width, int seed)
    {
        var random = new Random(seed);
        return new Embeddings(count, width, Enumerable.Range(0, count * width).Select(_ => random.NextSingle() - 0.5f).ToArray());
    }
}
