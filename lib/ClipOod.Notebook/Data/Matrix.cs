using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// A row-major matrix of doubles: cosines, logits, probabilities, statistics. Shapes are written (N, K): N samples,
/// K classes. Immutable; embeddings, which are large and single precision, are <see cref="Embeddings"/>.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Matrix
{
    private readonly ReadOnlyMemory<double> _values;

    /// <summary>Wraps <paramref name="values"/>, which must not be changed afterwards.</summary>
    /// <param name="rows">N, at least 0.</param>
    /// <param name="columns">K, at least 1.</param>
    /// <param name="values">N·K values, row after row.</param>
    /// <exception cref="ArgumentException">The number of values is not rows × columns.</exception>
    public Matrix(int rows, int columns, ReadOnlyMemory<double> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if ((long)rows * columns != values.Length)
        {
            throw new ArgumentException(
                $"Got {values.Length} values, expected {rows} rows x {columns} columns = {(long)rows * columns}.", nameof(values));
        }

        Rows = rows;
        Columns = columns;
        _values = values;
    }

    /// <summary>Number of rows, N.</summary>
    public int Rows { get; }

    /// <summary>Number of columns, K.</summary>
    public int Columns { get; }

    /// <summary>All values, row after row.</summary>
    public ReadOnlySpan<double> Values => _values.Span;

    /// <summary>One row, K values.</summary>
    /// <param name="row">0 to N−1.</param>
    public ReadOnlySpan<double> this[int row] => _values.Span.Slice(row * Columns, Columns);

    /// <summary>One value.</summary>
    /// <param name="row">0 to N−1.</param>
    /// <param name="column">0 to K−1.</param>
    public double this[int row, int column] => this[row][column];

    /// <summary>Builds a matrix from rows of equal length.</summary>
    /// <param name="rows">At least one row; all of the same, non-zero length.</param>
    /// <exception cref="ArgumentException">There is no row, or the rows differ in length.</exception>
    public static Matrix FromRows(params double[][] rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Length == 0 || rows[0].Length == 0)
        {
            throw new ArgumentException("Got no values, expected at least one row of at least one value.", nameof(rows));
        }

        int columns = rows[0].Length;
        double[] values = new double[rows.Length * columns];
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i].Length != columns)
            {
                throw new ArgumentException(
                    $"Row {i} has {rows[i].Length} values, expected {columns} as in row 0.", nameof(rows));
            }

            rows[i].CopyTo(values, i * columns);
        }

        return new Matrix(rows.Length, columns, values);
    }

    /// <summary>Every value multiplied by <paramref name="factor"/>, such as cosines by the logit scale of 100.</summary>
    /// <param name="factor">Any finite number.</param>
    public Matrix Scale(double factor)
    {
        double[] result = new double[_values.Length];
        System.Numerics.Tensors.TensorPrimitives.Multiply(Values, factor, result);
        return new Matrix(Rows, Columns, result);
    }

    /// <summary>Position of the largest value of each row; ties go to the lowest position.</summary>
    /// <exception cref="ArgumentException">A value is NaN, which is neither larger nor smaller than any.</exception>
    public int[] ArgMax()
    {
        int[] result = new int[Rows];
        for (int i = 0; i < Rows; i++)
        {
            ReadOnlySpan<double> row = this[i];
            if (System.Numerics.Tensors.TensorPrimitives.IsNaNAny(row))
            {
                throw new ArgumentException($"Row {i} of {Rows} holds NaN: it has no largest value. Check the features it was computed from for NaN.");
            }

            int best = 0;
            for (int j = 1; j < row.Length; j++)
            {
                if (row[j] > row[best])
                {
                    best = j;
                }
            }

            result[i] = best;
        }

        return result;
    }

    /// <summary>The first rows and columns as a table.</summary>
    public string ToHtml() => Corner().ToHtml();

    /// <summary>The first rows and columns as aligned text.</summary>
    public override string ToString() => Corner().ToString();

    private ResultTable Corner() => ValuesTable.Of("Matrix", Rows, Columns, (i, j) => this[i, j]);
}
