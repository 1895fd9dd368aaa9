namespace ClipOod.Notebook.Tests;

public sealed class PcaTests
{
    [Fact]
    public void Fit_OfRowsAlongALine_FindsIt()
    {
        Embeddings rows = Embeddings.FromRows([1, 2, 5], [3, 6, 5], [5, 10, 5]);
        Pca pca = Pca.Fit(rows, 2);
        Golden.AssertClose([1, 0], pca.ExplainedVarianceRatio, 1e-12);

        // The direction (1, 2, 0)/√5, its largest entry positive; the middle row is the mean.
        Embeddings line = pca.Transform(rows);
        Golden.AssertClose([-Math.Sqrt(20), 0, Math.Sqrt(20)], [line[0][0], line[1][0], line[2][0]], 1e-6);
    }

    [Fact]
    public void Transform_ByAllComponents_KeepsDistances()
    {
        Embeddings rows = RandomRows(50, 6);
        Embeddings rotated = Pca.Fit(rows, 6).Transform(rows);
        for (int i = 0; i < rows.Rows; i++)
        {
            Golden.AssertClose(
                System.Numerics.Tensors.TensorPrimitives.Distance(rows[0], rows[i]),
                System.Numerics.Tensors.TensorPrimitives.Distance(rotated[0], rotated[i]),
                Golden.ToleranceOfSingles);
        }
    }

    [Fact]
    public void Transform_GivesUncorrelatedColumnsOfTheExplainedVariance()
    {
        Embeddings rows = RandomRows(400, 5);
        Pca pca = Pca.Fit(rows, 5);
        Embeddings x = pca.Transform(rows);
        double[][] moments = [.. Enumerable.Range(0, 5).Select(a => Enumerable.Range(0, 5).Select(b =>
            Enumerable.Range(0, x.Rows).Sum(i => (double)x[i][a] * x[i][b])).ToArray())];
        double total = Enumerable.Range(0, 5).Sum(a => moments[a][a]);
        for (int a = 0; a < 5; a++)
        {
            Golden.AssertClose(pca.ExplainedVarianceRatio[a], moments[a][a] / total, Golden.ToleranceOfSingles);
            Assert.All(Enumerable.Range(0, 5).Where(b => b != a), b => Golden.AssertClose(0, moments[a][b] / total, Golden.ToleranceOfSingles));
        }

        Assert.Equal(pca.ExplainedVarianceRatio.OrderDescending(), pca.ExplainedVarianceRatio);
        Golden.AssertClose(1, pca.ExplainedVarianceRatio.Sum(), 1e-12);
    }

    [Fact]
    public void Pca_OfBadInput_Throws()
    {
        Embeddings rows = RandomRows(4, 3);
        Assert.Throws<ArgumentOutOfRangeException>("components", () => Pca.Fit(rows, 4));
        Assert.Throws<ArgumentOutOfRangeException>("components", () => Pca.Fit(rows, 0));
        Assert.Throws<ArgumentException>("rows", () => Pca.Fit(new Embeddings(2, 1, new[] { 1, float.NaN }), 1));
        Assert.Throws<ArgumentException>("rows", () => Pca.Fit(rows, 2).Transform(RandomRows(4, 2)));
    }

    /// <summary>Columns of different, correlated variances.</summary>
    private static Embeddings RandomRows(int count, int width)
    {
        var random = new Random(width);
        float[] values = new float[count * width];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ((1 + (i % width)) * random.NextSingle()) + (i % width == 0 ? 0 : values[i - 1] / 2);
        }

        return new Embeddings(count, width, values);
    }
}
