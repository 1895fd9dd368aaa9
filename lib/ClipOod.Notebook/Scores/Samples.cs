using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// Embeddings (single precision) or a matrix such as logits (double) as rows of doubles, so that statistics, which need double
/// precision, are written once for both and copy no more than a row at a time.
/// </summary>
internal readonly struct Samples
{
    private readonly Embeddings? _embeddings;
    private readonly Matrix? _matrix;

    private Samples(Embeddings? embeddings, Matrix? matrix)
    {
        _embeddings = embeddings;
        _matrix = matrix;
    }

    public int Count => _embeddings?.Rows ?? _matrix!.Rows;

    public int Width => _embeddings?.Width ?? _matrix!.Columns;

    public static Samples Of(Embeddings embeddings)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        return new(embeddings, null);
    }

    public static Samples Of(Matrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return new(null, matrix);
    }

    public void CopyRow(int row, Span<double> target)
    {
        if (_embeddings is not null)
        {
            TensorPrimitives.ConvertTruncating<float, double>(_embeddings[row], target);
        }
        else
        {
            _matrix![row].CopyTo(target);
        }
    }

    /// <summary>Checks what is fitted to: at least one row, and finite values.</summary>
    public void CheckTrain(string parameter)
    {
        if (Count == 0)
        {
            throw new ArgumentException("Got no training rows, expected at least one.", parameter);
        }

        double[] row = new double[Width];
        for (int i = 0; i < Count; i++)
        {
            CopyRow(i, row);
            if (!double.IsFinite(TensorPrimitives.Sum<double>(row)))
            {
                throw new ArgumentException($"Training row {i} holds NaN or an infinite value. Compute the features again.", parameter);
            }
        }
    }

    /// <summary>Checks that rows to score are as wide as the training rows.</summary>
    public void CheckWidth(int expected, string parameter)
    {
        if (Width != expected)
        {
            throw new ArgumentException(
                $"Got rows of width {Width}, expected {expected} as in training: were both made by the same model?", parameter);
        }
    }

    /// <summary>Calls <paramref name="prepare"/> for every row and sums the outer products of what it leaves: Σ x xᵀ, (D, D), row-major.</summary>
    public double[] SumOfOuterProducts(Action<int, double[]> prepare)
    {
        const int BlockRows = 256;
        int width = Width;
        double[] result = new double[width * width];
        double[] row = new double[width];
        // Column after column, so that each entry of the result is one dot product of two contiguous runs.
        double[] block = new double[width * BlockRows];
        for (int start = 0; start < Count; start += BlockRows)
        {
            int rows = Math.Min(BlockRows, Count - start);
            for (int i = 0; i < rows; i++)
            {
                CopyRow(start + i, row);
                prepare(start + i, row);
                for (int j = 0; j < width; j++)
                {
                    block[(j * BlockRows) + i] = row[j];
                }
            }

            Parallel.For(0, width, j =>
            {
                ReadOnlySpan<double> left = block.AsSpan(j * BlockRows, rows);
                for (int k = 0; k <= j; k++)
                {
                    result[(j * width) + k] += TensorPrimitives.Dot(left, block.AsSpan(k * BlockRows, rows));
                }
            });
        }

        for (int j = 0; j < width; j++)
        {
            for (int k = 0; k < j; k++)
            {
                result[(k * width) + j] = result[(j * width) + k];
            }
        }

        return result;
    }
}
