namespace ClipOod.Autodiff;

/// <content>Operators that move elements.</content>
public static partial class Op
{
    /// <summary>The same elements, row-major, in another shape.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="dimensions">The new dimensions; one may be −1, which is what the others leave.</param>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public static Tensor Reshape(this Tensor x, params Dimension[] dimensions)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(dimensions);
        Shape shape = Complete(x, dimensions);
        if (shape.Equals(x.Shape))
        {
            return x;
        }

        // One unknown size is left to the runtime; more are read from the tensors that have them.
        Graph graph = x.Graph;
        Tensor sizes = shape.Count(d => !d.IsFixed) <= 1
            ? graph.Vector([.. shape.Select(d => d.IsFixed ? d.Size : -1)])
            : graph.SizesOf(shape);
        return graph.Emit("Reshape", [x, sizes], x.Type, shape).Differentiate((x, g => g.Reshape([.. x.Shape])));
    }

    /// <summary>The tensor with a dimension of 1 put before <paramref name="axis"/> (0 to its rank).</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape.</exception>
    public static Tensor Unsqueeze(this Tensor x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        int before = axis < 0 ? axis + x.Rank + 1 : axis;
        return before >= 0 && before <= x.Rank
            ? x.Reshape([.. x.Shape.Insert(before, 1)])
            : throw Error("Unsqueeze", $"axis {axis} is outside shape {x.Shape}.");
    }

    /// <summary>The tensor without <paramref name="axis"/>, a dimension of 1.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape or its dimension is not 1.</exception>
    public static Tensor Squeeze(this Tensor x, int axis)
    {
        int gone = Axis("Squeeze", x, axis);
        return x.Shape[gone] == 1
            ? x.Reshape([.. x.Shape.Without(gone)])
            : throw Error("Squeeze", $"axis {axis} of shape {x.Shape} is {x.Shape[gone]}, expected 1.");
    }

    /// <summary>The tensor with its axes in another order: axis i of the result is axis <c>order[i]</c> of x.</summary>
    /// <exception cref="ArgumentException">The order is not one of the tensor's axes.</exception>
    public static Tensor Transpose(this Tensor x, params int[] order)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(order);
        if (!order.Order().SequenceEqual(Enumerable.Range(0, x.Rank)))
        {
            throw Error("Transpose", $"({string.Join(", ", order)}) is not an order of the axes of shape {x.Shape}.");
        }

        // A transpose undone is none. (Others stay apart: ONNX Runtime takes an exchange of the last axes into a product.)
        if (x.Producer is { Operation: "Transpose" } node && order.Select(axis => ((long[])node.Attributes[0].Value)[axis]).SequenceEqual(ToInt64([.. Enumerable.Range(0, x.Rank)])))
        {
            return node.Inputs[0];
        }

        int[] inverse = [.. Enumerable.Range(0, x.Rank).Select(axis => Array.IndexOf(order, axis))];
        return x.Graph
            .Emit("Transpose", [x], x.Type, new Shape(order.Select(axis => x.Shape[axis])), ("perm", ToInt64(order)))
            .Differentiate((x, g => g.Transpose(inverse)));
    }

    /// <summary>The tensor with its last two axes exchanged.</summary>
    /// <exception cref="ArgumentException">The tensor has fewer than two axes.</exception>
    public static Tensor SwapLastAxes(this Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Rank >= 2
            ? x.Transpose(LastAxesSwapped(x.Rank))
            : throw Error("SwapLastAxes", $"shape {x.Shape} has fewer than two axes.");
    }

    /// <summary>The tensor repeated along its dimensions of 1, and along new ones before its first.</summary>
    /// <exception cref="ArgumentException">The tensor does not broadcast to that shape.</exception>
    public static Tensor BroadcastTo(this Tensor x, params Dimension[] dimensions)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape shape = new(dimensions);
        if (shape.Equals(x.Shape))
        {
            return x;
        }

        return shape.Equals(Shape.Broadcast(x.Shape, shape))
            ? x.Graph.Emit("Expand", [x, x.Graph.SizesOf(shape)], x.Type, shape).Differentiate((x, g => SumTo(g, x.Shape)))
            : throw Error("BroadcastTo", $"shape {x.Shape} does not broadcast to {shape}.");
    }

    /// <summary>A range along an axis, for example <c>x.Slice(1, 0..1)</c>.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="range">The range, within the dimension where that is fixed.</param>
    /// <exception cref="ArgumentException">The axis is outside the shape, or the range is empty or outside its dimension.</exception>
    public static Tensor Slice(this Tensor x, int axis, Range range)
    {
        int along = Axis("Slice", x, axis);
        Dimension size = x.Shape[along];
        Dimension length = SliceLength(x, along, range);
        if (length == size)
        {
            return x;
        }

        Graph graph = x.Graph;
        long start = range.Start.IsFromEnd ? -(long)range.Start.Value : range.Start.Value;
        long end = !range.End.IsFromEnd ? range.End.Value : range.End.Value == 0 ? long.MaxValue : -(long)range.End.Value;
        return graph
            .Emit("Slice", [x, graph.Vector(start), graph.Vector(end), graph.Vector(along)], x.Type, x.Shape.With(along, length))
            .Differentiate((x, backward));

        Tensor backward(Tensor g)
        {
            // Zeros before and after; beside an end that the range counts from the other one, what is left.
            Tensor before = size.IsFixed || !range.Start.IsFromEnd
                ? graph.Vector(range.Start.GetOffset(size.IsFixed ? (int)size.Size : 0))
                : graph.SizeOf(size) - graph.Vector(range.Start.Value);
            Tensor after = size.IsFixed
                ? graph.Vector(size.Size - range.End.GetOffset((int)size.Size))
                : graph.SizeOf(size) - graph.SizeOf(length) - before;
            Tensor none(int axes) => graph.Vector(new long[axes]);
            Tensor[] pads = [none(along), before, none(x.Rank - 1), after, none(x.Rank - 1 - along)];
            Tensor all = graph.Emit("Concat", [.. pads.Where(p => p.Shape[0] != 0)], ElementType.Int64, new Shape(2 * x.Rank), ("axis", 0));
            return graph.Emit("Pad", [g, all], x.Type, x.Shape).Differentiate((g, h => h.Slice(along, range)));
        }
    }

    /// <summary>Tensors one after the other along an axis.</summary>
    /// <exception cref="ArgumentException">There is no tensor, or ranks, element types or other dimensions differ.</exception>
    public static Tensor Concat(int axis, params Tensor[] tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (tensors.Length == 0)
        {
            throw Error("Concat", "got no tensor, expected at least one.");
        }

        Tensor first = tensors[0];
        int along = Axis("Concat", first, axis);
        foreach (Tensor other in tensors)
        {
            RequireSameType("Concat", first, other);
            if (other.Rank != first.Rank || !other.Shape.Without(along).Equals(first.Shape.Without(along)))
            {
                throw Error("Concat", $"shapes {first.Shape} and {other.Shape} differ beside axis {along}.");
            }
        }

        if (tensors.Length == 1)
        {
            return first;
        }

        Dimension[] sizes = [.. tensors.Select(t => t.Shape[along])];
        Graph graph = first.Graph;
        bool isFixed = sizes.All(size => size.IsFixed);
        Dimension total = isFixed ? sizes.Sum(size => size.Size) : graph.NewSymbol();
        Tensor y = graph.Emit("Concat", tensors, first.Type, first.Shape.With(along, total), ("axis", along));
        return y.Differentiate([.. tensors.Select((t, i) => (t, (Func<Tensor, Tensor>)(g => Part(g, along, sizes, i))))]);
    }

    /// <summary>The tensor cut into equal parts along an axis.</summary>
    /// <exception cref="ArgumentException">The axis is outside the shape, or its dimension varies or is no multiple of the parts.</exception>
    public static Tensor[] Split(this Tensor x, int axis, int parts)
    {
        int along = Axis("Split", x, axis);
        Dimension size = x.Shape[along];
        if (parts < 1 || !size.IsFixed || size.Size % parts != 0)
        {
            throw Error("Split", $"axis {axis} of shape {x.Shape} cannot be cut into {parts} equal parts.");
        }

        if (parts == 1)
        {
            return [x];
        }

        Graph graph = x.Graph;
        long length = size.Size / parts;
        (ElementType, Shape) part = (x.Type, x.Shape.With(along, length));
        Tensor lengths = graph.Vector([.. Enumerable.Repeat(length, parts)]);
        Tensor[] outputs = graph.Emit("Split", [x, lengths], [.. Enumerable.Repeat(part, parts)], ("axis", along));
        Tensor.Differentiate(outputs, (x, gradients => Concat(
            along,
            [.. gradients.Select((g, i) => g ?? Zeros(graph, x.Type, outputs[i].Shape))])));
        return outputs;
    }

    private static int[] LastAxesSwapped(int rank) => [.. Enumerable.Range(0, rank - 2), rank - 1, rank - 2];

    private static Shape Complete(Tensor x, Dimension[] dimensions)
    {
        Dimension infer = -1;
        Shape given = new(dimensions);
        if (dimensions.Count(d => d == infer) is 1)
        {
            Dimension known = new Shape(dimensions.Where(d => d != infer)).Elements;
            given = new Shape(dimensions.Select(d => d != infer ? d : x.Shape.Elements.Divide(known)
                ?? throw Error("Reshape", $"shape {x.Shape} does not divide into {given}.")));
        }

        return given.Elements == x.Shape.Elements
            ? given
            : throw Error("Reshape", $"shape {x.Shape} has {x.Shape.Elements} elements, {given} has {given.Elements}.");
    }

    private static Dimension SliceLength(Tensor x, int axis, Range range)
    {
        Dimension size = x.Shape[axis];
        if (size.IsFixed)
        {
            int start = range.Start.GetOffset((int)size.Size);
            int end = range.End.GetOffset((int)size.Size);
            return start >= 0 && start < end && end <= size.Size
                ? end - start
                : throw Error("Slice", $"range {range} of axis {axis} is empty or outside shape {x.Shape}.");
        }

        return range.Start.IsFromEnd == range.End.IsFromEnd
            ? range.Start.IsFromEnd ? range.Start.Value - range.End.Value : range.End.Value - range.Start.Value
            : range.Equals(Range.All) ? size : x.Graph.NewSymbol();
    }

    /// <summary>The gradient of one of several tensors that were joined.</summary>
    private static Tensor Part(Tensor gradient, int axis, Dimension[] sizes, int index)
    {
        Graph graph = gradient.Graph;
        if (sizes.All(size => size.IsFixed))
        {
            int start = (int)sizes.Take(index).Sum(size => size.Size);
            return gradient.Slice(axis, start..(start + (int)sizes[index].Size));
        }

        Tensor from = sizes.Take(index).Aggregate(graph.Vector(0), (sum, size) => sum + graph.SizeOf(size));
        Tensor to = from + graph.SizeOf(sizes[index]);
        return graph
            .Emit("Slice", [gradient, from, to, graph.Vector(axis)], gradient.Type, gradient.Shape.With(axis, sizes[index]))
            .Differentiate((gradient, _ => throw new NotSupportedException(
                $"Concat: there are no second derivatives along an axis whose sizes ({string.Join(", ", sizes)}) vary.")));
    }
}
