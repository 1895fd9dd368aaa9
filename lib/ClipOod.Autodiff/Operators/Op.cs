namespace ClipOod.Autodiff;

/// <summary>
/// The operators. Each checks its arguments as the graph is built, adds ONNX nodes, and says how gradients flow back.
/// Most are extension methods: <c>x.MatMul(w).Softmax()</c>. A negative axis counts from the last.
/// </summary>
public static partial class Op
{
    /// <summary>The error of an operator that got shapes or types it cannot take.</summary>
    private static ArgumentException Error(string operation, string message) => new($"{operation}: {message}");

    private static void RequireReal(string operation, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!tensor.Type.IsReal())
        {
            throw Error(operation, $"needs Float or Double, got {tensor}. Use Cast.");
        }
    }

    private static void RequireSameType(string operation, Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Type != b.Type)
        {
            throw Error(operation, $"element types {a.Type} and {b.Type} of {a.Shape} and {b.Shape} differ. Use Cast.");
        }
    }

    private static Shape Broadcast(string operation, Shape a, Shape b) =>
        Shape.Broadcast(a, b)
        ?? throw Error(operation, $"shapes {a} and {b} do not broadcast: from the last, dimensions must be equal or one of them 1.");

    /// <summary>The axis as a number from 0.</summary>
    private static int Axis(string operation, Tensor tensor, int axis)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return axis >= -tensor.Rank && axis < tensor.Rank
            ? (axis + tensor.Rank) % tensor.Rank
            : throw Error(operation, $"axis {axis} is outside shape {tensor.Shape}.");
    }

    /// <summary>The axes as sorted numbers from 0; all where null.</summary>
    private static int[] Axes(string operation, Tensor tensor, int[]? axes)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        int[] sorted = [.. (axes ?? [.. Enumerable.Range(0, tensor.Rank)]).Select(axis => Axis(operation, tensor, axis)).Order()];
        return sorted.Distinct().Count() == sorted.Length
            ? sorted
            : throw Error(operation, $"axes ({string.Join(", ", axes!)}) of shape {tensor.Shape} repeat.");
    }

    private static long[] ToInt64(int[] values) => [.. values.Select(value => (long)value)];

    /// <summary>Applies an ONNX operator that keeps the shape.</summary>
    private static Tensor Map(string operation, Tensor x)
    {
        RequireReal(operation, x);
        return x.Graph.Emit(operation, [x], x.Type, x.Shape);
    }

    /// <summary>Applies an ONNX operator of two tensors with broadcasting.</summary>
    private static Tensor Combine(string operation, Tensor a, Tensor b, ElementType? type = null)
    {
        RequireSameType(operation, a, b);
        return a.Graph.Emit(operation, [a, b], type ?? a.Type, Broadcast(operation, a.Shape, b.Shape));
    }

    /// <summary>The gradient of a tensor that was broadcast: the sum over the axes along which it was repeated.</summary>
    private static Tensor SumTo(Tensor gradient, Shape shape)
    {
        if (gradient.Shape.Equals(shape))
        {
            return gradient;
        }

        int extra = gradient.Rank - shape.Rank;
        if (extra > 0 && shape.Rank > 0 && shape.Equals(new Shape(gradient.Shape.Skip(extra))))
        {
            // ONNX Runtime sums over rows fastest as a product with ones.
            Dimension rows = new Shape(gradient.Shape.Take(extra)).Elements;
            Tensor ones = Zeros(gradient.Graph, gradient.Type, new Shape(1, rows)) + 1;
            return Gemm(ones, gradient.Reshape(rows, shape.Elements), null, transposed: false).Reshape([.. shape]);
        }

        int[] axes = [.. Enumerable.Range(0, gradient.Rank).Where(i => i < extra || (shape[i - extra] == 1 && gradient.Shape[i] != 1))];
        return gradient.Sum(axes, keepDims: true).Reshape([.. shape]);
    }

    /// <summary>A tensor of zeros.</summary>
    private static Tensor Zeros(Graph graph, ElementType type, Shape shape) =>
        graph.Emit("ConstantOfShape", [graph.SizesOf(shape)], type, shape, ("value", type));

    /// <summary>The number of elements as a scalar of a real type, read at run time where it varies.</summary>
    private static Tensor Count(Graph graph, ElementType type, Dimension count) =>
        count.IsFixed ? graph.Constant(count.Size, type) : graph.SizeOf(count).Cast(type).Reshape();
}
