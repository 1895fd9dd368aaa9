namespace ClipOod.Autodiff;

/// <content>Matrix products.</content>
public static partial class Op
{
    /// <summary>The matrix product of the last two axes; the axes before them broadcast.</summary>
    /// <param name="a">Shape (..., M, K).</param>
    /// <param name="b">Shape (..., K, N).</param>
    /// <returns>Shape (..., M, N).</returns>
    /// <exception cref="ArgumentException">Inner dimensions differ, outer ones do not broadcast, or a tensor has fewer than two axes.</exception>
    public static Tensor MatMul(this Tensor a, Tensor b)
    {
        RequireSameType("MatMul", a, b);
        if (a.Rank < 2 || b.Rank < 2 || a.Shape[-1] != b.Shape[-2])
        {
            throw Error("MatMul", $"shapes {a.Shape} and {b.Shape} do not multiply: expected (..., M, K) and (..., K, N).");
        }

        if (b.Rank == 2)
        {
            return Linear(a, b);
        }

        Shape outerA = new(a.Shape.SkipLast(2));
        Shape outer = Shape.Broadcast(outerA, new Shape(b.Shape.SkipLast(2)))
            ?? throw Error("MatMul", $"the axes before the last two of shapes {a.Shape} and {b.Shape} do not broadcast.");

        // ONNX Runtime fuses transposes into products, but not out of them: the gradient of a transposed factor goes to
        // what was transposed.
        Tensor y = a.Graph.Emit("MatMul", [a, b], a.Type, new Shape([.. outer, a.Shape[-2], b.Shape[-1]]));
        Tensor sourceA = SwappedFrom(a) ?? a;
        Tensor sourceB = SwappedFrom(b) ?? b;
        return y.Differentiate(
            (sourceA, g => SumTo(sourceA == a ? g.MatMul(b.SwapLastAxes()) : b.MatMul(g.SwapLastAxes()), sourceA.Shape)),
            (sourceB, g => SumTo(sourceB == b ? a.SwapLastAxes().MatMul(g) : g.SwapLastAxes().MatMul(a), sourceB.Shape)));
    }

    /// <summary>A linear layer over the last axis: x W + b.</summary>
    /// <param name="x">Shape (..., K).</param>
    /// <param name="weight">Shape (K, N), or (N, K) where <paramref name="transposed"/>.</param>
    /// <param name="bias">Shape (N), or null for none.</param>
    /// <param name="transposed">Whether the weight's rows are outputs, as in PyTorch's layers.</param>
    /// <returns>Shape (..., N).</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or the element types differ.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, bool transposed = false)
    {
        RequireSameType("Linear", x, weight);
        if (x.Rank < 1 || weight.Rank != 2 || x.Shape[-1] != weight.Shape[transposed ? 1 : 0])
        {
            throw Error("Linear", $"input {x.Shape} and weight {weight.Shape}{(transposed ? " (transposed)" : "")} do not multiply.");
        }

        Dimension outputs = weight.Shape[transposed ? 0 : 1];
        if (bias is not null && !bias.Shape.Equals(new Shape(outputs)))
        {
            throw Error("Linear", $"the bias is {bias.Shape}, expected {new Shape(outputs)}.");
        }

        Tensor rows = x.Reshape(new Shape(x.Shape.SkipLast(1)).Elements, x.Shape[-1]);
        return Gemm(rows, weight, bias, transposed).Reshape([.. x.Shape.SkipLast(1), outputs]);
    }

    /// <summary>
    /// Image patches through a linear layer: a convolution whose stride is its kernel's size, as a matrix product.
    /// </summary>
    /// <param name="images">Shape (N, C, H, W); H and W are fixed multiples of P.</param>
    /// <param name="weight">Shape (D, C, P, P), the layout of a convolution.</param>
    /// <param name="bias">Shape (D), or null for none.</param>
    /// <returns>Shape (N, H/P · W/P, D), patches row by row.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or the element types differ.</exception>
    public static Tensor PatchEmbedding(Tensor images, Tensor weight, Tensor? bias = null)
    {
        RequireSameType("PatchEmbedding", images, weight);
        if (images.Rank != 4 || weight.Rank != 4 || images.Shape[1] != weight.Shape[1] || weight.Shape[2] != weight.Shape[3]
            || images.Shape[2].Divide(weight.Shape[2]) is not { } rows || images.Shape[3].Divide(weight.Shape[2]) is not { } columns)
        {
            throw Error("PatchEmbedding", $"images {images.Shape} and weight {weight.Shape} do not fit: expected (N, C, H, W) and (D, C, P, P), H and W multiples of P.");
        }

        (Dimension n, Dimension c, Dimension p) = (images.Shape[0], images.Shape[1], weight.Shape[2]);
        Tensor patches = images
            .Reshape(n, c, rows, p, columns, p)
            .Transpose(0, 2, 4, 1, 3, 5)
            .Reshape(n, rows * columns, c * p * p);
        return Linear(patches, weight.Reshape(weight.Shape[0], c * p * p), bias, transposed: true);
    }

    /// <summary>The tensor whose last two axes were exchanged to give this one; null where that is not how it was made.</summary>
    private static Tensor? SwappedFrom(Tensor x) =>
        x.Producer is { Operation: "Transpose" } node && node.Attributes[0].Value is long[] order && order.SequenceEqual(ToInt64(LastAxesSwapped(x.Rank)))
            ? node.Inputs[0]
            : null;

    /// <summary>A B + c, B transposed if asked.</summary>
    private static Tensor Gemm(Tensor a, Tensor b, Tensor? c, bool transposed)
    {
        Shape shape = new(a.Shape[0], b.Shape[transposed ? 0 : 1]);
        Tensor y = a.Graph.Emit("Gemm", c is null ? [a, b] : [a, b, c], a.Type, shape, ("transB", transposed ? 1 : 0));
        (Tensor, Func<Tensor, Tensor>)[] product =
        [
            (a, g => Gemm(g, b, null, !transposed)),
            (b, g => transposed ? Gemm(TransposedApart(g), a, null, false) : Gemm(TransposedApart(a), g, null, false)),
        ];
        return y.Differentiate(c is null ? product : [.. product, (c, g => SumTo(g, c.Shape))]);
    }

    /// <summary>
    /// The transposed matrix in a pass of its own over memory. ONNX Runtime's product can transpose its first factor, but does so again for
    /// every block of the second. Three axes keep its optimiser from fusing this into the product.
    /// </summary>
    private static Tensor TransposedApart(Tensor a)
    {
        (Dimension rows, Dimension columns) = (a.Shape[0], a.Shape[1]);
        return a.Reshape(1, rows, columns).SwapLastAxes().Reshape(columns, rows);
    }
}
