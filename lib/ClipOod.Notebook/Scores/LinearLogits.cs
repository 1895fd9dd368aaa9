using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>The logits Wx + b of a linear head, in double precision, for the scores that look inside the head.</summary>
internal sealed class LinearLogits
{
    private readonly Matrix _weight;
    private readonly IReadOnlyList<double> _bias;

    /// <summary>Checks and wraps the head.</summary>
    /// <param name="width">D, of the features the head is applied to.</param>
    /// <param name="weight">Shape (K, D).</param>
    /// <param name="bias">K values.</param>
    public LinearLogits(int width, Matrix weight, IReadOnlyList<double> bias)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(bias);
        if (weight.Columns != width)
        {
            throw new ArgumentException(
                $"Got a head for features of width {weight.Columns}, expected {width} as the training features.", nameof(weight));
        }

        if (bias.Count != weight.Rows)
        {
            throw new ArgumentException($"Got {bias.Count} biases for {weight.Rows} classes, expected one per class.", nameof(bias));
        }

        _weight = weight;
        _bias = bias;
    }

    /// <summary>The logits of every row, after <paramref name="prepare"/> changed it: shape (N, K).</summary>
    public Matrix Apply(Samples samples, Action<double[]>? prepare = null)
    {
        int width = _weight.Columns;
        int classes = _weight.Rows;
        samples.CheckWidth(width, "features");
        double[] logits = new double[samples.Count * classes];
        Parallel.For(0, samples.Count, () => new double[width], (i, _, row) =>
        {
            samples.CopyRow(i, row);
            prepare?.Invoke(row);
            for (int k = 0; k < classes; k++)
            {
                logits[(i * classes) + k] = TensorPrimitives.Dot(row, _weight[k]) + _bias[k];
            }

            return row;
        }, _ => { });
        return new Matrix(samples.Count, classes, logits);
    }
}
