namespace ClipOod.Autodiff.Tests;

/// <summary>Linear layers on 8-bit codes.</summary>
public sealed class QuantizationTests
{
    private const int Rows = 5;
    private const int Width = 24;
    private const int Outputs = 10;

    private readonly Graph _graph = new("quantised");
    private readonly Tensor _x;
    private readonly Weight _weight;
    private readonly Weight _bias;

    public QuantizationTests()
    {
        _x = _graph.Input("x", ElementType.Float, "rows", Width);
        _weight = _graph.Weight("weight", [Outputs, Width], Initial.Normal(1, 3));
        _bias = _graph.Weight("bias", [Outputs], Initial.Normal(1, 4));
    }

    [Fact]
    public void ALinearLayer_IsTheProductOfItsRoundedRows()
    {
        float[] x = Values(Rows), y = Run(Op.Linear(_x, _weight, _bias, transposed: true), x);
        float[] weight = _weight.Value.Values<float>(), bias = _bias.Value.Values<float>();
        for (int row = 0; row < Rows; row++)
        {
            for (int output = 0; output < Outputs; output++)
            {
                (int[] codes, double scale) = Codes(x.AsSpan(row * Width, Width), 127);
                (int[] ownCodes, double ownScale) = Codes(weight.AsSpan(output * Width, Width), QuantizedWeights.HasWideSums ? 127 : 63);
                double expected = (codes.Zip(ownCodes, (a, b) => (double)a * b).Sum() * scale * ownScale) + bias[output];
                Assert.Equal(expected, y[(row * Outputs) + output], 1e-3);
            }
        }
    }

    [Fact]
    public void ASliceOfRowsAndALayerWithoutBias_AreQuantisedToo()
    {
        Tensor slice = Op.Linear(_x, _weight.Slice(0, 2..7), transposed: true);
        float[] x = Values(Rows), whole = Run(Op.Linear(_x, _weight, transposed: true), x), part = Run(slice, x), exact = Run(slice, x, quantized: false);
        Assert.Equal([.. Enumerable.Range(0, Rows).SelectMany(row => whole[((row * Outputs) + 2)..((row * Outputs) + 7)])], part);
        Assert.NotEqual(exact, part);
        Assert.All(exact.Zip(part), pair => Assert.Equal(pair.First, pair.Second, 0.1));
    }

    [Fact]
    public void ARow_DoesNotDependOnOthers_AndARowOfZerosIsItsBias()
    {
        float[] x = Values(Rows);
        x.AsSpan(Width, Width).Clear();
        Tensor y = Op.Linear(_x, _weight, _bias, transposed: true);
        float[] together = Run(y, x);
        Assert.All(Enumerable.Range(0, Rows), row => Assert.Equal(Run(y, x[(row * Width)..((row + 1) * Width)]), together[(row * Outputs)..((row + 1) * Outputs)]));
        Assert.Equal(_bias.Value.Values<float>(), together[Outputs..(2 * Outputs)]);
    }

    [Fact]
    public void ProductsOfTwoInputs_StayAsTheyAre()
    {
        Tensor gram = _x.MatMul(_x.SwapLastAxes());
        Assert.Equal(Run(gram, Values(Rows), quantized: false), Run(gram, Values(Rows)));
    }

    [Fact]
    public void WeightsThatChange_AreNotQuantised()
    {
        Tensor y = Op.Linear(_x, _weight, _bias, transposed: true);
        Assert.Contains("set constantWeights", Assert.Throws<ArgumentException>(() => new Evaluator([y], quantized: true)).Message, StringComparison.Ordinal);
        Graph precise = new("precise", ElementType.Double);
        Assert.Throws<ArgumentException>(() => new Evaluator([precise.Weight("p", [2], Initial.Constant(1)) + 1], constantWeights: true, quantized: true));
    }

    private static float[] Values(int rows)
    {
        Random random = new(7);
        return [.. Enumerable.Range(0, rows * Width).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    private static (int[] Codes, double Scale) Codes(ReadOnlySpan<float> row, int range)
    {
        float scale = 0;
        foreach (float value in row)
        {
            scale = Math.Max(scale, Math.Abs(value));
        }

        scale /= range;
        return ([.. row.ToArray().Select(value => (int)MathF.Round(value / scale))], scale);
    }

    private static float[] Run(Tensor y, float[] x, bool quantized = true)
    {
        using Evaluator evaluator = new([y], constantWeights: true, quantized: quantized);
        return evaluator.Run(("x", x))[0].Values<float>();
    }
}
