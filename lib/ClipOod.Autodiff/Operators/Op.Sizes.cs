namespace ClipOod.Autodiff;

/// <content>Sizes as values.</content>
public static partial class Op
{
    /// <summary>The size of an axis as a scalar of the graph's type, read at run time where it varies; it has no gradient.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor Size(this Tensor x, int axis)
    {
        int along = Axis("Size", x, axis);
        return Count(x.Graph, x.Graph.Type, x.Shape[along]);
    }

    /// <summary>The numbers from 0 (Int64) along an axis, shape (its size), read at run time where it varies.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor Indices(this Tensor x, int axis)
    {
        int along = Axis("Indices", x, axis);
        Graph graph = x.Graph;
        Tensor size = graph.SizeOf(x.Shape[along]).Reshape();
        return graph.Emit(
            "Range", [graph.Constant(0, ElementType.Int64), size, graph.Constant(1, ElementType.Int64)], ElementType.Int64, new Shape(x.Shape[along]));
    }
}
