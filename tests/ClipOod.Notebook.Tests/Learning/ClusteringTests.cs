using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ClusteringTests
{
    private static readonly Gen<(int[] Clusters, int[] Classes)> _cases = Gen.Int[1, 30].SelectMany(n =>
        Gen.Select(Gen.Int[-1, 3].Array[n], Gen.Int[0, 4].Array[n]));

    private static readonly Gen<Matrix> _costs = Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5]).SelectMany((rows, columns) =>
        Gen.Int[-9, 9].Select(v => (double)v).Array[rows * columns].Select(values => new Matrix(rows, columns, values)));

    [Fact]
    public void Indices_OfAKnownTable_EqualTheValuesByHand()
    {
        // Clusters {a a b} {b b}: pairs together 1 + 1, in clusters 3 + 1, in classes 1 + 3, of 10.
        int[] clusters = [0, 0, 0, 1, 1], classes = [7, 7, 8, 8, 8];
        Assert.Equal(0.8, Clustering.Purity(clusters, classes));
        ScoreGen.AssertClose((2 - 1.6) / (4 - 1.6), Clustering.Ari(clusters, classes));
        double entropy = -((0.6 * Math.Log(0.6)) + (0.4 * Math.Log(0.4)));
        double information = (0.4 * Math.Log(0.4 / (0.6 * 0.4))) + (0.2 * Math.Log(0.2 / (0.6 * 0.6))) + (0.4 * Math.Log(0.4 / (0.4 * 0.6)));
        ScoreGen.AssertClose(information / entropy, Clustering.Nmi(clusters, classes));
    }

    [Fact]
    public void Ari_EqualsTheCountOverPairs() => _cases.Where(c => c.Clusters.Length > 1).Sample((clusters, classes) =>
    {
        double both = 0, inCluster = 0, inClass = 0, pairs = 0;
        for (int i = 0; i < clusters.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                bool a = clusters[i] == clusters[j], b = classes[i] == classes[j];
                (both, inCluster, inClass, pairs) = (both + (a && b ? 1 : 0), inCluster + (a ? 1 : 0), inClass + (b ? 1 : 0), pairs + 1);
            }
        }

        double expected = inCluster * inClass / pairs, most = (inCluster + inClass) / 2;
        Golden.AssertClose(most == expected ? 1 : (both - expected) / (most - expected), Clustering.Ari(clusters, classes), 1e-9);
    });

    [Fact]
    public void Indices_UnderRelabelling_StayTheSame() => _cases.Sample((clusters, classes) =>
    {
        int[] renamed = [.. clusters.Select(c => (7 * c) + 100)], renamedClasses = [.. classes.Select(c => 50 - c)];
        ScoreGen.AssertClose(Clustering.Purity(clusters, classes), Clustering.Purity(renamed, renamedClasses));
        ScoreGen.AssertClose(Clustering.Nmi(clusters, classes), Clustering.Nmi(renamed, renamedClasses));
        ScoreGen.AssertClose(Clustering.Ari(clusters, classes), Clustering.Ari(renamed, renamedClasses));
    });

    [Fact]
    public void Indices_AreSymmetricAndOneForTheSamePartition() => _cases.Sample((clusters, classes) =>
    {
        ScoreGen.AssertClose(Clustering.Nmi(clusters, classes), Clustering.Nmi(classes, clusters));
        ScoreGen.AssertClose(Clustering.Ari(clusters, classes), Clustering.Ari(classes, clusters));
        ScoreGen.AssertClose(1, Clustering.Nmi(classes, classes));
        ScoreGen.AssertClose(1, Clustering.Ari(classes, classes));
        ScoreGen.AssertClose(1, Clustering.Purity(classes, classes));
    });

    [Fact]
    public void Evaluate_LeavesNoiseOut() => Assert.Equal(
        new ClusterQuality(2, 0.2, 1, 1, 1), Clustering.Evaluate([0, 0, 1, 1, -1], [5, 5, 6, 6, 5]));

    [Fact]
    public void Evaluate_OfNoiseAlone_IsUndefined() => Assert.Equal(
        new ClusterQuality(0, 1, double.NaN, double.NaN, double.NaN), Clustering.Evaluate([-1, -1], [0, 1]));

    [Fact]
    public void Hungarian_CostsNoMoreThanAnyAssignment() => _costs.Sample(cost =>
    {
        int[] assigned = Clustering.Hungarian(cost);
        int[] used = [.. assigned.Where(c => c >= 0)];
        Assert.Equal(cost.Rows, assigned.Length);
        Assert.Equal(Math.Min(cost.Rows, cost.Columns), used.Distinct().Count());
        Assert.Equal(used.Length, used.Distinct().Count());
        Assert.Equal(Cheapest(cost, 0, [], Math.Max(0, cost.Rows - cost.Columns)), assigned.Select((c, r) => c < 0 ? 0 : cost[r, c]).Sum());
    });

    [Fact]
    public void Match_PairsClustersWithTheirClasses()
    {
        IReadOnlyDictionary<int, int> match = Clustering.Match([2, 2, 2, 5, 5, 5, -1, 9], [0, 0, 1, 0, 0, 1, 1, 3]);

        // Both 2 and 5 would take class 0; one of them must take class 1, and each matching finds 4 samples.
        Assert.Equal([2, 5, 9], match.Keys);
        Assert.Equal([0, 1], new[] { match[2], match[5] }.Order());
        Assert.Equal(3, match[9]);
    }

    [Fact]
    public void Match_OfMoreClustersThanClasses_LeavesTheWorstOut() =>
        Assert.Equal(new Dictionary<int, int> { [0] = 4, [2] = 3 }, Clustering.Match([0, 0, 1, 2, 2], [4, 4, 4, 3, 3]));

    [Fact]
    public void Match_OfNoiseAlone_IsEmpty() => Assert.Empty(Clustering.Match([-1], [0]));

    [Fact]
    public void Clustering_OfBadInput_Throws()
    {
        Assert.Throws<ArgumentException>("classes", () => Clustering.Purity([0], [0, 1]));
        Assert.Throws<ArgumentException>("classes", () => Clustering.Ari([], []));
        Assert.Throws<ArgumentException>("cost", () => Clustering.Hungarian(Matrix.FromRows([double.NaN])));
    }

    private static double Cheapest(Matrix cost, int row, int[] used, int unassigned)
    {
        if (row == cost.Rows)
        {
            return 0;
        }

        double best = unassigned > 0 ? Cheapest(cost, row + 1, used, unassigned - 1) : double.PositiveInfinity;
        foreach (int column in Enumerable.Range(0, cost.Columns).Except(used))
        {
            best = Math.Min(best, cost[row, column] + Cheapest(cost, row + 1, [.. used, column], unassigned));
        }

        return best;
    }
}
