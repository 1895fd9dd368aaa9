using System.Collections;
using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// Detector scores, one per image, of which <b>higher means more in-distribution (ID)</b>. Metrics, thresholds and
/// charts take this type and no bare array, so that a score of the other orientation cannot slip in:
/// flip it once, where it is made, with <see cref="FromOodHigh"/>.
/// </summary>
public sealed class IdScores : IReadOnlyList<double>
{
    private readonly double[] _values;

    /// <summary>Wraps scores that are already ID-high.</summary>
    /// <param name="name">What charts and tables call the score, such as "MCM".</param>
    /// <param name="values">One score per image; ±∞ is allowed. Must not be changed afterwards.</param>
    /// <exception cref="ArgumentException">A score is NaN.</exception>
    public IdScores(string name, double[] values)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(values);
        int nan = Array.FindIndex(values, double.IsNaN);
        if (nan >= 0)
        {
            throw new ArgumentException(
                $"{name} score {nan} of {values.Length} is NaN. Check the features it was computed from for NaN.", nameof(values));
        }

        Name = name;
        _values = values;
    }

    /// <summary>What charts and tables call the score.</summary>
    public string Name { get; }

    /// <summary>Number of images.</summary>
    public int Count => _values.Length;

    /// <summary>The scores as a span, ID-high.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The score of one image.</summary>
    /// <param name="index">0 to Count−1.</param>
    public double this[int index] => _values[index];

    /// <summary>Negates measures of which higher means more out-of-distribution: entropies, distances.</summary>
    /// <param name="name">What charts and tables call the score, such as "−entropy".</param>
    /// <param name="values">One measure per image, OOD-high.</param>
    /// <exception cref="ArgumentException">A value is NaN.</exception>
    public static IdScores FromOodHigh(string name, ReadOnlySpan<double> values)
    {
        double[] negated = new double[values.Length];
        TensorPrimitives.Negate(values, negated);
        return new IdScores(name, negated);
    }

    /// <summary>The scores of the given images, in the given order.</summary>
    /// <param name="indices">Positions, each 0 to Count−1.</param>
    public IdScores Select(IEnumerable<int> indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return new IdScores(Name, [.. indices.Select(i => _values[i])]);
    }

    /// <summary>A copy of the scores.</summary>
    public double[] ToArray() => [.. _values];

    /// <inheritdoc/>
    public IEnumerator<double> GetEnumerator() => ((IEnumerable<double>)_values).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _values.GetEnumerator();
}
