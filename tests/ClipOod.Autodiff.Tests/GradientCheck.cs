namespace ClipOod.Autodiff.Tests;

/// <summary>Compares gradients with central differences in double precision.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-4;
    private const double Tolerance = 1e-6;

    /// <summary>
    /// Checks the gradient of f with respect to every element of every argument. The result of f is reduced to a
    /// scalar by a fixed random weighting, so that its elements' gradients differ.
    /// </summary>
    public static void Check(Func<Tensor[], Tensor> function, params (long[] Shape, double[] Values)[] arguments)
    {
        Graph graph = new("check", ElementType.Double);
        Tensor[] inputs = [.. arguments.Select((argument, i) => graph.Input($"x{i}", ElementType.Double, [.. argument.Shape.Select(Dimension.FromInt64)]))];
        Check(graph, function, inputs, arguments, []);
    }

    public static void Check(
        Graph graph, Func<Tensor[], Tensor> function, Tensor[] inputs, (long[] Shape, double[] Values)[] arguments, Feed[] others)
    {
        Tensor result = function(inputs);
        Tensor loss = Weighted(result);
        IReadOnlyList<Tensor> gradients = graph.Gradients(loss, inputs);
        using Evaluator evaluator = new([loss, .. gradients, result]);
        Feed[] feeds(int argument, double[]? changed) =>
        [
            .. others,
            .. inputs.Select((input, i) => (Feed)(input.Name, TensorValue.Of(i == argument ? changed! : arguments[i].Values, arguments[i].Shape))),
        ];

        IReadOnlyList<TensorValue> computed = evaluator.Run(feeds(-1, null));
        AssertShape(result.Shape, computed[^1].Shape);
        using Evaluator forward = new([loss]);
        for (int a = 0; a < arguments.Length; a++)
        {
            double[] gradient = computed[a + 1].Values<double>();
            Assert.Equal(arguments[a].Shape, computed[a + 1].Shape);
            double[] expected = new double[gradient.Length];
            for (int i = 0; i < gradient.Length; i++)
            {
                double at(double delta)
                {
                    double[] changed = [.. arguments[a].Values];
                    changed[i] += delta;
                    return forward.Run(feeds(a, changed))[0].ToDouble();
                }

                // Fourth order: the error of the difference stays below the tolerance.
                expected[i] = ((8 * (at(Step) - at(-Step))) - at(2 * Step) + at(-2 * Step)) / (12 * Step);
            }

            double scale = Math.Max(expected.Max(Math.Abs), 1e-3);
            for (int i = 0; i < gradient.Length; i++)
            {
                double error = Math.Abs(gradient[i] - expected[i]) / scale;
                Assert.True(error <= Tolerance, $"argument {a}, element {i}: gradient {gradient[i]:R}, differences {expected[i]:R}, relative error {error:E1}");
            }
        }
    }

    /// <summary>What the graph says about the shape holds for the values.</summary>
    private static void AssertShape(Shape expected, long[] actual)
    {
        Assert.Equal(expected.Rank, actual.Length);
        for (int axis = 0; axis < expected.Rank; axis++)
        {
            Assert.True(!expected[axis].IsFixed || expected[axis].Size == actual[axis], $"axis {axis} of {expected} is {actual[axis]}");
        }
    }

    /// <summary>Values in [low, high) for an argument of this shape.</summary>
    public static (long[] Shape, double[] Values) Between(double low, double high, int seed, params long[] shape)
    {
        Random random = new(seed);
        double[] values = new double[shape.Aggregate(1L, (product, size) => product * size)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = low + ((high - low) * random.NextDouble());
        }

        return (shape, values);
    }

    /// <summary>Values in [-1.5, 1.5).</summary>
    public static (long[] Shape, double[] Values) Random(int seed, params long[] shape) => Between(-1.5, 1.5, seed, shape);

    private static Tensor Weighted(Tensor result)
    {
        if (result.Rank == 0)
        {
            return result;
        }

        // A weight for each element where the shape is fixed, else one that varies along the last axis.
        Graph graph = result.Graph;
        long[] sizes = result.Shape.All(d => d.IsFixed) ? [.. result.Shape.Select(d => d.Size)] : [result.Shape[-1].Size];
        Tensor weights = graph.Constant<double>(Between(0.5, 1.5, 99, sizes).Values, sizes);
        return (result * weights).Sum();
    }
}
