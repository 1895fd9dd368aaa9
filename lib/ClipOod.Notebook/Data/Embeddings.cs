using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// A row-major matrix of single-precision embeddings: one row per image or text, one column per feature.
/// Shapes in this library are written (N, D): N rows, D features. Immutable.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Embeddings
{
    private readonly ReadOnlyMemory<float> _values;

    /// <summary>Wraps <paramref name="values"/>, which must not be changed afterwards.</summary>
    /// <param name="rows">N, at least 0.</param>
    /// <param name="width">D, at least 1.</param>
    /// <param name="values">N·D values, row after row.</param>
    /// <exception cref="ArgumentException">The number of values is not rows × width.</exception>
    public Embeddings(int rows, int width, ReadOnlyMemory<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if ((long)rows * width != values.Length)
        {
            throw new ArgumentException(
                $"Got {values.Length} values, expected {rows} rows x {width} columns = {(long)rows * width}.", nameof(values));
        }

        Rows = rows;
        Width = width;
        _values = values;
    }

    /// <summary>Number of rows, N.</summary>
    public int Rows { get; }

    /// <summary>Number of features per row, D.</summary>
    public int Width { get; }

    /// <summary>All values, row after row.</summary>
    public ReadOnlySpan<float> Values => _values.Span;

    /// <summary>All values, row after row, as memory that outlives a span.</summary>
    public ReadOnlyMemory<float> Memory => _values;

    /// <summary>One row, D values.</summary>
    /// <param name="row">0 to N−1.</param>
    public ReadOnlySpan<float> this[int row] => _values.Span.Slice(row * Width, Width);

    /// <summary>Some rows as a tensor for <see cref="Engine"/>; nothing is copied, and ONNX Runtime never writes to its inputs.</summary>
    internal OrtValue ToOrtValue(int start, int rows) =>
        Engine.Tensor(MemoryMarshal.AsMemory(_values).Slice(start * Width, rows * Width), rows, Width);

    /// <summary>Builds embeddings from rows of equal length; values are rounded to single precision.</summary>
    /// <param name="rows">At least one row; all of the same, non-zero length.</param>
    /// <exception cref="ArgumentException">There is no row, or the rows differ in length.</exception>
    public static Embeddings FromRows(params double[][] rows)
    {
        Matrix matrix = Matrix.FromRows(rows);
        float[] values = new float[matrix.Values.Length];
        TensorPrimitives.ConvertTruncating<double, float>(matrix.Values, values);
        return new Embeddings(matrix.Rows, matrix.Columns, values);
    }

    /// <summary>The rows divided by their L2 norm, or by 1e-12 where the norm is smaller (torch's rule).</summary>
    public Embeddings Normalized()
    {
        float[] result = new float[_values.Length];
        for (int i = 0; i < Rows; i++)
        {
            double norm = Math.Sqrt(SumOfSquares(this[i]));
            TensorPrimitives.Multiply(this[i], (float)(1 / Math.Max(norm, 1e-12)), result.AsSpan(i * Width, Width));
        }

        return new Embeddings(Rows, Width, result);
    }

    /// <summary>Whether every row has an L2 norm of 1.</summary>
    /// <param name="tolerance">Largest accepted |norm − 1|; the default leaves room for half-precision storage.</param>
    internal bool IsUnitNorm(double tolerance = 2e-3)
    {
        for (int i = 0; i < Rows; i++)
        {
            if (!(Math.Abs(Math.Sqrt(SumOfSquares(this[i])) - 1) <= tolerance))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The given rows, in the given order.</summary>
    /// <param name="rows">Row numbers, each 0 to N−1; may repeat.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row number is outside 0 to N−1.</exception>
    public Embeddings Select(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        float[] result = new float[rows.Count * Width];
        for (int i = 0; i < rows.Count; i++)
        {
            if ((uint)rows[i] >= (uint)Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(rows), rows[i], $"Row numbers go from 0 to {Rows - 1}.");
            }

            this[rows[i]].CopyTo(result.AsSpan(i * Width));
        }

        return new Embeddings(rows.Count, Width, result);
    }

    /// <summary>These rows followed by the rows of <paramref name="other"/>.</summary>
    /// <param name="other">Embeddings of the same width.</param>
    /// <exception cref="ArgumentException">The widths differ.</exception>
    public Embeddings Append(Embeddings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Width != Width)
        {
            throw new ArgumentException(
                $"Got embeddings of width {other.Width}, expected {Width}: were both made by the same model?", nameof(other));
        }

        float[] result = new float[_values.Length + other._values.Length];
        Values.CopyTo(result);
        other.Values.CopyTo(result.AsSpan(_values.Length));
        return new Embeddings(Rows + other.Rows, Width, result);
    }

    /// <summary>The same values in double precision, such as text features that serve as the weights of a linear head.</summary>
    public Matrix ToMatrix()
    {
        double[] result = new double[_values.Length];
        TensorPrimitives.ConvertTruncating(Values, result);
        return new Matrix(Rows, Width, result);
    }

    private static double SumOfSquares(ReadOnlySpan<float> row)
    {
        double sum = 0;
        foreach (float value in row)
        {
            sum += (double)value * value;
        }

        return sum;
    }

    /// <summary>The first rows and columns as a table.</summary>
    public string ToHtml() => Corner().ToHtml();

    /// <summary>The first rows and columns as aligned text.</summary>
    public override string ToString() => Corner().ToString();

    private ResultTable Corner() => ValuesTable.Of("Embeddings", Rows, Width, (i, j) => this[i][j]);
}
