namespace ClipOod.Autodiff;

/// <content>Operators that pick elements by index, and their opposites.</content>
public static partial class Op
{
    /// <summary>Slices of a tensor along an axis, for example the rows of an embedding table that tokens name.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="indices">Int32 or Int64, 0 to the axis' dimension − 1; ONNX Runtime refuses others when it runs.</param>
    /// <param name="axis">The axis of <paramref name="x"/>, in whose place the axes of the indices stand in the result.</param>
    /// <exception cref="ArgumentException">The axis is outside the shape, or the indices are of another type.</exception>
    public static Tensor Gather(this Tensor x, Tensor indices, int axis = 0)
    {
        int along = Axis("Gather", x, axis);
        RequireIndices("Gather", indices);
        Dimension[] before = [.. x.Shape.Take(along)];
        Dimension[] after = [.. x.Shape.Skip(along + 1)];
        return x.Graph
            .Emit("Gather", [x, indices], x.Type, new Shape([.. before, .. indices.Shape, .. after]), ("axis", along))
            .Differentiate((x, backward));

        Tensor backward(Tensor g)
        {
            Dimension count = indices.Shape.Elements;
            Tensor everywhere = indices
                .Reshape([.. before.Select(_ => (Dimension)1), count, .. after.Select(_ => (Dimension)1)])
                .BroadcastTo([.. before, count, .. after]);
            return Zeros(x.Graph, x.Type, x.Shape).ScatterAdd(everywhere, g.Reshape([.. before, count, .. after]), along);
        }
    }

    /// <summary>One element along an axis for every index, for example the log-probability of each row's label.</summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="indices">Int32 or Int64, of x's rank; beside the axis its dimensions are those of x.</param>
    /// <param name="axis">The axis.</param>
    /// <returns>A tensor of the indices' shape.</returns>
    /// <exception cref="ArgumentException">The axis is outside the shape, or the indices have another type or do not fit.</exception>
    public static Tensor GatherElements(this Tensor x, Tensor indices, int axis)
    {
        int along = Axis("GatherElements", x, axis);
        RequireElementIndices("GatherElements", x, indices, along);
        return x.Graph
            .Emit("GatherElements", [x, indices], x.Type, indices.Shape, ("axis", along))
            .Differentiate((x, g => Zeros(x.Graph, x.Type, x.Shape).ScatterAdd(indices, g, along)));
    }

    /// <summary>
    /// The tensor with <paramref name="updates"/> added at indices along an axis; updates of one element add up.
    /// </summary>
    /// <param name="x">Any tensor.</param>
    /// <param name="indices">Int32 or Int64, of x's rank; beside the axis its dimensions are those of x.</param>
    /// <param name="updates">A tensor of the indices' shape.</param>
    /// <param name="axis">The axis.</param>
    /// <exception cref="ArgumentException">The axis is outside the shape, or indices or updates have another type or do not fit.</exception>
    public static Tensor ScatterAdd(this Tensor x, Tensor indices, Tensor updates, int axis)
    {
        int along = Axis("ScatterAdd", x, axis);
        RequireElementIndices("ScatterAdd", x, indices, along);
        RequireSameType("ScatterAdd", x, updates);
        if (!updates.Shape.Equals(indices.Shape))
        {
            throw Error("ScatterAdd", $"indices {indices.Shape} and updates {updates.Shape} differ in shape.");
        }

        return x.Graph
            .Emit("ScatterElements", [x, indices, updates], x.Type, x.Shape, ("axis", along), ("reduction", "add"))
            .Differentiate((x, g => g), (updates, g => g.GatherElements(indices, along)));
    }

    private static void RequireElementIndices(string operation, Tensor x, Tensor indices, int axis)
    {
        RequireIndices(operation, indices);
        if (indices.Rank != x.Rank || !indices.Shape.Without(axis).Equals(x.Shape.Without(axis)))
        {
            throw Error(operation, $"tensor {x.Shape} and indices {indices.Shape} do not fit: beside axis {axis} their dimensions must be equal.");
        }
    }

    private static void RequireIndices(string operation, Tensor indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        if (!indices.Type.IsIndex())
        {
            throw Error(operation, $"the indices are {indices}, expected Int32 or Int64.");
        }
    }
}
