using static ClipOod.Autodiff.Tests.GradientCheck;

namespace ClipOod.Autodiff.Tests;

/// <summary>
/// Single precision has nodes of its own for some operators (fused by ONNX Runtime); they agree with double precision,
/// in which the gradients are checked.
/// </summary>
public sealed class PrecisionTests
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> _functions = new()
    {
        ["Erf"] = x => x.Erf(),
        ["Gelu"] = x => x.Gelu(),
        ["QuickGelu"] = x => x.QuickGelu(),
        ["Softplus"] = x => x.Softplus(),
        ["Sigmoid"] = x => x.Sigmoid(),
        ["Softmax"] = x => x.Softmax(),
        ["LogSoftmax"] = x => x.LogSoftmax(0),
        ["L2Normalize"] = x => x.L2Normalize(),
        ["LayerNorm"] = x => Op.LayerNorm(x, x.Slice(0, 0..1).Squeeze(0), x.Slice(0, 1..2).Squeeze(0)),
        ["LayerNormTwice"] = x => x.Graph.Gradients(Op.LayerNorm(x, x.Slice(0, 0..1).Squeeze(0), x.Slice(0, 1..2).Squeeze(0)).Pow(3).Mean(), x)[0],
        ["MatMul"] = x => x.MatMul(x.Transpose(1, 0)),
        ["Gather"] = x => x.Gather(x.Graph.Constant<long>([1, 1, 0], 3)),
    };

    public static TheoryData<string> Functions => [.. _functions.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Functions))]
    public void Function_InSinglePrecision_AgreesWithDouble(string name)
    {
        double[] values = Between(-5, 5, 7, 6, 16).Values;
        (double[] value, double[] gradient) = Compute(ElementType.Double, _functions[name], values);
        (double[] singleValue, double[] singleGradient) = Compute(ElementType.Float, _functions[name], values);
        double scale(double[] x) => Math.Max(1, x.Max(Math.Abs));
        Assert.Equal(value, singleValue, (a, b) => Math.Abs(a - b) <= 2e-6 * scale(value));
        Assert.Equal(gradient, singleGradient, (a, b) => Math.Abs(a - b) <= 1e-5 * scale(gradient));
    }

    [Fact]
    public void ExtremeValues_OfSafeOperators_StayFinite()
    {
        foreach (ElementType type in new[] { ElementType.Float, ElementType.Double })
        {
            foreach (string name in new[] { "Softplus", "Sigmoid", "Softmax", "LogSoftmax", "Gelu", "QuickGelu", "Erf" })
            {
                (double[] value, double[] gradient) = Compute(type, _functions[name], [1e4, -1e4, 500, -500, 0, 1]);
                Assert.All(value, v => Assert.True(double.IsFinite(v), $"{name} {type}"));
                Assert.All(gradient, v => Assert.True(double.IsFinite(v), $"gradient of {name} {type}"));
            }
        }

        // The norm of zeros is held above 0.
        Assert.All(Compute(ElementType.Float, x => x.L2Normalize(), new double[4]).Value, v => Assert.Equal(0, v));
    }

    [Fact]
    public void ErfOfDouble_OverItsRange_HasFullPrecision()
    {
        // Reference values to 16 digits.
        double[] x = [0, 0.1, 0.5, 1, 2, 3, 4, 5.9, 7, -1];
        double[] expected =
        [
            0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, 0.9953222650189527, 0.9999779095030014, 0.9999999845827421, 1, 1, -0.8427007929497149,
        ];
        Assert.Equal(expected, Compute(ElementType.Double, t => t.Erf(), x).Value, (a, b) => Math.Abs(a - b) <= 4e-16);
    }

    private static (double[] Value, double[] Gradient) Compute(ElementType type, Func<Tensor, Tensor> function, double[] values)
    {
        Graph graph = new("precision", type);
        int rows = values.Length / 16 > 0 ? values.Length / 16 : 1;
        Tensor x = graph.Input("x", type, rows, values.Length / rows);
        Tensor y = function(x);
        Tensor weights = graph.Constant<double>(Between(0.5, 1.5, 3, y.Shape.Elements.Size).Values, [.. y.Shape.Select(d => d.Size)]).Cast(type);
        using Evaluator evaluator = new([y, graph.Gradients((y * weights).Sum(), x)[0]]);
        Feed feed = type == ElementType.Double ? ("x", values) : ("x", values.Select(v => (float)v).ToArray());
        IReadOnlyList<TensorValue> results = evaluator.Run(feed);
        double[] doubles(TensorValue value) => type == ElementType.Double ? value.Values<double>() : [.. value.Values<float>().Select(v => (double)v)];
        return (doubles(results[0]), doubles(results[1]));
    }
}
