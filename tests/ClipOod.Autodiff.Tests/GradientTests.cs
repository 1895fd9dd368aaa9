using static ClipOod.Autodiff.Tests.GradientCheck;

namespace ClipOod.Autodiff.Tests;

/// <summary>Every operator's gradient against central differences in double precision, relative error at most 1e-6.</summary>
public sealed class GradientTests
{
    private static readonly Dictionary<string, (Func<Tensor, Tensor> Function, double Low, double High)> _elementwise = new()
    {
        ["Negate"] = (x => -x, -2, 2),
        ["Exp"] = (x => x.Exp(), -2, 2),
        ["Log"] = (x => x.Log(), 0.3, 3),
        ["Sqrt"] = (x => x.Sqrt(), 0.3, 3),
        ["Pow2"] = (x => x.Pow(2), -2, 2),
        ["Pow3"] = (x => x.Pow(3), -2, 2),
        ["Pow-1.5"] = (x => x.Pow(-1.5), 0.5, 3),
        ["Abs"] = (x => x.Abs(), 0.1, 2),
        ["Sigmoid"] = (x => x.Sigmoid(), -4, 4),
        ["Softplus"] = (x => x.Softplus(), -4, 4),
        ["Erf"] = (x => x.Erf(), -3, 3),
        ["Gelu"] = (x => x.Gelu(), -4, 4),
        ["QuickGelu"] = (x => x.QuickGelu(), -4, 4),
        ["ClampInside"] = (x => x.Clamp(-1, 1), -0.9, 0.9),
        ["ClampOutside"] = (x => x.Clamp(-1, 1), 1.1, 2),
        ["NumberLeft"] = (x => (3 - x) + (2 / x) + (1.5 * x), 0.5, 2),
        ["NumberRight"] = (x => ((x - 3) / 2) + 1, -2, 2),
    };

    public static TheoryData<string> Elementwise => [.. _elementwise.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Elementwise))]
    public void Elementwise_Any_AgreesWithDifferences(string name)
    {
        (Func<Tensor, Tensor> function, double low, double high) = _elementwise[name];
        Check(x => function(x[0]), Between(low, high, 1, 3, 4));
        Check(x => function(x[0]), Between(low, high, 2));
    }

    public static TheoryData<long[], long[]> Broadcasts => new()
    {
        { [2, 3], [2, 3] },
        { [2, 3], [3] },
        { [3], [2, 3] },
        { [2, 1], [1, 3] },
        { [2, 3, 4], [3, 1] },
        { [], [2, 3] },
        { [2, 3], [] },
        { [1, 1], [1] },
        { [1], [1, 1] },
        { [4, 1, 3], [2, 1] },
    };

    [Theory]
    [MemberData(nameof(Broadcasts))]
    public void Arithmetic_Broadcast_AgreesWithDifferences(long[] first, long[] second)
    {
        (long[], double[]) a = Random(1, first);
        (long[], double[]) b = Between(0.5, 2, 2, second);
        Check(x => x[0] + x[1], a, b);
        Check(x => x[0] - x[1], a, b);
        Check(x => x[0] * x[1], a, b);
        Check(x => x[0] / x[1], a, b);
        Check(x => Op.Maximum(x[0], x[1]), a, b);
        Check(x => Op.Minimum(x[0], x[1]), a, b);
        Check(x => Op.Where(Op.Less(x[0], x[1]), x[0].Exp(), x[1] * x[0]), a, b);
        Check(x => Op.Where(Op.Greater(x[0], x[1]), x[0], x[1]), a, b);
    }

    [Fact]
    public void Arithmetic_OnOneTensorTwice_SumsTheGradients()
    {
        Check(x => (x[0] * x[0]) + x[0], Random(1, 2, 3));
        Check(x => x[0] / x[0].Sum([1], keepDims: true), Between(0.5, 2, 1, 2, 3));
        Check(x => x[0].MatMul(x[0].Transpose(1, 0)), Random(1, 2, 3));
        Check(x => Op.Concat(0, x[0], x[0] * 2, x[0]), Random(1, 2, 3));
    }

    [Theory]
    [InlineData(new long[] { 3, 4 }, new long[] { 4, 2 })]
    [InlineData(new long[] { 2, 3, 4 }, new long[] { 4, 2 })]
    [InlineData(new long[] { 2, 3, 4 }, new long[] { 2, 4, 2 })]
    [InlineData(new long[] { 2, 3, 4 }, new long[] { 1, 4, 2 })]
    [InlineData(new long[] { 3, 4 }, new long[] { 2, 4, 2 })]
    [InlineData(new long[] { 2, 1, 3, 4 }, new long[] { 5, 4, 2 })]
    [InlineData(new long[] { 1, 1 }, new long[] { 1, 1 })]
    public void MatMul_Broadcast_AgreesWithDifferences(long[] first, long[] second) =>
        Check(x => x[0].MatMul(x[1]), Random(1, first), Random(2, second));

    [Fact]
    public void MatMul_OfTransposed_AgreesWithDifferencesAndTransposesNoGradient()
    {
        Check(x => x[0].SwapLastAxes().MatMul(x[1]), Random(1, 2, 4, 3), Random(2, 2, 4, 5));
        Check(x => x[0].MatMul(x[1].SwapLastAxes()), Random(1, 2, 3, 4), Random(2, 2, 5, 4));
        Check(x => x[0].SwapLastAxes().MatMul(x[1].SwapLastAxes()), Random(1, 1, 4, 3), Random(2, 2, 5, 4));
        Check(x => x[0].Transpose(2, 0, 1).MatMul(x[1]), Random(1, 4, 3, 2), Random(2, 2, 3, 5));
        Check(x => x[0].Transpose(2, 0, 1).Transpose(2, 0, 1).Transpose(1, 0, 2).Pow(2), Random(1, 4, 3, 2));

        Graph graph = new("transposed");
        Tensor x = graph.Input("x", ElementType.Float, "batch", 5, 4);
        Assert.Same(x, x.Transpose(2, 0, 1).Transpose(1, 2, 0));
        Tensor q = graph.Input("q", ElementType.Float, "batch", 5, 4);
        Tensor k = graph.Input("k", ElementType.Float, "batch", 6, 4);
        Tensor gradient = graph.Gradients(q.MatMul(k.SwapLastAxes()).Pow(2).Mean(), k)[0];
        Assert.Equal("MatMul", gradient.Producer!.Operation);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Linear_Any_AgreesWithDifferences(bool transposed)
    {
        long[] shape = transposed ? [5, 4] : [4, 5];
        Check(x => Op.Linear(x[0], x[1], x[2], transposed), Random(1, 2, 3, 4), Random(2, shape), Random(3, 5));
        Check(x => Op.Linear(x[0], x[1], null, transposed), Random(1, 4), Random(2, shape));
    }

    [Fact]
    public void Gradient_OfAGradient_AgreesWithDifferences()
    {
        Tensor slope(Func<Tensor, Tensor> function, Tensor x) => x.Graph.Gradients(function(x).Sum(), x)[0];
        foreach ((string name, (Func<Tensor, Tensor> function, double low, double high)) in _elementwise)
        {
            if (name is not ("Negate" or "Abs" or "ClampInside" or "ClampOutside" or "NumberRight"))
            {
                Check(x => slope(function, x[0]), Between(low, high, 1, 5));
            }
        }

        Check(x => x[0].Graph.Gradients(Op.Linear(x[0], x[1]).Sigmoid().Sum(), x[1])[0], Random(1, 3, 4), Random(2, 4, 2));
        Check(x => slope(y => y.Softmax().Pow(2), x[0]), Random(1, 3, 4));
        Check(x => slope(y => y.L2Normalize().Pow(3), x[0]), Random(1, 3, 4));
        Check(x => slope(y => y.Gather(y.Graph.Constant<long>([2, 0, 2], 3)).Pow(3), x[0]), Random(1, 3, 4));
        Check(x => slope(y => y.Slice(0, 1..).Pow(3), x[0]), Random(1, 3, 4));
    }

    [Fact]
    public void Compositions_DrawnAtRandom_AgreeWithDifferences()
    {
        // Each operator keeps the shape (3, 4) and has a bounded slope, so that any chain of them can be checked.
        Func<Tensor, Tensor, Tensor>[] operators =
        [
            (x, y) => x + y,
            (x, y) => x - (y * 0.5),
            (x, y) => x.Sigmoid() * y,
            (x, y) => x / (y.Softplus() + 1),
            (x, y) => x.MatMul(y.SwapLastAxes()).Softmax().MatMul(y),
            (x, y) => Op.LayerNorm(x, y.Sum([0]), y.Mean([0])),
            (x, y) => Op.Concat(1, y.Slice(1, 1..), x.Slice(1, ..1)),
            (x, y) => x.Gather(x.Graph.Constant<long>([2, 0, 0], 3)) + y,
            (x, y) => x.Reshape(4, 3).Transpose(1, 0) + y,
            (x, y) => x.Gelu() + y.QuickGelu(),
            (x, y) => x.L2Normalize() + y.L2Normalize(0),
        ];
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            int[] chain = [.. Enumerable.Range(0, random.Next(2, 7)).Select(_ => random.Next(operators.Length))];
            Check(
                arguments =>
                {
                    List<Tensor> made = [.. arguments];
                    foreach (int choice in chain)
                    {
                        made.Add(operators[choice](made[^1], made[^2]));
                    }

                    return made[^1] + arguments[0];
                },
                Random(seed, 3, 4),
                Random(seed + 1000, 3, 4));
        }
    }

    public static TheoryData<int[]?, bool> Reductions => new()
    {
        { null, false }, { null, true }, { [0], false }, { [-1], true }, { [0, 2], false }, { [0, 1], true }, { [2, 0], true }, { [], false },
    };

    [Theory]
    [MemberData(nameof(Reductions))]
    public void Reductions_Any_AgreeWithDifferences(int[]? axes, bool keepDims)
    {
        (long[], double[]) x = Random(1, 2, 3, 4);
        Check(t => t[0].Sum(axes, keepDims), x);
        Check(t => t[0].Mean(axes, keepDims), x);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void Softmax_AlongAnAxis_AgreesWithDifferences(int axis)
    {
        (long[], double[]) x = Random(1, 2, 3, 4);
        Check(t => t[0].Softmax(axis), x);
        Check(t => t[0].LogSoftmax(axis), x);
        Check(t => t[0].L2Normalize(axis), x);
    }

    [Fact]
    public void LayerNorm_Any_AgreesWithDifferences()
    {
        Check(x => Op.LayerNorm(x[0], x[1], x[2]), Random(1, 2, 3, 8), Random(2, 8), Random(3, 8));
        Check(x => Op.LayerNorm(x[0], x[1], x[2], 1e-2), Random(1, 8), Random(2, 8), Random(3, 8));
    }

    [Fact]
    public void Shapes_Any_AgreeWithDifferences()
    {
        (long[], double[]) x = Random(1, 2, 3, 4);
        Check(t => t[0].Reshape(6, -1), x);
        Check(t => t[0].Reshape(24), x);
        Check(t => t[0].Slice(0, 0..1).Squeeze(0).Unsqueeze(2), x);
        Check(t => t[0].Transpose(2, 0, 1), x);
        Check(t => t[0].Transpose(1, 2, 0), x);
        Check(t => t[0].SwapLastAxes(), x);
        Check(t => t[0].Unsqueeze(1).BroadcastTo(5, 2, 6, 3, 4), x);
        Check(t => t[0].Slice(1, 1..), x);
        Check(t => t[0].Slice(-1, 1..3), x);
        Check(t => t[0].Slice(2, ..^1), x);
        Check(t => t[0].Slice(2, ^2..^1), x);
        Check(t => Op.Concat(1, t[0], t[1] * 2, t[0]), x, Random(2, 2, 1, 4));
        Check(t => Op.Concat(-1, t[0].Split(-1, 2)[1], t[0]), x);
        Check(t => t[0].Split(1, 3) is [Tensor a, Tensor b, Tensor c] ? (a * b) + (c * a) : t[0], x);
    }

    [Fact]
    public void Selection_WithRepeatedIndices_AgreesWithDifferences()
    {
        (long[], double[]) x = Random(1, 3, 4);
        Check(t => t[0].Gather(t[0].Graph.Constant<long>([2, 0, 2, 2, 1], 5)), x);
        Check(t => t[0].Gather(t[0].Graph.Constant<int>([2, 0, 2, 1], 2, 2)), x);
        Check(t => t[0].Gather(t[0].Graph.Constant<long>([3, 0, 3, 3, 1, 1], 3, 2), axis: 1), x);
        Check(t => t[0].Gather(t[0].Graph.Constant(1, ElementType.Int64), axis: 1), x);
        Check(t => t[0].GatherElements(t[0].Graph.Constant<long>([3, 3, 0, 1, 2, 2], 3, 2), axis: 1), x);
        Check(t => t[0].GatherElements(t[0].Graph.Constant<int>([2, 2, 0, 1], 1, 4), axis: 0), x);
        Check(t => t[0].ScatterAdd(t[0].Graph.Constant<long>([3, 3, 0, 1, 2, 2], 3, 2), t[1], axis: 1), x, Random(2, 3, 2));
    }

    [Fact]
    public void PatchEmbedding_Any_AgreesWithDifferences() =>
        Check(t => Op.PatchEmbedding(t[0], t[1], t[2]), Random(1, 2, 3, 4, 6), Random(2, 5, 3, 2, 2), Random(3, 5));

    [Fact]
    public void CrossEntropy_OfLabelsAndProbabilities_AgreesWithDifferences()
    {
        (long[], double[]) logits = Random(1, 4, 3);
        Check(t => Op.CrossEntropy(t[0], t[0].Graph.Constant<long>([2, 0, 1, 2], 4)), logits);
        Check(t => Op.CrossEntropy(t[0], t[0].Graph.Constant<int>([2, 0, 1, 2], 2, 2)), Random(1, 2, 2, 3));
        Check(t => Op.CrossEntropy(t[0], t[1].Softmax()), logits, Random(2, 4, 3));
    }

    [Fact]
    public void SymbolicSizes_InEveryOperatorThatReadsThem_AgreeWithDifferences()
    {
        Graph graph = new("symbolic", ElementType.Double);
        Tensor x = graph.Input("x", ElementType.Double, "batch", "tokens", 4);
        Tensor w = graph.Input("w", ElementType.Double, 4, 6);
        Tensor token = graph.Input("token", ElementType.Double, 1, 1, 4);
        Tensor labels = graph.Input("labels", ElementType.Int64, "batch");
        Check(
            graph,
            t =>
            {
                Tensor front = t[2].BroadcastTo(x.Shape[0], 1, 4);
                Tensor tokens = Op.Concat(1, front, t[0], front * 2);
                Tensor y = tokens.MatMul(t[1]).Reshape(x.Shape[0], tokens.Shape[1], 2, 3).Transpose(0, 2, 1, 3);
                Tensor attention = y.MatMul(y.SwapLastAxes()).Softmax().MatMul(y).Mean([2]).Reshape(-1, 6);
                Tensor ends = tokens.Slice(1, ^1..).Squeeze(1) + tokens.Slice(1, 1..).Slice(1, ..^1).Mean([1]) + tokens.Slice(0, ..).Slice(1, 1..2).Squeeze(1);
                return Op.CrossEntropy(attention, labels) + ends.Pow(2).Mean() + x.Graph.Constant(1) * t[0].Gather(labels, axis: 2).Pow(2).Sum();
            },
            [x, w, token],
            [Random(1, 2, 3, 4), Random(2, 4, 6), Random(3, 1, 1, 4)],
            [("labels", new long[] { 3, 1 })]);
    }
}
