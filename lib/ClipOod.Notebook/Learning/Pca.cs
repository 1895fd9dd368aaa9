using MathNet.Numerics.LinearAlgebra;

namespace ClipOod.Notebook;

/// <summary>
/// Principal component analysis of N rows of D features: the directions of largest variance around the mean. Exact
/// (eigenvectors of the covariance, in double precision).
/// </summary>
public sealed class Pca
{
    private const int RowsPerBlock = 1024;

    private readonly double[] _mean;
    private readonly Matrix<double> _components;

    private Pca(double[] mean, Matrix<double> components, double[] variances, double totalVariance)
    {
        _mean = mean;
        _components = components;
        ExplainedVarianceRatio = [.. variances.Select(v => totalVariance > 0 ? v / totalVariance : 0)];
    }

    /// <summary>Share of the total variance along each component, in descending order.</summary>
    public IReadOnlyList<double> ExplainedVarianceRatio { get; }

    /// <summary>Finds the components. Each has its largest entry (in absolute value, the first of equals) positive.</summary>
    /// <param name="rows">Shape (N, D), finite; N at least 2.</param>
    /// <param name="components">Number of components, 1 to min(N−1, D).</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of components is out of range.</exception>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public static Pca Fit(Embeddings rows, int components)
    {
        ArgumentNullException.ThrowIfNull(rows);
        int most = Math.Min(rows.Rows - 1, rows.Width);
        if (components < 1 || components > most)
        {
            throw new ArgumentOutOfRangeException(
                nameof(components), components, $"Expected 1 to {most} components of {rows.Rows} rows x {rows.Width} features.");
        }

        if (!System.Numerics.Tensors.TensorPrimitives.IsFiniteAll(rows.Values))
        {
            throw new ArgumentException("A value is NaN or infinite: check the features the rows were computed from.", nameof(rows));
        }

        double[] mean = Mean(rows);
        Matrix<double> scatter = Matrix<double>.Build.Dense(rows.Width, rows.Width);
        for (int first = 0; first < rows.Rows; first += RowsPerBlock)
        {
            Matrix<double> block = Centered(rows, first, Math.Min(RowsPerBlock, rows.Rows - first), mean);
            scatter += block.TransposeThisAndMultiply(block);
        }

        // Eigenvalues come in ascending order.
        var eigen = scatter.Evd(Symmetricity.Symmetric);
        int[] order = [.. Enumerable.Range(0, components).Select(i => rows.Width - 1 - i)];
        double[] variances = Array.ConvertAll(order, i => Math.Max(0, eigen.EigenValues[i].Real));
        var directions = Matrix<double>.Build.DenseOfColumnVectors(order.Select(i => WithPositivePeak(eigen.EigenVectors.Column(i))));
        return new Pca(mean, directions, variances, scatter.Trace());
    }

    /// <summary>The coordinates of rows along the components, relative to the mean of the rows that were fitted.</summary>
    /// <param name="rows">Shape (N, D), of the fitted width.</param>
    /// <returns>Shape (N, components).</returns>
    /// <exception cref="ArgumentException">The width differs.</exception>
    public Embeddings Transform(Embeddings rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Width != _mean.Length)
        {
            throw new ArgumentException($"Got rows of width {rows.Width}, expected {_mean.Length}: were both made by the same model?", nameof(rows));
        }

        float[] result = new float[rows.Rows * _components.ColumnCount];
        int next = 0;
        for (int first = 0; first < rows.Rows; first += RowsPerBlock)
        {
            Matrix<double> block = Centered(rows, first, Math.Min(RowsPerBlock, rows.Rows - first), _mean) * _components;
            foreach (double value in block.ToRowMajorArray())
            {
                result[next++] = (float)value;
            }
        }

        return new Embeddings(rows.Rows, _components.ColumnCount, result);
    }

    private static double[] Mean(Embeddings rows)
    {
        double[] mean = new double[rows.Width];
        for (int i = 0; i < rows.Rows; i++)
        {
            ReadOnlySpan<float> row = rows[i];
            for (int j = 0; j < mean.Length; j++)
            {
                mean[j] += row[j];
            }
        }

        return Array.ConvertAll(mean, sum => sum / rows.Rows);
    }

    private static Matrix<double> Centered(Embeddings rows, int first, int count, double[] mean) =>
        Matrix<double>.Build.Dense(count, rows.Width, (i, j) => rows[first + i][j] - mean[j]);

    private static Vector<double> WithPositivePeak(Vector<double> direction) =>
        direction[direction.AbsoluteMaximumIndex()] < 0 ? -direction : direction;
}
