namespace ClipOod.Autodiff;

/// <content>Reductions over axes, and softmax.</content>
public static partial class Op
{
    /// <summary>The sum over axes, or over all where null.</summary>
    /// <exception cref="ArgumentException">An axis is outside the shape or repeats.</exception>
    public static Tensor Sum(this Tensor x, int[]? axes = null, bool keepDims = false)
    {
        int[] over = Axes("Sum", x, axes);
        if (over.Length == 0)
        {
            return x;
        }

        Graph graph = x.Graph;
        return graph
            .Emit("ReduceSum", [x, graph.Vector(ToInt64(over))], x.Type, Reduced(x, over, keepDims), ("keepdims", keepDims ? 1 : 0))
            .Differentiate((x, g => Spread(g, x.Shape, over)));
    }

    /// <summary>The mean over axes, or over all where null.</summary>
    /// <exception cref="ArgumentException">An axis is outside the shape or repeats.</exception>
    public static Tensor Mean(this Tensor x, int[]? axes = null, bool keepDims = false)
    {
        RequireReal("Mean", x);
        int[] over = Axes("Mean", x, axes);
        return over.Length == 0 ? x : Reduce("ReduceMean", x, over, keepDims)
            .Differentiate((x, g => Spread(g / Count(x.Graph, x.Type, Elements(x, over)), x.Shape, over)));
    }

    /// <summary>The index (Int64) of the largest element along an axis, the first where several are; it has no gradient.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor ArgMax(this Tensor x, int axis = -1, bool keepDims = false)
    {
        int along = Axis("ArgMax", x, axis);
        return x.Graph.Emit("ArgMax", [x], ElementType.Int64, Reduced(x, [along], keepDims), ("axis", along), ("keepdims", keepDims ? 1 : 0));
    }

    /// <summary>eˣ / Σ eˣ along an axis.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor Softmax(this Tensor x, int axis = -1)
    {
        RequireReal("Softmax", x);
        int along = Axis("Softmax", x, axis);
        Tensor y = x.Graph.Emit("Softmax", [x], x.Type, x.Shape, ("axis", along));
        return y.Differentiate((x, backward));

        Tensor backward(Tensor g)
        {
            Tensor product = g * y;
            return product - (y * product.Sum([along], keepDims: true));
        }
    }

    /// <summary>x − log Σ eˣ along an axis.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor LogSoftmax(this Tensor x, int axis = -1)
    {
        RequireReal("LogSoftmax", x);
        int along = Axis("LogSoftmax", x, axis);
        Tensor y = x.Graph.Emit("LogSoftmax", [x], x.Type, x.Shape, ("axis", along));
        return y.Differentiate((x, g => g - (y.Exp() * g.Sum([along], keepDims: true))));
    }

    private static Tensor Reduce(string operation, Tensor x, int[] axes, bool keepDims) =>
        x.Graph.Emit(operation, [x], x.Type, Reduced(x, axes, keepDims), ("axes", ToInt64(axes)), ("keepdims", keepDims ? 1 : 0));

    private static Shape Reduced(Tensor x, int[] axes, bool keepDims) =>
        keepDims ? Ones(x.Shape, axes) : new Shape(x.Shape.Where((_, i) => !axes.Contains(i)));

    private static Shape Ones(Shape shape, int[] axes) => new(shape.Select((d, i) => axes.Contains(i) ? 1 : d));

    private static Dimension Elements(Tensor x, int[] axes) =>
        axes.Aggregate((Dimension)1, (product, axis) => product * x.Shape[axis]);

    /// <summary>A reduced tensor with its reduced axes as ones again.</summary>
    private static Tensor Kept(Tensor reduced, Shape shape, int[] axes) => reduced.Reshape([.. Ones(shape, axes)]);

    /// <summary>A reduced tensor repeated along the reduced axes.</summary>
    private static Tensor Spread(Tensor reduced, Shape shape, int[] axes) => Kept(reduced, shape, axes).BroadcastTo([.. shape]);
}
