namespace ClipOod.Notebook;

/// <summary>
/// Standardises features per dimension with the mean and unbiased standard deviation of the training set, as PLP does
/// before its probe (arXiv 2303.05828).
/// </summary>
public sealed class Standardizer
{
    private readonly double[] _mean;
    private readonly double[] _std;

    private Standardizer(double[] mean, double[] std)
    {
        _mean = mean;
        _std = std;
    }

    /// <summary>Mean of each dimension, D values.</summary>
    public IReadOnlyList<double> Mean => _mean;

    /// <summary>Unbiased standard deviation of each dimension, D values.</summary>
    public IReadOnlyList<double> Std => _std;

    /// <summary>Measures mean and unbiased standard deviation.</summary>
    /// <param name="train">Features of any scale, shape (N, D), N at least 2.</param>
    /// <exception cref="ArgumentException">There are fewer than two rows, or a feature is NaN or infinite.</exception>
    public static Standardizer Fit(Embeddings train)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (train.Rows < 2)
        {
            throw new ArgumentException($"Got {train.Rows} rows, expected at least 2 to measure a standard deviation.", nameof(train));
        }

        double[] mean = new double[train.Width], std = new double[train.Width];
        for (int i = 0; i < train.Rows; i++)
        {
            Similarity.RequireFinite(train, i, nameof(train));
            ReadOnlySpan<float> row = train[i];
            for (int j = 0; j < row.Length; j++)
            {
                mean[j] += row[j] / (double)train.Rows;
            }
        }

        for (int i = 0; i < train.Rows; i++)
        {
            ReadOnlySpan<float> row = train[i];
            for (int j = 0; j < row.Length; j++)
            {
                std[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / (train.Rows - 1);
            }
        }

        return new Standardizer(mean, [.. std.Select(Math.Sqrt)]);
    }

    /// <summary>(x − mean) / std in each dimension; a dimension that was constant in the training set is only centred.</summary>
    /// <param name="features">Features of the same D dimensions, shape (N, D).</param>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public Embeddings Transform(Embeddings features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Width != _mean.Length)
        {
            throw new ArgumentException(
                $"Features have {features.Width} columns but the standardiser was fitted on {_mean.Length}: were they made by the same CLIP model?",
                nameof(features));
        }

        float[] result = new float[features.Values.Length];
        for (int i = 0; i < features.Rows; i++)
        {
            ReadOnlySpan<float> row = features[i];
            for (int j = 0; j < row.Length; j++)
            {
                result[(i * row.Length) + j] = (float)((row[j] - _mean[j]) / (_std[j] > 0 ? _std[j] : 1));
            }
        }

        return new Embeddings(features.Rows, features.Width, result);
    }
}
