using System.Collections;

namespace ClipOod.Autodiff;

/// <summary>The dimensions of a tensor, outermost first; a scalar has none.</summary>
public sealed class Shape : IReadOnlyList<Dimension>, IEquatable<Shape>
{
    private readonly Dimension[] _dimensions;

    /// <summary>A shape of these dimensions.</summary>
    public Shape(params IEnumerable<Dimension> dimensions) => _dimensions = [.. dimensions];

    /// <summary>The shape of a single number.</summary>
    public static Shape Scalar { get; } = new();

    /// <summary>Number of dimensions.</summary>
    public int Rank => _dimensions.Length;

    /// <inheritdoc/>
    int IReadOnlyCollection<Dimension>.Count => Rank;

    /// <summary>Whether every dimension is a number.</summary>
    public bool IsFixed => _dimensions.All(dimension => dimension.IsFixed);

    /// <summary>Number of elements.</summary>
    public Dimension Elements => _dimensions.Aggregate((Dimension)1, (product, dimension) => product * dimension);

    /// <summary>The dimension at an axis; a negative axis counts from the last.</summary>
    public Dimension this[int axis] => _dimensions[axis < 0 ? axis + Rank : axis];

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _dimensions.AsSpan().SequenceEqual(other._dimensions);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => _dimensions.Aggregate(Rank, HashCode.Combine);

    /// <inheritdoc/>
    public IEnumerator<Dimension> GetEnumerator() => _dimensions.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For example "(batch, 50, 768)".</summary>
    public override string ToString() => $"({string.Join(", ", _dimensions)})";

    /// <summary>A copy with the dimension at <paramref name="axis"/> (not negative) replaced.</summary>
    internal Shape With(int axis, Dimension dimension) => new(_dimensions.Select((d, i) => i == axis ? dimension : d));

    /// <summary>A copy without the dimension at <paramref name="axis"/> (not negative).</summary>
    internal Shape Without(int axis) => new(_dimensions.Where((_, i) => i != axis));

    /// <summary>A copy with a dimension put before <paramref name="axis"/> (not negative).</summary>
    internal Shape Insert(int axis, Dimension dimension) => new([.. _dimensions[..axis], dimension, .. _dimensions[axis..]]);

    /// <summary>The sizes of a fixed shape.</summary>
    internal long[] ToSizes() => [.. _dimensions.Select(dimension => dimension.Size)];

    /// <summary>The shape that two tensors broadcast to by ONNX's (and numpy's) rule; null where they do not.</summary>
    internal static Shape? Broadcast(Shape a, Shape b)
    {
        int rank = Math.Max(a.Rank, b.Rank);
        Dimension[] result = new Dimension[rank];
        for (int i = 1; i <= rank; i++)
        {
            Dimension x = i <= a.Rank ? a[-i] : 1;
            Dimension y = i <= b.Rank ? b[-i] : 1;
            if (x != y && x != 1 && y != 1)
            {
                return null;
            }

            result[rank - i] = x == 1 ? y : x;
        }

        return new Shape(result);
    }
}
